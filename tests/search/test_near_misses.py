"""Why an answer is empty, over a small library of a hub."""

import json
import uuid
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from indexer.importing import import_dumps
from indexer.progress import Silent
from indexer.settings import Settings
from search.service import Pinakes
from tests.meilisearch import Running
from tests.parsers.civitai_items import item, version


@pytest.fixture(
    scope="module", params=["tantivy", pytest.param("meilisearch", marks=pytest.mark.meilisearch)]
)
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pinakes]:
    folder = tmp_path_factory.mktemp("hub")
    items = [
        item(1, name="Ink Wash", tags=["watercolor"], creator={"username": "Norvell"}, modelVersions=[version(10)]),
        item(2, name="Inked Line", tags=["pixel art"], creator={"username": "Norvel2"}, modelVersions=[version(20)]),
        item(3, name="Somebody", tags=["ink wells"], poi=True, modelVersions=[version(30)]),
    ]  # fmt: skip
    dump = folder / "dump.jsonl"
    dump.write_text("".join(json.dumps(each) + "\n" for each in items))
    settings = Settings(home=folder / "home", decode_workers=1)
    if request.param == "meilisearch":
        server: Running = request.getfixturevalue("meilisearch_server")
        place = {"meilisearch_url": server.url, "meilisearch_key": SecretStr(server.key)}
        settings = settings.model_copy(update=place | {"meilisearch_index": f"test-{uuid.uuid4().hex}"})
    import_dumps([dump], settings, Silent())
    with Pinakes(settings) as pinakes:
        yield pinakes


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("type:vae", ("Nothing here matches type:vae.",)),
        ("ink type:vae", ("Nothing here matches type:vae.", "Without type:vae: 2 matches.")),
        ("zzzz type:lora", ("Without the words: 2 matches.",)),
        ("zzzz", ()),
        ("creator:norvelk", ("Nothing here matches creator:norvelk. Did you mean Norvell or Norvel2?",)),
        ('tag:"water color" ink', ('Nothing here matches tag:"water color". Did you mean watercolor?', 'Without tag:"water color": 2 matches.')),
        ("tag:watercolor -type:lora", ("Nothing here matches -type:lora.", "Without -type:lora: 1 match.")),
        ("tag:watercolor creator:norvel2", ("Without tag:watercolor: 1 match.", "Without creator:norvel2: 1 match.")),
        ("(type:vae OR rank:>900)", ("Nothing here matches (type:vae OR rank:>900).",)),
        ("https://civitai.com/models/99", ("Nothing here matches source:civitai:99.",)),
        ("type:vae rating:>1 downloads:>1 size:>1KB has:hash", ()),
    ],
)  # fmt: skip
def test_an_empty_answer_says_why(library: Pinakes, query: str, told: tuple[str, ...]) -> None:
    answer = library.search(query)
    assert answer.total == 0
    assert answer.notes == told


def test_hidden_entries_lend_no_values_and_explain_themselves(library: Pinakes) -> None:
    assert library.search('tag:"ink well"').notes == ('Nothing here matches tag:"ink well".',)
    assert "Did you mean ink wells?" in library.search('tag:"ink well" is:real_person').notes[0]
    hidden = library.search('tag:"ink wells"')
    assert (hidden.total, hidden.hidden, hidden.notes) == (0, 1, ())


def test_answers_with_hits_and_unfinished_words_are_told_nothing(library: Pinakes) -> None:
    assert library.search("ink type:lora").notes == ()
    assert library.search("ink type:vae", typing=True).notes == ()
