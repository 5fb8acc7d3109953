"""Crawling the fake Hub into a catalog: once each, resumable, and with headers the files speak for themselves."""

import itertools
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from indexer.catalog.database import open_catalog
from indexer.catalog.fits import FitRow, fit_rows
from indexer.catalog.schema import HubFileRow, RefusedItem
from indexer.crawl_huggingface import crawl_huggingface, huggingface_question
from indexer.errors import UsageError
from indexer.hub_run import HubRun
from indexer.progress import Silent
from indexer.settings import Settings
from search.plan_scope import target_of
from search.plan_verdicts import stored_verdicts
from tests.command import pinakes
from tests.hub_server import Reply, Request, json_reply
from tests.hubs.crawling import QUICK, contents, documents, looking, quick
from tests.hubs.fake_huggingface import LORA_CARD, FakeHuggingFace, Repo, repo
from tests.hubs.remote_files import lora_bytes
from tests.parsers.headers import one

TOKEN = SecretStr("hf_secretsecret")


def crawl(hub: FakeHuggingFace, settings: Settings, **how: Any) -> HubRun:
    question = how.pop("question", {})
    near = quick(settings, allow_hosts=hub.storage.netloc)
    return crawl_huggingface(question, near, Silent(), base_url=hub.url, limits=QUICK, **how)


def verdicts(settings: Settings) -> dict[str, Any]:
    with looking(settings) as session:
        rows = session.scalars(select(HubFileRow)).all()
        return {row.key: (row.detail or {}).get("verdict") for row in rows}


def profiles(settings: Settings) -> dict[str, FitRow]:
    """What is kept for fitting, by version."""
    with looking(settings) as session:
        named = {row.version_id: row.key for row in session.scalars(select(HubFileRow))}
        return {named[id_]: row for id_, (row,) in fit_rows(session, named).items()}


def numbered(count: int) -> list[Repo]:
    return [repo(f"ann/ink{n}", card=LORA_CARD if n % 2 else None) for n in range(count)]


def test_all_repositories_arrive_once(both: Settings) -> None:
    with FakeHuggingFace(*numbered(45)) as hub:
        run = crawl(hub, both)
        assert (run.crawl.state, run.crawl.taken.models, run.crawl.pages) == ("done", 45, 3)
        found = contents(both)
        assert found["models"] == sorted(f"huggingface:ann/ink{n}" for n in range(45))
        before = documents(both)
        (ink,) = [document for document in before if document.name == "ink1"]
        assert (ink.architecture, ink.kind, ink.trigger_words[:1]) == ("flux1-dev", "lora", ("TOK",))
        assert crawl(hub, both).crawl.state == "done"
        assert (contents(both), documents(both)) == (found, before)


def test_a_question_reaches_the_hub() -> None:
    asked = huggingface_question(query="ink", author="ann", tags=("lora", "diffusers"), sort="likes")
    assert asked == {"search": "ink", "author": "ann", "filter": ["lora", "diffusers"], "sort": "likes"}
    with pytest.raises(UsageError, match="trending"):
        huggingface_question(sort="beauty")


def test_author_tags_and_limit_narrow(settings: Settings) -> None:
    with FakeHuggingFace(*numbered(9), repo("bob/oil", tags=["lora"])) as hub:
        assert crawl(hub, settings, question={"author": "bob", "filter": ["lora"]}).crawl.taken.models == 1
        assert crawl(hub, settings, limit=4).crawl.taken.models == 4


def test_other_fields_cost_no_request_of_their_own(settings: Settings) -> None:
    text = repo("big/words", pipeline_tag="text-generation", library_name="transformers", tags=["llama"])
    with FakeHuggingFace(repo(), text) as hub:
        run = crawl(hub, settings)
        assert (run.crawl.taken.models, run.crawl.taken.refused) == (1, 1)
        assert hub.asked() == ["/api/models", "/api/models/ann/ink"]
    with looking(settings) as session:
        row = session.scalars(select(RefusedItem)).one()
        assert (row.source, row.key, row.code) == ("huggingface", "big/words", "other_field")


def test_with_headers_the_tensors_decide_and_the_token_stays_here(both: Settings) -> None:
    files = {"ink.safetensors": lora_bytes(), "broken.safetensors": b"\x00" * 100}
    mine = both.model_copy(update={"huggingface_token": TOKEN})
    with FakeHuggingFace(repo(files=files)) as hub:
        assert crawl(hub, mine).crawl.state == "done"
        assert {d.architecture for d in documents(both)} == {"flux1-dev"}
        assert crawl(hub, mine, headers=True, afresh=True).crawl.state == "done"
        found = {d.version: d for d in documents(both)}
        assert (found["ink"].architecture, found["ink"].kind, found["ink"].rank) == ("sdxl", "lora", 4)
        assert found["broken"].architecture == "flux1-dev"
        assert verdicts(both)["broken.safetensors"]["reason"]["code"] == "not_a_model:zero"
        assert all(
            request.headers["authorization"] == f"Bearer {TOKEN.get_secret_value()}"
            for request in hub.requests
        )
        asked = len(hub.storage.requests)
        assert asked and not any("authorization" in request.headers for request in hub.storage.requests)
        # What is known of the same content is neither asked for nor forgotten.
        kept = verdicts(both)
        assert crawl(hub, mine, headers=True).crawl.state == "done"
        assert crawl(hub, mine).crawl.state == "done"
        assert (len(hub.storage.requests), verdicts(both)) == (asked, kept)
        hub.repos["ann/ink"].files["ink.safetensors"] = lora_bytes(8)
        assert crawl(hub, mine).crawl.state == "done"
        assert verdicts(both)["ink.safetensors"] is None


def test_what_headers_told_is_kept_for_fitting(both: Settings) -> None:
    """Files that are nowhere but at a hub are compared by their tensors, and listed once for all alike."""
    files = {"ink.safetensors": lora_bytes(), "broken.safetensors": b"\x00" * 100}
    with FakeHuggingFace(
        repo(files=files), repo("ann/twin", files={"twin.safetensors": lora_bytes()})
    ) as hub:
        assert crawl(hub, both).crawl.state == "done"
        assert profiles(both) == {}
        assert crawl(hub, both, headers=True, afresh=True).crawl.state == "done"
        found = profiles(both)
        assert found.keys() == {"ink.safetensors", "twin.safetensors"}
        row = found["ink.safetensors"]
        assert (row.file_id, row.path, row.data) == (None, None, found["twin.safetensors"].data)
        assert not any("fit" in (verdict or {}) for verdict in verdicts(both).values())
        with closing(open_catalog(both)) as catalog:
            shown = {d.id: d for d in documents(both) if d.id == row.version_id}
            verdict = stored_verdicts(catalog)(shown, target_of("sdxl"))[row.version_id]
            other = stored_verdicts(catalog)(shown, target_of("sd1"))[row.version_id]
        assert (verdict.verdict, other.verdict) == ("compatible", "incompatible")
        assert crawl(hub, both).crawl.state == "done"
        assert profiles(both) == found
        hub.repos["ann/ink"].files["ink.safetensors"] = lora_bytes(8)
        assert crawl(hub, both).crawl.state == "done"
        assert profiles(both).keys() == {"twin.safetensors"}


def test_gated_files_are_known_and_not_read(settings: Settings) -> None:
    with FakeHuggingFace(repo(gated="auto", card=LORA_CARD)) as hub:
        run = crawl(hub, settings, headers=True)
        assert (run.crawl.state, run.crawl.taken.models) == ("done", 1)
        assert verdicts(settings)["ink.safetensors"]["reason"]["code"] == "auth"
        assert hub.paths().count("/ann/ink/resolve/main/ink.safetensors") == 1


def test_a_repository_that_vanishes_meanwhile_keeps_what_the_listing_said(settings: Settings) -> None:
    with FakeHuggingFace(repo(), repo("ann/oil")) as hub:
        hub.route("/api/models/ann/ink", Reply(404))
        assert crawl(hub, settings).crawl.taken.models == 2


def test_a_next_page_on_another_host_is_not_asked(settings: Settings) -> None:
    with FakeHuggingFace(*numbered(25)) as hub:
        hub.next_base = hub.storage.url
        run = crawl(hub, settings)
        assert (run.crawl.state, run.crawl.code, run.crawl.taken.models) == ("failed", "refused_address", 0)
        assert not hub.storage.requests


@pytest.mark.parametrize(
    "reply",
    [Reply(200, b'{"error": "x"}'), Reply(200, b"[]", {"Link": '<?x=1>; rel="next"'})],
)
def test_odd_listings_are_told(settings: Settings, reply: Reply) -> None:
    with FakeHuggingFace() as hub:
        hub.route("/api/models", reply)
        run = crawl(hub, settings)
        assert (run.crawl.state, run.crawl.code) == ("failed", "bad_answer")


def test_limits_by_ratelimit_cost_time_and_no_data(settings: Settings) -> None:
    busy = Reply(429, headers={"RateLimit": '"api";r=0;t=0'})
    with FakeHuggingFace(*numbered(3)) as hub:
        handler = hub._listing
        turns = iter((busy, busy))
        hub.route("/api/models", lambda request: next(turns, None) or handler(request))
        assert crawl(hub, settings).crawl.taken.models == 3


def test_a_sharded_model_is_judged_whole(settings: Settings) -> None:
    data = lora_bytes()
    names = [f"transformer/diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    index = {"weight_map": dict.fromkeys(header, Path(names[0]).name) | {"gone": Path(names[1]).name}}
    files = {names[0]: data, names[1]: one(), "model_index.json": b"{}"}
    files["transformer/diffusion_pytorch_model.safetensors.index.json"] = json.dumps(index).encode()
    with FakeHuggingFace(repo(files=files, tags=[])) as hub:
        assert crawl(hub, settings, headers=True).crawl.taken.versions == 1
        verdict = verdicts(settings)[names[0]]
        assert (verdict["architecture"], len(hub.storage.requests)) == ("sdxl", 2)


def test_a_repository_past_all_size_costs_its_details_alone(settings: Settings) -> None:
    huge = Reply(200, itertools.repeat(b" " * 65_536, 300))
    with FakeHuggingFace(repo(), repo("ann/oil")) as hub:
        listing = hub._listing

        def heavy(request: Request) -> Reply:
            return huge if request.param("full") else listing(request)

        hub.route("/api/models", heavy)
        hub.route("/api/models/ann/oil", lambda request: Reply(200, itertools.repeat(b" " * 65_536, 300)))
        run = crawl(hub, settings)
        assert (run.crawl.state, run.crawl.taken.models) == ("done", 2)


def test_a_token_that_is_refused_is_told_with_what_to_do(settings: Settings) -> None:
    with FakeHuggingFace() as hub:
        hub.route("/api/models", Reply(401))
        run = crawl(hub, settings)
        assert (run.crawl.state, run.crawl.code) == ("failed", "auth") and "HF_TOKEN" in (
            run.crawl.detail or ""
        )


def test_the_command(settings: Settings) -> None:
    with FakeHuggingFace(*numbered(3)) as hub:
        where = ("--base-url", hub.url, "--home", str(settings.home), "--json")
        run = pinakes("crawl", "huggingface", "--query", "ink", "--tag", "lora", "--limit", "2", *where)
        assert run.returncode == 0, run.stderr
        told = json.loads(run.stdout)
        assert (told["source"], told["state"], told["models"]) == ("huggingface", "done", 2)
        assert hub.requests[0].param("search") == "ink" and hub.requests[0].query["filter"] == ["lora"]
        hub.route("/api/models", Reply(403))
        run = pinakes("crawl", "huggingface", *where)
        assert run.returncode == 2 and "HF_TOKEN" in run.stderr


def test_without_siblings_the_tree_is_read(settings: Settings) -> None:
    files = {"ink.safetensors": b"x"} | {f"images/{n}.png": b"" for n in range(2500)}
    item = repo(files=files)
    with FakeHuggingFace(item) as hub:
        hub.route("/api/models/ann/ink", lambda request: json_reply({**item.whole(), "siblings": None}))
        assert crawl(hub, settings).crawl.taken.versions == 1
        assert len(hub.asked("/api/models/ann/ink/tree")) == 3
