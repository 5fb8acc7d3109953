"""What a person sees of inspected files: plain where it is no terminal, nothing of strangers sent raw."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console as RichConsole

from indexer.console_inspect import show_file
from indexer.console_lines import FileLines
from indexer.console_words import confidence_told, count_told, size_told, told

LORA: dict[str, Any] = {
    "path": "/models/loras/ink.safetensors",
    "size": 57_400_000,
    "container": "safetensors",
    "status": "ok",
    "reason": None,
    "warnings": ["odd"],
    "warning_details": {"odd": "A sentence about it."},
    "kind": "lora",
    "adapter": "lokr",
    "key_format": "kohya",
    "architecture": "sdxl",
    "architecture_path": ["sdxl"],
    "candidates": [
        {"architecture": "sdxl", "confidence": 0.7},
        {"architecture": "sdxl-inpainting", "confidence": 0.3},
        {"architecture": "sd1", "confidence": 0.0},
    ],
    "family": "pony",
    "families": [{"family": "pony", "confidence": 0.8}, {"family": "noobai", "confidence": 0.1}],
    "confidence": 0.97,
    "evidence": [{"rule": "fit", "detail": "all modules fit sdxl and sdxl-inpainting"}],
    "conflicts": [{"claim": "SD 1.5", "source": "sidecar:json", "found": "sdxl"}],
    "claims": {"sidecar:json": {"base_label": "SD 1.5", "description": "long", "minor": False}},
    "rank": {"min": 4, "max": 16, "mode": 8},
    "alpha": 4.0,
    "dtypes": {"F16": 12},
    "quantisation": None,
    "parameters": 28_505_050,
    "tensors": 12,
    "trigger_words": ["ink", "wash"],
    "training": {"tool": "kohya", "resolution": [1024, 768], "steps": 2000},
    "trained": [{"part": "text_encoder", "model": "clip-l", "blocks": ["layers 0-11"], "layers": ["mlp"]}],
    "needs": [{"part": "vae", "options": ["sdxl", "sdxl-fix"], "why": "it holds none"}],
    "merge": {"models": ["one", "two"]},
    "program": {
        "verdict": "dangerous-imports",
        "imports": ["os.system"],
        "detail": "It would run a command.",
    },
}
REFUSED = {
    "path": "/models/loras/page.safetensors",
    "size": 167,
    "container": "unknown",
    "reason": {"code": "not_a_model:html", "detail": "a web page; download it again"},
    "warnings": [],
}


def page(data: dict[str, Any], **more: Any) -> str:
    written = io.StringIO()
    show_file(RichConsole(file=written, width=100, highlight=False, **more), data)
    return written.getvalue()


def test_a_page_tells_all_that_is_known() -> None:
    shown = page(LORA)
    for part in (
        *(
            "ink.safetensors",
            "57.4 MB · safetensors",
            "LoKr",
            "kohya keys",
            "Stable Diffusion XL",
            "sure, 97%",
        ),
        *("sdxl 70%, sdxl-inpainting 30%", "cannot be told from tensors because all modules fit"),
        *("pony 80%, noobai 10%", "4 to 16, mostly 8 · alpha 4", "28.5 million in 12 tensors", "F16 ×12"),
        *("text encoder clip-l", "layers 0-11 · mlp", "vae: sdxl or sdxl-fix", "it holds none"),
        *("models one, two", "dangerous-imports", "os.system", "It would run a command."),
        *("sidecar:json says SD 1.5; found sdxl", "A sentence about it. [odd]", "ink, wash", "1024 × 768"),
    ):
        assert part in shown, part
    assert "sd1 0%" not in shown and "minor" not in shown
    assert not any(line != line.rstrip() for line in shown.splitlines())


def test_a_refused_file_says_why_and_what_to_do() -> None:
    shown = page(REFUSED)
    assert "cannot be read   a web page; download it again" in shown
    assert "not_a_model:html" in shown


def test_a_picture_tells_how_it_was_made() -> None:
    made = {
        "generator": "comfyui",
        "prompt": "a harbour",
        "seed": 7,
        "models": [{"kind": "lora", "name": "ink"}],
    }
    shown = page({"path": "a.png", "container": "png", "reason": None, "warnings": [], "generation": made})
    assert "a harbour" in shown and "ink  LoRA" in shown


@pytest.mark.parametrize("terminal", [False, True])
def test_what_strangers_wrote_is_escaped(terminal: bool) -> None:
    evil = "\x1b]0;x\x07\u202egnp\n[red]x[/red]"
    data = LORA | {
        "path": f"/m/{evil}/{evil}.safetensors",
        "key_format": evil,
        "trigger_words": [evil],
        "claims": {evil: {"name": evil}},
        "evidence": [{"rule": evil, "detail": evil}],
        "conflicts": [{"claim": evil, "source": evil, "found": evil}],
        "dtypes": {evil: 1},
        "training": {"tool": evil},
    }
    shown = page(data, force_terminal=terminal, no_color=True)
    assert "\x1b]" not in shown and "\x07" not in shown and "\u202e" not in shown
    assert "\\u202egnp" in shown and "[red]x" in shown
    written = io.StringIO()
    lines = FileLines(RichConsole(file=written, width=100))
    lines.add(data)
    lines.add(REFUSED | {"path": evil, "reason": {"code": evil, "detail": evil}})
    lines.finish()
    shown = written.getvalue()
    assert "\x1b" not in shown and "\u202e" not in shown and "\x07" not in shown


def test_many_files_are_a_line_each_printed_as_they_come() -> None:
    written = io.StringIO()
    lines = FileLines(RichConsole(file=written, width=110))

    def files() -> Iterator[dict[str, Any]]:
        for place in range(40):
            yield LORA | {"path": f"/models/set{place % 2}/m{place:02}.safetensors"}
            assert f"m{place:02}.safetensors" in written.getvalue()
        yield REFUSED

    for data in files():
        lines.add(data)
    lines.finish()
    shown = written.getvalue().splitlines()
    assert sum("lora · lokr" in line and "sdxl" in line and "mislabelled" in line for line in shown) == 40
    assert shown[-1] == "41 files · 40 lora · 40 mislabelled · 1 cannot be read"
    assert "  a web page; download it again" in shown


def test_figures_are_told_for_people() -> None:
    assert [size_told(n) for n in (None, 167, 57_400_000, 6_900_000_000)] == [
        "",
        "167 B",
        "57.4 MB",
        "6.9 GB",
    ]
    assert [count_told(n) for n in (12, 28_505_050, 11_900_000_000)] == ["12", "28.5 million", "11.9 billion"]
    assert [confidence_told(c) for c in (0.97, 0.85, 0.6, 0.2, 0.0)] == [
        *("sure, 97%", "very likely, 85%", "likely, 60%", "a guess, 20%", "not known, 0%")
    ]
    assert told({"a_b": [1, 2.5, True], "c": None}) == "a b 1, 2.5, yes"
