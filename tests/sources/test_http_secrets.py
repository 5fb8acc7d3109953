"""Three planted secrets show up nowhere: not in errors, reprs, logs or at other hosts (HR-33, HR-34, SE-04, SE-06)."""

import logging
import traceback

import pytest
from pydantic import SecretStr

from indexer.errors import PinakesError, UsageError
from indexer.sources.http import Answer, HubClient, Limits
from tests.hub_server import HubServer, Reply, json_reply
from tests.sources.http_support import Clock, client, error_of

FIRST, SECOND, SIGNED = "civ-0123456789abcdef", "hf_zyxwvutsrqponm", "X-Amz-9f8e7d6c5b4a"


def _told(work: object, *arguments: object) -> str:
    """Everything that an error shows, with its causes."""
    assert callable(work)
    try:
        return repr(work(*arguments))
    except PinakesError as error:
        return "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))


def test_planted_secrets_never_show(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    notes: list[str] = []
    with HubServer() as hub, HubServer() as storage:
        secrets = {hub.url: SecretStr(FIRST), storage.url: SecretStr(SECOND)}
        with client(hub, storage, secrets=secrets, note=notes.append, limits=Limits(retries=1)) as hubs:
            hub.route("/file", Reply(302, headers={"Location": f"{storage.url}/f?sig={SIGNED}"}))
            hub.route("/echo", Reply(302, headers={"Location": f"{storage.url}/{FIRST}"}))
            hub.route("/fine", json_reply([]))
            hub.route(f"/{SECOND[:5]}", Reply(503))
            storage.route("/f", Reply(403, f"who is {SIGNED}?".encode()))
            told = [
                _told(hubs.get_json, hub.url + "/fine"),
                _told(hubs.get_json, hub.url + "/file"),
                _told(hubs.get_range, hub.url + "/file", 0, 8),
                _told(hubs.get_json, hub.url + "/echo"),
                _told(hubs.get_json, f"{hub.url}/fine?token={FIRST}"),
                _told(hubs.get_json, f"{hub.url}/{SECOND}/x"),
                _told(hubs.get_json, f"{hub.url}/gone?sig={SIGNED}"),
                _told(hubs.get_json, f"http://me:{SIGNED}@127.0.0.1/"),
                _told(hubs.get_json, f"http://[{SIGNED}/x"),
                _told(hubs.get_json, f"http://no-such.invalid/?sig={SIGNED}"),
                repr(hubs),
            ]
        assert hub.requests[0].headers["authorization"] == f"Bearer {FIRST}"
        targets = [request.target for request in hub.requests + storage.requests]
        assert not any(FIRST in target or SECOND in target for target in targets)
        assert not any("authorization" in request.headers for request in storage.requests)
    for text in [*told, *notes, caplog.text]:
        assert not any(secret in text for secret in (FIRST, SECOND, SIGNED)), text


def test_a_token_that_no_header_can_carry_is_not_repeated() -> None:
    for token in ("line\nbreak-secret", "two words-secret", "gehe\u00edm-secret"):
        with pytest.raises(UsageError) as caught:
            HubClient(secrets={"https://civitai.com": SecretStr(token)})
        assert "civitai.com:443" in str(caught.value)
        assert "secret" not in "".join(traceback.format_exception(caught.value)).split("UsageError")[-1]


def test_tokens_are_trimmed_and_empty_ones_are_none() -> None:
    with HubServer() as hub, HubServer() as other:
        secrets = {hub.url: SecretStr(f" {FIRST}\n"), other.url: SecretStr(" ")}
        with client(hub, other, secrets=secrets) as hubs:
            for server in (hub, other):
                server.route("/a", json_reply([]))
                assert isinstance(hubs.get_json(server.url + "/a"), Answer)
        assert hub.requests[0].headers["authorization"] == f"Bearer {FIRST}"
        assert "authorization" not in other.requests[0].headers


def test_no_token_goes_in_clear_to_a_host_that_was_not_allowed() -> None:
    clock = Clock()
    with HubServer() as hub, client(clock=clock, secrets={hub.url: SecretStr(FIRST)}) as hubs:
        assert error_of(hubs.get_json, hub.url + "/a").code == "refused_address"
        assert hub.requests == []


def test_messages_are_one_line_of_plain_characters() -> None:
    with HubServer() as hub, client(hub) as hubs:
        error = error_of(hubs.get_json, hub.url + "/a%0a%1b[31m%E2%80%AEevil")
    assert str(error).isascii() and str(error).isprintable()
