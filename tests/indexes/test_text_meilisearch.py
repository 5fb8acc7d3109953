"""The Meilisearch index at a real server: bad documents, building aside, a server that is lost, slow or wrong."""

import json
import os
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from indexer.catalog.database import open_catalog
from indexer.domain.fields import FIELDS
from indexer.domain.filters import ALL, And, AnyOf, Filter, Or
from indexer.domain.records import Document
from indexer.domain.text import words
from indexer.errors import CatalogError, PinakesError, UsageError
from indexer.importing import import_dumps
from indexer.indexes.text import TextQuery
from indexer.indexes.text_meilisearch import MeilisearchIndex
from indexer.indexes.text_meilisearch_documents import coded_value, coded_word, plain_value, row_of
from indexer.indexes.text_meilisearch_filters import FilterBuilder
from indexer.indexes.text_meilisearch_settings import SEARCHED_ORDER, index_settings, is_same
from indexer.indexes.text_open import open_text_index
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.stages.publish import publish_text
from search.ranking import load_weights
from tests.meilisearch import Running, free_port, start_server
from tests.parsers.civitai_items import item
from tests.strategies import documents

meilisearch = pytest.mark.meilisearch


def fill(index: MeilisearchIndex, library: Sequence[Document]) -> None:
    with index.writing() as writer:
        writer.put(library)


def found(index: MeilisearchIndex, *terms: str) -> tuple[int, ...]:
    return index.search(TextQuery(terms), 10).ids


@meilisearch
def test_a_bad_document_loses_only_itself(meilisearch_index: MeilisearchIndex) -> None:
    library = [Document(n, n, f"ink number {n}") for n in range(1, 41)]
    library[7] = replace(library[7], id=cast(int, 1.5))
    library[23] = replace(library[23], id=2**70)
    fill(meilisearch_index, library)
    assert meilisearch_index.count() == 38
    assert [(row.id, row.code) for row in meilisearch_index.refused] == [
        (2**70, "invalid_document"),
        (1.5, "invalid_document_id"),
    ]


@meilisearch
def test_a_bad_document_put_again_well_is_taken(meilisearch_index: MeilisearchIndex) -> None:
    with meilisearch_index.writing() as writer:
        writer.put([Document(1, 1, "first"), Document(cast(int, 2.5), 2, "bad")])
        writer._send()
        writer.put([Document(1, 1, "second")])
    assert found(meilisearch_index, "second") == (1,)
    assert found(meilisearch_index, "first") == ()


@meilisearch
def test_other_settings_are_built_aside_and_swapped_in(
    meilisearch_index: MeilisearchIndex, meilisearch_server: Running
) -> None:
    fill(meilisearch_index, [Document(1, 1, "old")])
    before = meilisearch_index.generation
    server, name = meilisearch_index.server, meilisearch_index.name
    server.wait(server.patch(f"indexes/{name}/settings", {"faceting": {"maxValuesPerFacet": 7}}))

    upgraded = MeilisearchIndex(meilisearch_server.url, meilisearch_server.key, name)
    assert upgraded.generation != before
    fill(upgraded, [Document(2, 2, "new")])
    assert found(meilisearch_index, "old") == (1,)  # searched until all is in
    assert found(upgraded, "new") == ()
    generation = upgraded.generation
    upgraded.complete()
    assert found(upgraded, "new") == found(meilisearch_index, "new") == (2,)
    assert found(upgraded, "old") == ()
    again = MeilisearchIndex(meilisearch_server.url, meilisearch_server.key, name)
    assert again.generation == upgraded.generation == generation
    assert is_same(index_settings(), server.get(f"indexes/{name}/settings"))


@meilisearch
def test_an_interrupted_rebuild_goes_on(
    meilisearch_index: MeilisearchIndex, meilisearch_server: Running
) -> None:
    fill(meilisearch_index, [Document(1, 1, "old")])
    meilisearch_index.start_anew()
    fill(meilisearch_index, [Document(2, 2, "half")])
    again = MeilisearchIndex(meilisearch_server.url, meilisearch_server.key, meilisearch_index.name)
    assert again.generation == meilisearch_index.generation
    fill(again, [Document(3, 3, "other half")])
    again.complete()
    assert sorted(again.matching(ALL, 10)) == [2, 3]


@meilisearch
def test_what_a_swap_left_behind_is_not_written_again(
    meilisearch_index: MeilisearchIndex, meilisearch_server: Running
) -> None:
    server, name = meilisearch_index.server, meilisearch_index.name
    left = MeilisearchIndex(meilisearch_server.url, meilisearch_server.key, f"{name}-next")
    fill(left, [Document(9, 9, "swapped out")])  # older than the live one
    server.wait(server.post("indexes", {"uid": name, "primaryKey": "id"}))
    server.wait(server.patch(f"indexes/{name}/settings", index_settings()))
    fill(meilisearch_index, [Document(1, 1, "live")])
    meilisearch_index.complete()
    assert meilisearch_index.matching(ALL, 10) == [1]
    assert left.count() == 0


@meilisearch
def test_threads_share_an_index(meilisearch_index: MeilisearchIndex) -> None:
    fill(meilisearch_index, [Document(n, n, f"ink {n}") for n in range(50)])
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: meilisearch_index.search(TextQuery(("ink",)), 50).total, range(40)))
    assert set(answers) == {50}


@meilisearch
def test_long_texts_find_who_has_most_of_their_words(meilisearch_index: MeilisearchIndex) -> None:
    prompt = [
        "old",
        "harbour",
        "at",
        "night",
        "with",
        "lanterns",
        "fog",
        "boats",
        "ropes",
        "gulls",
        "rain",
        "stones",
        "and",
        "quiet",
        "water",
    ]
    fill(
        meilisearch_index,
        [
            Document(1, 1, "Harbour", prompts=(" ".join(prompt[:9]),)),
            Document(2, 2, "Rain", prompts=("rain and stones",)),
            *(Document(n, n, "other", prompts=("a portrait",)) for n in range(3, 30)),
        ],
    )
    answer = meilisearch_index.search(TextQuery(tuple(prompt)), 10)
    assert answer.ids == (1, 2)
    assert answer.evidence.documents == 29
    bits = dict(zip(answer.evidence.terms, f"{answer.evidence.present[0]:b}"[::-1], strict=False))
    assert bits["lanterns"] == "1"
    assert all(0 < score <= 1 for score in answer.scores)


@meilisearch
@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("atyle", 1),
        ("tyle", 1),
        ("stlye", 1),
        ("tsyle painting", 1),
        ("harbour lantern zzzzz", 2),
        ("harbor", 2),
    ],
)
def test_errors_and_unknown_words_are_forgiven(
    meilisearch_index: MeilisearchIndex, typed: str, wanted: int
) -> None:
    fill(meilisearch_index, [Document(1, 1, "painting style"), Document(2, 2, "Harbour lantern")])
    assert found(meilisearch_index, *typed.split()) == (wanted,)


@meilisearch
def test_a_lost_server_is_noticed_and_filled_again(tmp_path: Path, meilisearch_server: Running) -> None:
    settings = Settings(
        home=tmp_path / "home",
        meilisearch_url=meilisearch_server.url,
        meilisearch_key=meilisearch_server.key,
        meilisearch_index=f"test-{uuid.uuid4().hex}",
    )
    dump = tmp_path / "dump.jsonl"
    dump.write_bytes(b"\n".join(orjson.dumps(item(n)) for n in (3, 4)))
    import_dumps([dump], settings, Silent())
    index = open_text_index(settings)
    assert isinstance(index, MeilisearchIndex)
    assert index.count() == 2
    catalog = open_catalog(settings)
    assert publish_text(catalog, settings, Silent()) == 0
    index.drop()
    assert publish_text(catalog, settings, Silent()) == 2
    assert publish_text(catalog, settings, Silent(), afresh=True) == 2
    assert open_text_index(settings).count() == 2
    catalog.close()
    index.drop()


def test_a_server_that_is_away_is_a_clear_error() -> None:
    port = free_port()
    index = MeilisearchIndex(f"http://user:hunter2@127.0.0.1:{port}", "letmein")
    with pytest.raises(CatalogError) as caught:
        index.count()
    assert str(caught.value) == (
        f"Meilisearch at http://127.0.0.1:{port} cannot be reached. Start the server, or correct "
        "PINAKES_MEILISEARCH_URL; without that variable Pinakes uses its embedded index."
    )


@meilisearch
def test_a_wrong_key_is_a_clear_error(meilisearch_server: Running) -> None:
    with pytest.raises(
        CatalogError, match=r"refuses the key \(invalid_api_key\). Set MEILI_MASTER_KEY"
    ) as caught:
        MeilisearchIndex(meilisearch_server.url, "letmein").count()
    assert "letmein" not in str(caught.value)
    with pytest.raises(CatalogError, match="MEILI_MASTER_KEY"):
        MeilisearchIndex(meilisearch_server.url, None).generation  # noqa: B018


@meilisearch
def test_a_server_that_starts_late_is_waited_for(tmp_path: Path, meilisearch_server: Running) -> None:
    program = os.environ.get("MEILISEARCH_BIN")
    if program is None:
        pytest.skip("MEILISEARCH_BIN does not name the server's program")
    port = free_port()
    index = MeilisearchIndex(f"http://127.0.0.1:{port}", "k" * 16)

    def count_after(pause: float) -> int:
        time.sleep(pause)
        return index.count()

    # A busy machine starts a server later than anybody waits for; then the question comes later, too.
    for late in range(20):
        with ThreadPoolExecutor(1) as pool:
            counted = pool.submit(count_after, late / 2)
            with start_server(program, tmp_path / str(late), port, "k" * 16):
                fault = counted.exception()
        if fault is None:
            assert counted.result() == 0
            return
    raise AssertionError("the server was not waited for") from fault


_SILENT = 0
"""A status that stands for no reply in time."""


class _Replies(BaseHTTPRequestHandler):
    """Gives the replies of ``server.replies`` in turn, the last for ever."""

    def _reply(self) -> None:
        replies = cast(Any, self.server).replies
        status, body = replies.pop(0) if len(replies) > 1 else replies[0]
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if status == _SILENT:
            time.sleep(0.5)
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _reply

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def replying(*replies: tuple[int, bytes]) -> Iterator[MeilisearchIndex]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Replies) as server:
        cast(Any, server).replies = list(replies)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield MeilisearchIndex(f"http://127.0.0.1:{server.server_port}", "k")
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("body", [b"<html>hello</html>", b'"hello"', b"[]", b""])
def test_another_server_at_that_address_is_a_clear_error(body: bytes) -> None:
    with replying((200, body)) as index, pytest.raises(CatalogError, match="not answer as Meilisearch does"):
        index.count()


def test_a_passing_refusal_is_tried_again() -> None:
    with replying((503, b"{}"), (429, b"{}"), (200, b'{"results": [], "total": 5}')) as index:
        assert index.count() == 5


def test_a_task_is_waited_for_while_the_server_is_too_busy_to_tell() -> None:
    done = (200, b'{"status": "succeeded"}')
    with replying((_SILENT, b""), (200, b'{"status": "processing"}'), (_SILENT, b""), done) as index:
        index.server.timeout = 0.2
        assert index.server.wait({"taskUid": 1})["status"] == "succeeded"


def test_a_server_that_stays_silent_is_given_up() -> None:
    with replying((_SILENT, b"")) as index:
        index.server.timeout, index.server.patience = 0.1, 0.2
        with pytest.raises(CatalogError, match=r"did not answer within 0\.1 seconds"):
            index.server.wait({"taskUid": 1})


def test_an_old_server_is_a_clear_error() -> None:
    with (
        replying((200, json.dumps({"pkgVersion": "1.9.1"}).encode())) as index,
        pytest.raises(CatalogError, match=r"is version 1.9.1; Pinakes needs 1.15 or newer. Upgrade"),
    ):
        index.generation  # noqa: B018


def test_the_order_of_fields_is_that_of_their_weights() -> None:
    weights = load_weights().fields
    assert sorted(SEARCHED_ORDER, key=lambda name: -weights[name]) == list(SEARCHED_ORDER)
    assert set(SEARCHED_ORDER) == {field.weight for field in FIELDS.values() if field.weight}


@given(st.text())
def test_values_come_back_as_they_are(value: str) -> None:
    kept = coded_value(value)
    assert kept
    assert len(kept.encode("utf-8", "replace")) <= 401
    assert plain_value(kept) in (value, None)


@given(st.text(max_size=30), st.text(max_size=30))
def test_words_stay_apart(one: str, other: str) -> None:
    for a in words(one):
        for b in words(other):
            assert (coded_word(a) == coded_word(b)) == (a == b)


@hypothesis_settings(suppress_health_check=list(HealthCheck))
@given(documents())
def test_every_document_is_json(document: Document) -> None:
    assert orjson.loads(orjson.dumps(row_of(document)))["id"] == document.id


@pytest.mark.parametrize("depth", [299, 5_000])
def test_a_filter_beyond_what_the_server_reads_is_told(depth: int) -> None:
    node: Filter = AnyOf(FIELDS["type"], ("x",))
    for level in range(depth):
        other = AnyOf(FIELDS["tag"], (str(level),))
        node = Or((node, other)) if level % 2 else And((node, other))
    with pytest.raises(UsageError, match=r"nested more than (80|300) deep"):
        FilterBuilder(lambda *_: ()).build(node)


@meilisearch
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(max_size=200))
def test_nothing_typed_is_syntax(meilisearch_index: MeilisearchIndex, text: str) -> None:
    terms = tuple(words(text, glued=False))
    try:
        assert meilisearch_index.search(TextQuery(terms, (terms,) if terms else ()), 5).total == 0
    except PinakesError as error:
        pytest.fail(str(error))
