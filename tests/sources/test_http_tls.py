"""TLS is verified for the name, whatever address it is pinned to (HR-10)."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from indexer.sources.http import HubClient, Limits, Timing
from tests.hub_server import HubServer, Reply, json_reply
from tests.sources.http_support import Clock, error_of

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificates with openssl")

ONCE = Limits(connect=20, idle=20, total=60, retries=0)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of its own authority, for the name hub.test, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=hub.test"
        " -addext subjectAltName=DNS:hub.test -keyout key.pem -out cert.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def served(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


def _client(hub: HubServer, name: str, tls: ssl.SSLContext | None, timing: Timing) -> HubClient:
    return HubClient(
        allowed_hosts=[f"https://{name}:{hub.port}"],
        limits=ONCE,
        timing=timing,
        tls=tls,
        resolver=lambda *_: ["127.0.0.1"],
    )


def test_a_pinned_connection_is_verified_for_its_name(
    served: ssl.SSLContext, certificate: tuple[Path, Path]
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    with HubServer(tls=served) as hub:
        hub.route("/a", json_reply([1]))
        hub.route("/down", Reply(302, headers={"Location": f"http://hub.test:{hub.port}/a"}))
        base = f"https://hub.test:{hub.port}"
        with _client(hub, "hub.test", trusting, Clock().timing()) as hubs:
            assert hubs.get_json(base + "/a").value == [1]
            assert error_of(hubs.get_json, base + "/down").code == "redirect"
        with _client(hub, "other.test", trusting, Clock().timing()) as hubs:
            error = error_of(hubs.get_json, f"https://other.test:{hub.port}/a")
            assert (error.code, "certificate" in str(error).lower()) == ("net", True)
        with _client(hub, "hub.test", None, Clock().timing()) as hubs:
            assert error_of(hubs.get_json, base + "/a").code == "net"
        assert len(hub.requests) == 2
