"""Alembic's environment: runs on the connection that the catalog hands over."""

from alembic import context
from sqlalchemy import Connection

from indexer.catalog.schema import Base


def run(connection: Connection) -> None:
    """Run the migrations on an open connection."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        user_module_prefix="columns.",
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
