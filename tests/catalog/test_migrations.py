"""Migrations run both ways on both databases, and the tables in code are those in the database."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, func, inspect, select, update

from indexer.catalog import entries
from indexer.catalog.database import Catalog, make_engine
from indexer.catalog.migrating import downgrade_tables, upgrade_tables
from indexer.catalog.schema import Base, Entry
from indexer.progress import Silent
from indexer.settings import Settings
from indexer.stages.renewing import renew_entries
from tests.catalog.shelf import Shelf, found, judged, picture, said

OLDER = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")


def engine_of(bare: Settings) -> Engine:
    bare.home.mkdir(exist_ok=True)
    return make_engine(bare.catalog_url)


def test_up_down_and_up_again(bare: Settings) -> None:
    engine = engine_of(bare)
    upgrade_tables(engine)
    assert set(Base.metadata.tables) <= set(inspect(engine).get_table_names())
    downgrade_tables(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    upgrade_tables(engine)
    assert set(Base.metadata.tables) <= set(inspect(engine).get_table_names())
    engine.dispose()


def test_a_filled_catalog_loses_nothing(catalog: Catalog) -> None:
    shelf = Shelf(catalog)
    shelf.store(judged(found(previews=(picture("/1.png"),)), "c1", said(name="Ink", downloads=3)))
    with catalog.read() as session:
        engine = session.get_bind()
    before = contents(catalog)
    assert isinstance(engine, Engine)
    for revision in OLDER:
        downgrade_tables(engine, revision)
        upgrade_tables(engine)
        assert contents(catalog) == before, revision
    with catalog.read() as session:
        assert entries.count_entries(session) == 1


def contents(catalog: Catalog) -> dict[str, int]:
    with catalog.read() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
            if name != "watermark"  # 0006 asks for entries to be made anew
        }


def test_entries_of_an_older_catalog_are_made_anew_once(catalog: Catalog) -> None:
    shelf = Shelf(catalog)
    shelf.store(judged(found(), "c1", said(name="Ink", description="<p>Soft</p>")))
    fresh = shelf.only()
    with catalog.write() as session:
        engine = session.get_bind()
        older = {"name": "Ink", "model_id": 1, "files": [], "sources": [], "description": "<p>Soft</p>"}
        session.execute(update(Entry).values(document=older | {"id": fresh.id}))
    assert isinstance(engine, Engine)
    downgrade_tables(engine, "0005")
    upgrade_tables(engine)
    assert renew_entries(catalog, Silent()) == 1
    assert shelf.only() == fresh
    assert renew_entries(catalog, Silent()) == 0


def test_autogenerate_finds_no_difference(bare: Settings) -> None:
    engine = engine_of(bare)
    upgrade_tables(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_every_table_has_named_constraints_and_described_columns() -> None:
    for table in Base.metadata.tables.values():
        assert all(constraint.name for constraint in table.constraints), table.name
    described = [c.comment for t in Base.metadata.tables.values() for c in t.columns]
    assert sum(comment is not None for comment in described) > len(described) / 3
