"""Items of Civitai's API as records: every shape, every fault, nothing lost."""

import json
import lzma
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.claims import CLAIM_NAMES
from indexer.domain.hubs import HubModel, HubVersion, Refused, Statistics
from indexer.parsers.civitai import parse_item
from tests.parsers.civitai_items import item, old_item, version

SHARED = Path(__file__).resolve().parents[2] / "../shared/data/civitai"


def read(value: Any, *, nameless: bool = False) -> HubModel:
    found = parse_item(value, nameless=nameless)
    assert isinstance(found, HubModel)
    return found


def claims(holder: HubModel | HubVersion) -> dict[str, Any]:
    return {claim.name: claim.value for claim in holder.claims.claims}


def test_a_present_item() -> None:
    model = read(item())
    assert (model.key, model.creator, model.gone, model.warnings) == ("civitai:3", "ann", None, ())
    assert claims(model) == {
        "name": "Ink Wash",
        "kind": "lora",
        "creator": "ann",
        "tags": ["ink", "style"],
        "description": "<p>Washes of ink.</p>",
        "nsfw_level": 1,
        "real_person": False,
        "minor": False,
        "civitai_model_id": 3,
        "thumbs_up": 11,
        "comments": 2,
        "tips": 30,
        "permissions": {
            "credit": False, "derivatives": True, "share_alike": True, "commercial": ["Image", "RentCivit"],
        },
    }  # fmt: skip
    assert model.statistics == Statistics(downloads=120, thumbs_up=11, comments=2, tips=30)
    assert model.claims.unparsed == {"stats": {"odd": 1}}
    (release,) = model.versions
    assert release.key == "civitai:3@7"
    assert claims(release)["trigger_words"] == ["inkwash", "tea, pot"]
    assert claims(release)["published_at"] == "2026-03-01T10:00:00Z"


def test_files_and_images() -> None:
    (release,) = read(item()).versions
    (file,) = release.files
    assert (file.key, file.size, file.format, file.precision, file.primary) == (
        "70", 1_049_088, "SafeTensor", "fp16", True,
    )  # fmt: skip
    assert file.hashes == {
        "sha256": "ab" * 32, "autov2": "ababababab", "autov3": "cd" * 6, "crc32": "0d4a1185",
    }  # fmt: skip
    assert file.detail == {
        "metadata": {"format": "SafeTensor", "fp": "fp16", "size": "pruned"}, "virusScanResult": "Success",
    }  # fmt: skip
    (image,) = release.images
    assert (image.media, image.width, image.nsfw_level, image.blurhash) == ("image", 832, 1, "U6D[wt4p")
    assert image.meta == {"nsfwLevel": 1, "meta": {"prompt": "a teapot", "seed": 5}}


def test_the_shape_of_2023() -> None:
    model = read(old_item())
    assert model.statistics == Statistics(downloads=12, rating=4.67, rating_count=3, favourites=4, comments=1)
    assert claims(model)["permissions"]["commercial"] == ["Image", "Rent", "RentCivit", "Sell"]
    assert claims(model.versions[0])["early_access_until"] == "2026-03-04T10:00:00Z"


@pytest.mark.parametrize(
    ("spelled", "uses"),
    [("None", []), ("{}", []), ("{Image,Sell}", ["Image", "Sell"]), (["Rent"], ["Rent"]),
     ("Image", ["Image"]), ("Rent", ["Image", "Rent", "RentCivit"]),
     ("Sell", ["Image", "Rent", "RentCivit", "Sell"])],
)  # fmt: skip
def test_commercial_uses_in_all_spellings(spelled: Any, uses: list[str]) -> None:
    assert claims(read(item(allowCommercialUse=spelled)))["permissions"]["commercial"] == uses


@pytest.mark.parametrize(
    ("more", "gone"),
    [({"mode": "Archived"}, "archived"), ({"mode": "TakenDown"}, "taken_down"), ({"status": "Deleted"}, "deleted"),
     ({"mode": None, "status": "Published"}, None)],
)  # fmt: skip
def test_hidden_models_are_marked(more: dict[str, Any], gone: str | None) -> None:
    assert read(item(**more)).gone == gone


@pytest.mark.parametrize(
    "bad", [None, 5, "x", [], {}, {"id": 0}, {"id": -1}, {"id": "3"}, {"id": 2**63}, {"id": True}]
)
def test_items_without_an_id_are_refused_with_a_reason(bad: Any) -> None:
    found = parse_item(bad)
    assert isinstance(found, Refused)
    assert (found.code, bool(found.detail), found.raw) == ("item", True, bad)


def test_lists_may_lack_ids() -> None:
    one = read({"name": "VAE", "type": "Vae", "modelVersions": [{"files": [{"name": "a"}]}]}, nameless=True)
    two = read({"name": "VAE", "type": "Vae", "modelVersions": [{"files": [{"name": "b"}]}]}, nameless=True)
    assert one.source == "list"
    assert one.key != two.key
    assert one.versions[0].files[0].name == "a"


@pytest.mark.parametrize(
    "change",
    [
        {"name": {"a": 1}}, {"tags": "ink"}, {"tags": [1, "ink"]}, {"stats": {"downloadCount": "many"}}, {"nsfwLevel": "x?"},
        {"modelVersions": [version(files="none")]}, {"modelVersions": [version(files=[5, {"name": None}])]},
        {"modelVersions": [version(images=[{"url": "javascript:1"}])]}, {"modelVersions": [version(id="x"), version(8)]},
        {"modelVersions": [version(files=[{"name": "a", "hashes": {"SHA256": "zz"}, "sizeKB": -1}])]},
        {"allowCommercialUse": 5}, {"allowNoCredit": "yes"},
    ],
)  # fmt: skip
def test_a_bad_field_leaves_the_others(change: dict[str, Any]) -> None:
    model = read(item(**change))
    told = [*model.warnings, *(w for v in model.versions for w in v.claims.warnings)]
    assert told or change.get("tags") == "ink"
    assert model.key == "civitai:3"
    assert claims(model)["civitai_model_id"] == 3


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(item()) + list(version())), inner)
    ),
    max_leaves=15,
)


@given(JSON, st.booleans())
def test_nothing_raises(value: Any, nameless: bool) -> None:
    found = parse_item(value, nameless=nameless)
    if isinstance(found, HubModel):
        said = [*found.claims.claims, *(c for v in found.versions for c in v.claims.claims)]
        assert all(claim.name in CLAIM_NAMES and claim.value is not None for claim in said)


@pytest.mark.shared
@pytest.mark.no_cover
@pytest.mark.skipif(not SHARED.exists(), reason="development cases are not here")
@pytest.mark.parametrize(("name", "number"), [("models", 7429), ("lists", 1928)])
def test_every_real_item_is_read(name: str, number: int) -> None:
    keys: Counter[str] = Counter()
    with lzma.open(SHARED / f"{name}.jsonl.xz", "rt", encoding="utf-8") as lines:
        for line in lines:
            keys[read(json.loads(line), nameless=True).key] += 1
    assert keys.total() == number
    assert len(keys) == number
