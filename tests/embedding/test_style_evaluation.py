"""The evaluation of style search: its measures by hand, and a run over a drawn folder."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts.evaluations.style import figures, main
from tests.embedding.drawing import STYLES, SUBJECTS, draw

SHARED = Path(__file__).resolve().parents[2] / "../shared/data/style-previews"


def test_measures_of_a_case_worked_by_hand() -> None:
    styles, subjects = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    scores = np.array([[9, 3, 2, 1], [1, 9, 2, 3], [3, 2, 9, 1], [3, 2, 1, 9.0]])
    # right answers stand at ranks 1, 3, 3, 3
    found = figures(scores, styles, subjects)
    assert found.mean_average_precision == pytest.approx(100 * (1 + 3 * 1 / 3) / 4)
    assert found.recall_1 == 25
    assert found.recall_5 == 100
    assert found.leak == 50  # the second and third query are led astray by their subject
    assert found.group_recall_5 == 100


def test_a_style_of_one_picture_is_not_asked_for() -> None:
    styles = np.array([0, 0, 1])
    scores = np.array([[9, 1, 2], [1, 9, 2], [1, 2, 9.0]])
    assert figures(scores, styles, np.zeros(3, np.int64)).mean_average_precision == 50


def drawn_folder(folder: Path) -> Path:
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["file", "style", "content_slot"])
        for style in STYLES:
            for subject in SUBJECTS:
                name = f"{style}-{subject}.png"
                Image.fromarray(draw(subject, style)).save(folder / name)
                table.writerow([name, style, subject])
        table.writerow(["missing.png", "ink", "disc"])
    return folder


def test_a_folder_is_measured_and_missing_pictures_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(drawn_folder(tmp_path))]) == 0
    printed, complaints = capsys.readouterr()
    assert "24 pictures, 6 styles" in printed
    rows = {line[:18].strip(): line[18:].split() for line in printed.splitlines()[2:]}
    assert float(rows["shipped"][0]) > 2 * float(rows["chance"][0])
    assert "missing.png" in complaints


def test_a_folder_without_labels_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "labels.csv" in capsys.readouterr().err


@pytest.mark.shared
def test_each_step_helps_on_real_previews(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On every fourth style; the whole set takes a minute and is run by hand."""
    if not SHARED.is_dir():
        pytest.skip("no development cases beside the checkout")
    with (SHARED / "labels.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    chosen = sorted({row["style"] for row in rows})[::4]
    with (tmp_path / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, ["file", "style", "content_slot"], extrasaction="ignore")
        table.writeheader()
        kept = [row for row in rows if row["style"] in chosen]
        table.writerows(row | {"file": str((SHARED / row["file"]).resolve())} for row in kept)
    main([str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()[2:-1]  # the last one tells of the cut-off
    precision = {line[:18].strip(): float(line[18:].split()[0]) for line in lines}
    assert precision["half-whitened"] < precision["content-centred"] < precision["shipped"]
    assert precision["shipped"] > 1.3 * precision["half-whitened"]
