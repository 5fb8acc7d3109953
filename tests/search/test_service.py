"""The whole reading half over the indexed demo library, whose generator knows the truth."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.demo import DemoReport
from indexer.errors import UsageError
from indexer.settings import Settings
from search.answers import Answer
from search.query import QueryError
from search.service import SORTS, Pinakes

Demo = tuple[Path, DemoReport]


@pytest.fixture(scope="module")
def pinakes(demo_home: Settings) -> Iterator[Pinakes]:
    with Pinakes(demo_home) as opened:
        yield opened


def test_words_find_models_by_name(pinakes: Pinakes) -> None:
    hits = pinakes.search("wet paper watercolour", versions=True).hits
    assert [hit.document.name for hit in hits[:2]] == ["Wet Paper Watercolour"] * 2


def test_versions_of_a_model_are_one_hit_unless_asked_for(pinakes: Pinakes) -> None:
    folded, apart = (pinakes.search("", limit=200, versions=v) for v in (False, True))
    assert (
        folded.total == len(folded.hits) < len(apart.hits) == apart.total == folded.matches == apart.matches
    )
    assert {i for hit in folded.hits for i in (hit.document.id, *hit.also)} == {
        h.document.id for h in apart.hits
    }
    assert len({hit.document.model_id for hit in folded.hits}) == folded.total


def test_filters_facets_and_totals_agree(pinakes: Pinakes) -> None:
    everything = pinakes.search("", limit=200)
    assert everything.total == len(everything.hits)
    for kind, count in everything.facets["type"].items():
        narrowed = pinakes.search(f"type:{kind}", limit=200)
        assert narrowed.matches == count
        assert {hit.document.kind for hit in narrowed.hits} == {kind}


def test_the_tree_of_architectures_is_understood(pinakes: Pinakes) -> None:
    found = {hit.document.architecture for hit in pinakes.search("arch:flux2", limit=200).hits}
    assert found == {"flux2-klein-4b", "flux2-klein-9b"}


def test_what_the_generator_made_is_found_as_it_was_made(pinakes: Pinakes, demo_library: Demo) -> None:
    for model in demo_library[1].models:
        if model.bad or model.path.endswith(".gguf"):
            continue
        stem = Path(model.path).stem
        hits = pinakes.search(f'file:"{stem}" is:local,adult,real_person', limit=5).hits
        assert model.kind in {hit.document.kind for hit in hits}, model.path


def test_adult_and_real_persons_are_hidden_but_counted(pinakes: Pinakes) -> None:
    plain = pinakes.search("", limit=200)
    assert plain.hidden == 2
    assert not any(hit.document.hidden for hit in plain.hits)
    assert pinakes.search("is:adult").hits[0].document.hidden == ("adult",)
    assert pinakes.search("is:real_person").hits[0].document.hidden == ("real_person",)


def test_settings_show_what_is_hidden(demo_home: Settings) -> None:
    with Pinakes(demo_home.model_copy(update={"show_adult": True, "show_people": True})) as opened:
        assert opened.search("").hidden == 0


def test_scores_explain_themselves(pinakes: Pinakes) -> None:
    hit = pinakes.search("teapot").hits[0]
    value, weight = hit.score.signals["text"]
    assert 0.5 < value <= 1.0 and weight == 1.0
    assert "'teapot'" in hit.explain() and hit.explain().startswith(f"{hit.score.value:.2f}: ")
    assert hit.to_json()["signals"]["text"] == {"value": round(value, 6), "weight": 1.0}


def test_a_base_lets_what_does_not_fit_fall(pinakes: Pinakes) -> None:
    hits = pinakes.search("watercolour", base="sdxl").hits
    assert hits[0].document.architecture == "sdxl"
    assert hits[0].score.signals["compatibility"][0] == 1.0
    assert hits[-1].score.signals["compatibility"][0] == 0.0


@pytest.mark.parametrize("sort", SORTS)
def test_pages_follow_each_other_without_gap_or_double(pinakes: Pinakes, sort: str) -> None:
    whole = [hit.document.id for hit in pinakes.search("type:lora", sort=sort, limit=200).hits]
    pages = [
        hit.document.id
        for place in range(0, 60, 7)
        for hit in pinakes.search("type:lora", sort=sort, limit=7, offset=place).hits
    ]
    assert pages == whole


def test_the_shape_of_answers(pinakes: Pinakes) -> None:
    told = pinakes.search("watercolour type:lora", limit=1).to_json()
    assert set(told) >= {"query", "total", "took_ms", "facets", "hits"}
    assert told["query"]["text"] == "watercolour type:lora"
    assert set(told["hits"][0]) >= {
        "id", "sources", "name", "version", "kind", "architecture", "family", "base_label", "category", "creator",
        "tags", "trigger_words", "rating", "downloads", "nsfw_level", "licence", "preview", "files", "score", "signals",
    }  # fmt: skip


def test_every_preview_ranks_its_own_style_first(pinakes: Pinakes, demo_library: Demo) -> None:
    """Pictures against models: first comes a model drawn in the same style."""
    folder, report = demo_library
    owners = {style: {Path(m.path).name for m in models} for style, models in report.by_style().items()}
    wrong = []
    pictures = [(path, style) for model in report.models for path, style, _ in model.pictures]
    for path, style in pictures:
        best = pinakes.similar(folder / path, by="style", limit=1).hits[0].document
        if not owners[style] & set(best.file_names):
            wrong.append((path, best.name))
    assert len(pictures) > 100
    assert len(wrong) <= len(pictures) * 0.02, wrong


def test_a_model_finds_its_style_on_another_base(pinakes: Pinakes, demo_library: Demo) -> None:
    report = demo_library[1]
    paths = {model.path: model for model in report.models}
    tried, missed = 0, []
    for model in report.models:
        other = paths.get(model.equivalent_of or "")
        if other is None or model.bad or model.hidden or other.hidden or model.category != "style":
            continue
        if not (model.pictures and other.pictures):
            continue
        tried += 1
        answer = pinakes.similar(Path(model.path).name, by="style", limit=3, versions=True)
        if not any(Path(other.path).name in hit.document.file_names for hit in answer.hits):
            missed.append((model.path, [hit.document.name for hit in answer.hits]))
    assert tried >= 8
    assert len(missed) <= tried * 0.15, missed


def test_similar_keeps_to_the_base_and_leaves_out_itself(pinakes: Pinakes) -> None:
    answer = pinakes.similar("Impasto Knife", base="sdxl", limit=50, min_score=0.0)
    assert answer.hits
    assert all("sdxl" in hit.document.architecture_path for hit in answer.hits)
    assert answer.query["like"]["id"] not in {hit.document.id for hit in answer.hits}
    assert all(0.0 <= hit.score.value <= 1.0 for hit in answer.hits)


@pytest.mark.parametrize("by", ["style", "content", "mix"])
def test_similar_pages_and_cuts_off(pinakes: Pinakes, demo_library: Demo, by: str) -> None:
    folder, report = demo_library
    picture = folder / next(path for m in report.models if not m.hidden for path, _, _ in m.pictures)
    whole = pinakes.similar(picture, by=by, limit=200, min_score=0.0)
    best = pinakes.similar(picture, by=by, limit=200)
    assert 0 < best.total < whole.total
    assert [hit.document.id for hit in best.hits] == [
        hit.document.id for hit in whole.hits if hit.document in [other.document for other in best.hits]
    ]
    pages = [
        hit
        for start in range(0, 30, 7)
        for hit in pinakes.similar(picture, by=by, limit=7, offset=start, min_score=0.0).hits
    ]
    assert [hit.document.id for hit in pages] == [hit.document.id for hit in whole.hits][: len(pages)]
    told = whole.hits[0].score.signals
    assert {"style", "semantic"} & set(told) == {
        "mix": {"style", "semantic"},
        "style": {"style"},
        "content": {"semantic"},
    }[by]
    with pytest.raises(UsageError, match="least score"):
        pinakes.similar(picture, by=by, min_score=1.5)


def test_similar_takes_filters_and_bytes(pinakes: Pinakes, demo_library: Demo) -> None:
    folder, report = demo_library
    picture = next(path for m in report.models for path, _, _ in m.pictures)
    answer = pinakes.similar((folder / picture).read_bytes(), by="content", query="type:checkpoint", limit=50)
    assert {hit.document.kind for hit in answer.hits} == {"checkpoint"}


def test_searching_with_words_and_a_picture(pinakes: Pinakes, demo_library: Demo) -> None:
    folder, report = demo_library
    loras = [m for m in report.models if m.kind == "lora" and m.pictures and not m.hidden]
    answer = pinakes.search("type:lora", image=folder / loras[0].pictures[0][0], limit=50)
    assert answer.hits[0].score.signals["semantic"][0] > 0.999
    assert {hit.document.kind for hit in answer.hits} == {"lora"}


@pytest.mark.parametrize("by_what", ["id", "name", "file"])
def test_models_are_found_by_what_people_have(pinakes: Pinakes, by_what: str) -> None:
    document = pinakes.search("teapot type:lora").hits[0].document
    names: dict[str, int | str] = {"id": document.id, "name": document.name, "file": document.file_names[0]}
    assert pinakes.find(names[by_what]).id == document.id


def test_details_and_counts(pinakes: Pinakes) -> None:
    details = pinakes.show(pinakes.find("Vellum").id)
    assert details is not None
    assert details.files[0]["verdict"]["conflicts"]
    assert pinakes.show(10**9) is None
    counts = pinakes.stats()
    assert counts["quarantined"] == {"data_truncated": 1, "not_a_model:html": 1}
    assert {row["code"] for row in pinakes.quarantined()} == set(counts["quarantined"])


def test_what_is_mislabelled_is_told_with_claims_and_findings(pinakes: Pinakes) -> None:
    report = pinakes.mislabelled()
    items = list(report.items)
    assert report.total == pinakes.search("is:mislabelled").total == len({item["id"] for item in items})
    vellum = next(item for item in items if item["name"] == "Vellum")
    assert {"claim": "SD 1.5", "source": "sidecar:civitai.info", "found": "sdxl"} in vellum["conflicts"]
    assert vellum["evidence"] and vellum["confidence"] > 0.9
    assert not list(pinakes.mislabelled("type:upscaler").items)
    assert not list(pinakes.mislabelled(offset=report.total).items)
    with pytest.raises(QueryError):
        pinakes.mislabelled("colour:red")


def test_a_shown_model_tells_its_training(pinakes: Pinakes) -> None:
    details = pinakes.show(pinakes.find("Sir Brambleton").id)
    assert details is not None
    assert details.to_json()["training"]["steps"] == 2000


def test_thumbnails_are_ours(pinakes: Pinakes) -> None:
    preview = pinakes.search("teapot").hits[0].document.preview_id
    assert preview is not None
    path = pinakes.thumbnail(preview)
    assert path is not None and path.read_bytes()[8:12] == b"WEBP"
    assert pinakes.thumbnail(10**9) is None


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda p: p.search("x", sort="magic"), "sort"),
        (lambda p: p.search("x", limit=0), "limit"),
        (lambda p: p.search("x", limit=10**6), "limit"),
        (lambda p: p.search("x", offset=-1), "offset"),
        (lambda p: p.search("x", base="sdxxl"), "architecture"),
        (lambda p: p.similar("no such model at all zzz"), "unknown_model"),
        (lambda p: p.similar("teapot", by="smell"), "by"),
        (lambda p: p.similar(b"this is no picture"), "image"),
        (lambda p: p.similar(Path("/no/such/picture.png")), "image"),
    ],
)
def test_wrong_arguments_are_told(pinakes: Pinakes, call: Callable[[Pinakes], Answer], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        call(pinakes)
    assert caught.value.code == code


def test_wrong_queries_get_a_caret(pinakes: Pinakes) -> None:
    with pytest.raises(QueryError, match=r"\^"):
        pinakes.search("colour:red")


def test_an_empty_library_answers_emptily(settings: Settings) -> None:
    with Pinakes(settings) as opened:
        assert opened.search("anything").total == 0
        with pytest.raises(UsageError, match="pinakes index FOLDER"):
            opened.similar(Path(__file__))
