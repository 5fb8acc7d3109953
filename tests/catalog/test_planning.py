"""What a plan reads of many versions at once, against reading one by one."""

from collections.abc import Iterator

import pytest

from indexer.catalog import details, entries, planning
from indexer.catalog.database import Catalog
from indexer.domain.filters import ALL
from indexer.settings import Settings
from search.service import Pinakes
from tests.catalog.shelf import Shelf, found, judged, said


@pytest.fixture(scope="module")
def pinakes(demo_home: Settings) -> Iterator[Pinakes]:
    with Pinakes(demo_home) as opened:
        yield opened


def test_batches_tell_what_single_questions_tell(pinakes: Pinakes) -> None:
    ids = pinakes.text.matching(ALL, 1_000)
    with pinakes.catalog.read() as session:
        stored, texts = planning.stored_as(session, ids), planning.header_texts(session, ids)
        documents = entries.documents(session, ids)
        pages = planning.sisters(session, {one.model_id for one in documents.values()})
        for id_, document in documents.items():
            found = details.version_details(session, id_)
            assert found is not None
            assert stored[id_][0] in {file["container"] for file in found.files}
            assert stored[id_][1] in {(file["verdict"] or {}).get("key_format") for file in found.files}
            told = details.header_metadata(session, [file["id"] for file in found.files])
            assert texts.get(id_, {}) == told
            assert id_ in pages[document.model_id]
        previews = [one.preview_id for one in documents.values() if one.preview_id is not None]
        names = planning.thumbnails(session, [*previews, 10**9])
        assert names == {id_: details.preview_thumbnail(session, id_) for id_ in previews}


def test_links_of_pages_are_read_where_the_words_alone_have_none(catalog: Catalog) -> None:
    shelf = Shelf(catalog)
    address = "https://civitai.com/models/7?modelVersionId=9&amp;x=1"
    linked = f'<p>New version <a href="{address}">here</a></p>'
    shelf.store(
        judged(found("a.safetensors"), "c1", said(name="A", description=linked)),
        judged(found("b.safetensors"), "c2", said(name="B", description="<p>no link</p>")),
    )
    documents = {document.name: document for document in shelf.documents()}
    assert "civitai" not in documents["A"].description
    with catalog.read() as session:
        texts = planning.page_texts(session, {d.id: d.model_id for d in documents.values()})
    assert texts == {documents["A"].id: [linked]}
