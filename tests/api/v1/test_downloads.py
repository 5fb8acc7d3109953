"""Model files: given out only where a setting allows it, whole or in parts, and never any other file."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.pipeline import index_folders
from indexer.progress import Silent
from indexer.settings import Settings
from search.api.signing import signed, signed_well
from search.api.v1.downloads import byte_range
from tests.api.serving import serving
from tests.api.v1.conftest import imported
from tests.api.v1.items import model as published
from tests.api.v1.items import release
from tests.api.v1.schema import Client
from tests.models import write_safetensors


@pytest.fixture
def library(tmp_path: Path) -> tuple[Path, Settings]:
    path = write_safetensors(tmp_path / "models" / "loras" / 'ink \u2013 "wash".safetensors')
    home = Settings(home=tmp_path / "home", decode_workers=1, unstable_seconds=0)
    index_folders([tmp_path / "models"], home, Silent(), hash_all=True)
    return path, home


@pytest.fixture
def open_client(library: tuple[Path, Settings]) -> Iterator[Client]:
    with serving(library[1].model_copy(update={"serve_files": True})) as base:
        client = Client(base)
        yield client
        client.http.close()


def fetched(client: Client, url: str, headers: dict[str, str] | None = None) -> httpx.Response:
    """What is found at the end of the way to a file."""
    return client.http.get(url, headers=headers, follow_redirects=True)


def address(client: Client) -> str:
    (item,) = client.get("models", nsfw="true")["items"]
    return str(item["modelVersions"][0]["downloadUrl"])


def test_nothing_is_given_out_by_default(library: tuple[Path, Settings]) -> None:
    with serving(library[1]) as base:
        client = Client(base)
        answer = client.http.get(address(client))
        assert answer.status_code == 403 and "PINAKES_SERVE_FILES" in answer.json()["error"]
        client.http.close()


def test_a_file_comes_as_it_lies(library: tuple[Path, Settings], open_client: Client) -> None:
    content, url = library[0].read_bytes(), address(open_client)
    whole = fetched(open_client, url)
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["content-disposition"].endswith('; filename="ink _ _wash_.safetensors"')
    assert "ink%20%E2%80%93%20%22wash%22.safetensors" in whole.headers["content-disposition"]
    assert whole.headers["x-content-type-options"] == "nosniff"
    also = url.replace("/api/download/", "/api/v1/download/")
    assert fetched(open_client, also).content == content
    head = open_client.http.head(url, follow_redirects=True)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(content)))
    part = fetched(open_client, url, {"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, content[5:10])
    assert part.headers["content-range"] == f"bytes 5-9/{len(content)}"
    rest = fetched(open_client, url, {"Range": "bytes=-3", "If-Range": whole.headers["etag"]})
    assert (rest.status_code, rest.content) == (206, content[-3:])
    other = fetched(open_client, url, {"Range": "bytes=-3", "If-Range": '"other"'})
    assert (other.status_code, other.content) == (200, content)
    beyond = fetched(open_client, url, {"Range": f"bytes={len(content)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(content)}")


def test_every_file_has_an_address_of_its_own(open_client: Client) -> None:
    (item,) = open_client.get("models")["items"]
    for file in item["modelVersions"][0]["files"]:
        assert fetched(open_client, file["downloadUrl"]).status_code == 200
    assert open_client.http.get(address(open_client) + "?type=VAE").status_code == 404
    assert open_client.http.get(address(open_client) + "?fileId=1").status_code == 404


def test_the_way_to_a_file_tells_its_name(
    library: tuple[Path, Settings], open_client: Client, tmp_path: Path
) -> None:
    """civitai-downloader reads it there, and takes any answer but a redirect for a fault."""
    answer = open_client.http.get(address(open_client), follow_redirects=False)
    assert answer.status_code == 307
    (told,) = parse_qs(urlsplit(answer.headers["location"]).query)["response-content-disposition"]
    assert unquote(told.split("filename=")[1].strip('"')) == library[0].name
    assert httpx.get(answer.headers["location"], trust_env=False).content == library[0].read_bytes()
    for number in ("0", "424242", "x", "9" * 30):
        assert open_client.http.get(f"/api/download/files/{number}").status_code == 404


def test_the_way_to_a_file_needs_no_token(library: tuple[Path, Settings]) -> None:
    """Only to this file, and only for some hours: it is fetched in connections that know nothing of a key."""
    with serving(library[1].model_copy(update={"serve_files": True}), token="quill") as base:
        client = Client(base, "quill")
        way = client.http.get(address(client), follow_redirects=False).headers["location"]
        client.http.close()
        asked = dict(parse_qsl(urlsplit(way).query))
        assert "quill" not in way
        assert httpx.get(way, trust_env=False).content == library[0].read_bytes()
        path = urlsplit(way).path
        for other in (
            {**asked, "expires": "1"},
            {**asked, "expires": str(int(asked["expires"]) + 1)},
            {**asked, "signature": "0" * 64},
            {**asked, "signature": "\u00e9"},
            {},
        ):
            assert httpx.get(f"{base}{path}", params=other, trust_env=False).status_code == 401
        for elsewhere in (f"{path}1", "/api/v1/models", "/api/search", "/"):
            assert httpx.get(f"{base}{elsewhere}", params=asked, trust_env=False).status_code == 401


@given(st.integers(0, 2**40), st.text(max_size=40))
def test_a_signature_opens_one_file_for_its_hours(number: int, text: str) -> None:
    path = f"/api/download/files/{number}"
    query = signed(path, "quill", now=1_000.0)
    assert signed_well(path, query, "quill", now=2_000.0)
    assert not signed_well(path, query, "quill", now=1e9)
    assert not signed_well(path, query, "other", now=2_000.0)
    assert not signed_well(path, text, "quill", now=2_000.0)
    assert not signed_well(text, query, "quill", now=2_000.0)
    assert signed(path, None) == ""


def test_properties_that_a_file_has_not_are_not_asked_for(open_client: Client) -> None:
    """dgenerate writes all that ``metadata`` tells into the address, nulls too."""
    (item,) = open_client.get("models")["items"]
    (file,) = item["modelVersions"][0]["files"]
    for nothing in ("None", "null", "undefined"):
        asked = {name: nothing if value is None else value for name, value in file["metadata"].items()}
        answer = open_client.http.get(file["downloadUrl"], params=asked, follow_redirects=True)
        assert answer.status_code == 200


def test_what_changed_or_leads_out_is_not_given(
    library: tuple[Path, Settings], open_client: Client, tmp_path: Path
) -> None:
    path, url = library[0], address(open_client)
    secret = tmp_path / "secret.safetensors"
    path.rename(secret)
    path.symlink_to(secret)
    assert open_client.http.get(url).status_code == 403
    path.unlink()
    assert open_client.http.get(url).status_code == 404
    path.write_bytes(secret.read_bytes() + b" ")
    assert open_client.http.get(url).status_code == 404


def test_a_file_that_is_not_here_is_at_its_hub(tmp_path: Path) -> None:
    kept = release(7)
    kept["files"][1]["downloadUrl"] = "http://plain.example/x"
    settings = imported(tmp_path, [published(3, modelVersions=[kept])])
    with serving(settings) as base:
        client = Client(base)
        answer = client.http.get("/api/download/models/7", params={"token": "mine"})
        assert (answer.status_code, answer.headers["location"]) == (
            302,
            "https://civitai.com/api/download/models/7",
        )
        config = client.http.get("/api/download/models/7?type=Config&format=Other")
        assert config.status_code == 404
        client.http.close()


def test_our_file_of_a_published_version(library: tuple[Path, Settings], tmp_path: Path) -> None:
    content = library[0].read_bytes()
    told = release(7)
    told["files"][0]["hashes"] = {"SHA256": hashlib.sha256(content).hexdigest().upper()}
    imported(tmp_path, [published(3, modelVersions=[told])])
    with serving(library[1].model_copy(update={"serve_files": True})) as base:
        client = Client(base)
        found = client.get("model-versions/7")
        assert [file["name"] for file in found["files"]] == ["model-7.safetensors", "model-7.yaml"]
        assert fetched(client, found["downloadUrl"]).content == content
        assert client.get("models")["items"][0]["id"] == 3
        client.http.close()


@given(st.integers(1, 500), st.integers(0, 600), st.integers(0, 600))
def test_ranges_are_those_of_slices(size: int, low: int, high: int) -> None:
    data = bytes(n % 251 for n in range(size))
    for text, wanted in (
        (f"bytes={low}-{high}", data[low : high + 1] if low <= high else data),
        (f"bytes={low}-", data[low:]),
        (f"bytes=-{high}", data[-high:] if high else b""),
    ):
        try:
            part = byte_range(text, size)
        except ValueError:
            assert wanted == b""
            continue
        first, last = part or (0, size - 1)
        assert data[first : last + 1] == wanted


@given(st.text(max_size=30))
def test_no_range_is_a_fault_of_ours(text: str) -> None:
    try:
        part = byte_range(text, 100)
    except ValueError:
        return
    assert part is None or 0 <= part[0] <= part[1] < 100
