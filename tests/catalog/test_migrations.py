"""Migrations run both ways on both databases, and the tables in code are those in the database."""

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect

from indexer.catalog.database import alembic_config, make_engine, upgrade_tables
from indexer.catalog.schema import Base
from indexer.settings import Settings


def engine_of(both: Settings) -> Engine:
    both.home.mkdir(exist_ok=True)
    return make_engine(both.catalog_url)


def migrate(engine: Engine, to: str) -> None:
    with engine.begin() as connection:
        if to == "base":
            command.downgrade(alembic_config(connection), to)
        else:
            command.upgrade(alembic_config(connection), to)


def test_up_down_and_up_again(both: Settings) -> None:
    engine = engine_of(both)
    migrate(engine, "head")
    assert set(Base.metadata.tables) <= set(inspect(engine).get_table_names())
    migrate(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    migrate(engine, "head")
    assert set(Base.metadata.tables) <= set(inspect(engine).get_table_names())
    engine.dispose()


def test_autogenerate_finds_no_difference(both: Settings) -> None:
    engine = engine_of(both)
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
