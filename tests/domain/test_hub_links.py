"""Addresses of hubs, and the ids under which an entry is known there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.hub_links import HubLink, civitai_page, read_air, read_link, source_keys


@pytest.mark.parametrize(
    ("address", "link"),
    [
        ("https://civitai.com/models/7", HubLink("civitai", "7")),
        ("http://www.civitai.com/models/7/a-name/?modelVersionId=70&x=1", HubLink("civitai", "7", "70")),
        ("https://civitai.com/models/7?modelVersionId=7x", HubLink("civitai", "7")),
        ("civitai.com/model-versions/70", HubLink("civitai", None, "70")),
        ("https://civitai.com/api/v1/models/7", HubLink("civitai", "7")),
        ("https://civitai.com/api/v1/model-versions/mini/70", HubLink("civitai", None, "70")),
        ("https://civitai.com/api/v1/model-versions/by-hash/ABCDEFAB", HubLink("civitai", hash="ABCDEFAB")),
        ("https://civitai.com/tag/ink", HubLink("civitai", tag="ink")),
        ("https://hf.co/a/b", HubLink("huggingface", "a/b")),
        ("https://huggingface.co/a/b/resolve/main/x.gguf?download=true", HubLink("huggingface", "a/b", file="x.gguf")),
        ("https://huggingface.co/api/models/a/b/tree/main/sub", HubLink("huggingface", "a/b", file="sub")),
        ("https://huggingface.co/a/b/discussions/3", HubLink("huggingface", "a/b")),
        ("https://huggingface.co/stabilityai", HubLink("huggingface", creator="stabilityai")),
        ("https://huggingface.co/datasets/a/b", None),
        ("https://huggingface.co/docs", None),
        ("https://civitai.com/images/7", None),
        ("https://civitai.com.example.org/models/7", None),
        ("ftp://civitai.com/models/7", None),
        ("https://[civitai.com/models/7", None),
        ("civitai.com", None),
        ("x" * 3000 + "/", None),
    ],
)  # fmt: skip
def test_addresses(address: str, link: HubLink | None) -> None:
    assert read_link(address) == link


@pytest.mark.parametrize(
    ("air", "link"),
    [
        ("urn:air:sdxl:checkpoint:civitai:7@70", HubLink("civitai", "7", "70")),
        ("URN:AIR:sd1:lora:civitai:7", HubLink("civitai", "7")),
        ("sd1:lora:civitai-r2:7@70+3.safetensor", HubLink("civitai", "7", "70")),
        ("urn:air:flux1:lora:huggingface:a/b", HubLink("huggingface", "a/b")),
        ("urn:air:other:other:orchestrator:x@y", None),
        ("civitai:name", None),
        ("civitai", None),
    ],
)
def test_airs(air: str, link: HubLink | None) -> None:
    assert read_air(air) == link


@pytest.mark.parametrize(
    ("model", "version", "keys"),
    [
        (7, 70, ("civitai", "civitai:7", "civitai:7@70", "civitai:@70")),
        (7, None, ("civitai", "civitai:7")),
        (None, 70, ("civitai", "civitai:@70")),
    ],
)
def test_an_entry_is_known_by_all_its_ids(
    model: int | None, version: int | None, keys: tuple[str, ...]
) -> None:
    assert source_keys("civitai", str(version or model), civitai_page(model, version)) == keys


def test_other_sources_have_a_name_and_a_part() -> None:
    assert source_keys("huggingface", "a/b@x.gguf", None) == (
        "huggingface",
        "huggingface:a/b",
        "huggingface:a/b@x.gguf",
    )
    assert source_keys("list", "12", None) == ("list", "list:12")
    assert source_keys("local", "5", None) == ("local",)


@given(
    st.text(max_size=80),
    st.sampled_from(["https://civitai.com/", "huggingface.co/", "civitai:", "urn:air:", ""]),
)
def test_no_text_breaks_it(text: str, start: str) -> None:
    for read in (read_link, read_air):
        found = read(start + text)
        assert found is None or found.hub in ("civitai", "huggingface")
