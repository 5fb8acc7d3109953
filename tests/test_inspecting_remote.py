"""``pinakes inspect`` of addresses, as a real process and against real sockets."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from indexer.inspecting_remote import inspect_targets
from indexer.settings import Settings
from indexer.sources.http_errors import HubError
from tests.command import pinakes
from tests.hub_server import HubServer, Reply, file_reply
from tests.hubs.fake_huggingface import LORA_CARD, FakeHuggingFace, repo
from tests.hubs.remote_files import lora_bytes
from tests.models import write_safetensors

LORA = lora_bytes()
FIELDS = ("path", "size", "container", "status", "kind", "architecture", "confidence", "evidence", "claims")


def rows(run: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_a_page_of_the_hub_means_its_file() -> None:
    with FakeHuggingFace(repo(files={"ink.safetensors": LORA})) as hub:
        settings = Settings(huggingface_url=hub.url, allow_hosts=hub.storage.netloc)
        (told,) = inspect_targets([f"{hub.url}/ann/ink/blob/main/ink.safetensors"], settings)
        assert set(FIELDS) <= told.keys()
        assert (told["kind"], told["architecture"], told["size"]) == ("lora", "sdxl", len(LORA))
        assert told["path"] == f"{hub.url}/ann/ink/resolve/main/ink.safetensors"
        assert hub.paths() == ["/ann/ink/resolve/main/ink.safetensors"]


def test_the_page_of_a_repository_means_its_models() -> None:
    files = {"ink.safetensors": LORA, "small.bin": b"<html>", "samples/x.png": b""}
    with FakeHuggingFace(repo(files=files, card=LORA_CARD)) as hub:
        settings = Settings(huggingface_url=hub.url, allow_hosts=hub.storage.netloc)
        first, second = inspect_targets([f"{hub.url}/ann/ink/tree/main"], settings)
        assert (first["architecture"], first["trigger_words"]) == ("sdxl", ["TOK", "ink wash"])
        assert first["conflicts"] and first["path"].endswith("/ann/ink/resolve/main/ink.safetensors")
        assert second["reason"]["code"] == "not_a_model:html"
        (gone,) = inspect_targets([f"{hub.url}/ann/none"], settings)
        assert gone["reason"]["code"] == "not_found"


def test_a_key_in_a_link_becomes_a_header_and_is_told_to_nobody_else() -> None:
    with HubServer() as hub, HubServer("127.0.0.2") as storage:
        hub.route("/api/download/models/7", Reply(302, headers={"Location": storage.url + "/x?signature=1"}))
        storage.route("/x", lambda request: file_reply(request, LORA, '"1"'))
        settings = Settings(civitai_url=hub.url, allow_hosts=f" {storage.netloc} ,")
        (told,) = inspect_targets([f"{hub.url}/api/download/models/7?type=Model&token=s3cretkey"], settings)
        assert told["architecture"] == "sdxl" and told["path"].endswith("/7?type=Model")
        assert hub.requests[0].headers["authorization"] == "Bearer s3cretkey"
        assert "s3cret" not in hub.requests[0].target + json.dumps(told)
        assert "authorization" not in storage.requests[0].headers


def test_what_cannot_be_reached_is_a_row_and_then_an_error(tmp_path: Path) -> None:
    local = write_safetensors(tmp_path / "mine.safetensors")
    with HubServer() as hub:
        hub.route("/gated", Reply(403, b"<html>"))
        hub.route("/good", lambda request: file_reply(request, LORA, '"1"'))
        names = ("gated", "none", "good")
        told: list[dict[str, Any]] = []
        targets = [*(f"{hub.url}/{name}" for name in names), str(local)]
        with pytest.raises(HubError) as caught:
            for row in inspect_targets(targets, Settings(allow_hosts=hub.netloc)):
                told.append(row)
        assert [row["reason"] and row["reason"]["code"] for row in told] == ["auth", "not_found", None, None]
        assert caught.value.code == "auth"


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/m", "http://[::1]/m", "https://10.0.0.1/m", "http://a:b@h.example/m", "http://"],
)
def test_the_own_network_is_refused(url: str) -> None:
    told = inspect_targets([url], Settings())
    row = next(told)
    assert (row["status"], row["reason"]["code"]) == ("quarantined", "refused_address")
    with pytest.raises(HubError):
        next(told)


def test_the_command(tmp_path: Path) -> None:
    with HubServer() as hub:
        hub.route("/ink.safetensors", lambda request: file_reply(request, LORA, '"1"'))
        url = f"{hub.url}/ink.safetensors"
        run = pinakes("inspect", url, "--json", PINAKES_ALLOW_HOSTS=hub.netloc)
        assert (run.returncode, rows(run)[0]["architecture"]) == (0, "sdxl"), run.stderr
        page = pinakes("inspect", url, PINAKES_ALLOW_HOSTS=hub.netloc)
        assert page.returncode == 0 and "ink.safetensors" in page.stdout
        refused = pinakes("inspect", url, "--json")
        assert refused.returncode == 2 and "not on the public Internet" in refused.stderr
        assert rows(refused)[0]["reason"]["code"] == "refused_address"
        hashes = pinakes("inspect", url, "--hashes", PINAKES_ALLOW_HOSTS=hub.netloc)
        assert hashes.returncode == 2 and "whole file" in hashes.stderr


HEAVY = ("httpx", "torch", "faiss", "sqlalchemy", "numpy")


def test_a_path_loads_nothing_of_the_network(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.safetensors")
    code = (
        "import atexit, sys; from search.cli import main;"
        f"atexit.register(lambda: print('HEAVY', sorted(set(sys.modules) & set({HEAVY!r}))));"
        f"sys.argv = ['pinakes', 'inspect', {str(path)!r}]; main()"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.rstrip().endswith("HEAVY []")
