"""the user's own layer

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

from indexer.catalog import columns

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards."""

    op.create_table(
        "pending_mark",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "digest",
            columns.CleanText(),
            nullable=False,
            comment="SHA-256 of keys and marks: none stands twice",
        ),
        sa.Column("marks", columns.CleanJSON(), nullable=False, comment="domain.marks.to_data"),
        sa.Column("at", columns.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_mark")),
        sa.UniqueConstraint("digest", name=op.f("uq_pending_mark_digest")),
    )
    op.create_table(
        "saved_search",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", columns.CleanText(), nullable=False),
        sa.Column("query", columns.CleanText(), nullable=False),
        sa.Column("sort", columns.CleanText(), nullable=False),
        sa.Column("base", columns.CleanText(), nullable=True, comment="Architecture that is used"),
        sa.Column("made_at", columns.UTCDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_search")),
        sa.UniqueConstraint("name", name=op.f("uq_saved_search_name")),
    )
    op.create_table(
        "pending_key",
        sa.Column(
            "key",
            columns.CleanText(),
            nullable=False,
            comment="civitai:VERSION, sha256:… or a key of Version",
        ),
        sa.Column("pending_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["pending_id"], ["pending_mark.id"], name=op.f("fk_pending_key_pending_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", "pending_id", name=op.f("pk_pending_key")),
    )
    with op.batch_alter_table("pending_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pending_key_pending_id"), ["pending_id"], unique=False)

    op.create_table(
        "mark",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("favourite", sa.Boolean(), nullable=True, comment="Null: nothing said"),
        sa.Column("seen", sa.Boolean(), nullable=True, comment="Null: nothing said"),
        sa.Column(
            "at", columns.UTCDateTime(timezone=True), nullable=False, comment="When anything was last noted"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["version.id"], name=op.f("fk_mark_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_mark")),
    )
    op.create_table(
        "opinion",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "purpose", columns.CleanText(), nullable=False, comment="A word of theirs; empty: in general"
        ),
        sa.Column("rating", sa.Float(), nullable=True, comment="0 to 5 in halves"),
        sa.Column("note", columns.CleanText(), nullable=False),
        sa.CheckConstraint("rating BETWEEN 0 AND 5", name=op.f("ck_opinion_rating")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["version.id"], name=op.f("fk_opinion_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("version_id", "purpose", name=op.f("pk_opinion")),
    )
    op.create_table(
        "own_tag",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tag", columns.CleanText(), nullable=False, comment="As written"),
        sa.Column("place", sa.Integer(), nullable=False, comment="Order in which they were given"),
        sa.ForeignKeyConstraint(
            ["version_id"], ["version.id"], name=op.f("fk_own_tag_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("version_id", "tag", name=op.f("pk_own_tag")),
    )
    # Entries hold more than before: a run makes them anew (see indexer/catalog/renewal.py).
    op.execute(
        "INSERT INTO watermark (name, seq) SELECT 'documents', 0 WHERE EXISTS (SELECT 1 FROM entry) "
        "AND NOT EXISTS (SELECT 1 FROM watermark WHERE name = 'documents')"
    )


def downgrade() -> None:
    """Backwards."""
    op.execute("DELETE FROM watermark WHERE name = 'documents'")

    op.drop_table("own_tag")
    op.drop_table("opinion")
    op.drop_table("mark")
    with op.batch_alter_table("pending_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pending_key_pending_id"))

    op.drop_table("pending_key")
    op.drop_table("saved_search")
    op.drop_table("pending_mark")
