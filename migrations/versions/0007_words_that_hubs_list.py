"""words that hubs list

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

from indexer.catalog import columns

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BEFORE = "ok, failed or stopped"
_AFTER = "ok, failed, stopped or postponed"


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "hub_word",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", columns.CleanText(), nullable=False, comment="civitai, huggingface …"),
        sa.Column("kind", columns.CleanText(), nullable=False, comment="creator, tag or enum:NAME"),
        sa.Column("name", columns.CleanText(), nullable=False, comment="As the hub spells it"),
        sa.Column("models", sa.BigInteger(), nullable=True, comment="How many models the hub counts"),
        sa.Column("link", columns.CleanText(), nullable=True),
        sa.Column("known", sa.Boolean(), nullable=False, comment="Whether our tables have the word"),
        sa.Column("detail", columns.CleanJSON(), nullable=True, comment="All else that the hub says of it"),
        sa.Column("at", columns.UTCDateTime(timezone=True), nullable=False, comment="When it was last heard"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hub_word")),
        sa.UniqueConstraint("source", "kind", "name", name=op.f("uq_hub_word_source_kind_name")),
    )
    _say(_AFTER, _BEFORE)


def downgrade() -> None:
    """Backwards."""
    _say(_BEFORE, _AFTER)
    op.drop_table("hub_word")


def _say(comment: str, before: str) -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.alter_column("schedule", "result", comment=comment, existing_comment=before)
