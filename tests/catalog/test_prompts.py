"""Prompts of previews, in the order asked for."""

from pathlib import Path

from sqlalchemy import select

from indexer.catalog.database import open_catalog
from indexer.catalog.generations import store_records
from indexer.catalog.prompts import prompts_of
from indexer.catalog.schema import Preview
from indexer.domain.generation import GenerationRecord
from indexer.progress import Silent
from indexer.reading import judge
from indexer.settings import Settings
from indexer.stages.scan import scan_root
from tests.models import write_library


def test_prompts_come_in_the_order_asked_for(tmp_path: Path, settings: Settings) -> None:
    catalog = open_catalog(settings)
    scan_root(
        write_library(tmp_path / "models", 3), catalog, settings, Silent(), lambda found: judge(found, 60.0)
    )
    with catalog.write() as session:
        one, other, silent = session.scalars(select(Preview.id).order_by(Preview.id))
        records = {one: "a fox", other: "x" * 5_000}
        store_records(
            session, [(id_, GenerationRecord("a1111", prompt=prompt)) for id_, prompt in records.items()]
        )
    with catalog.read() as session:
        found = prompts_of(session, [other, silent, one])
    catalog.close()
    assert found == ["x" * 2_000, None, "a fox"]
