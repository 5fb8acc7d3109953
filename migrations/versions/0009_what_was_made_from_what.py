"""what was made from what

Revision 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

from indexer.catalog import columns

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "parent",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "version_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="The child",
        ),
        sa.Column("relation", columns.CleanText(), nullable=False, comment="trained_on or merged_from"),
        sa.Column("source", columns.CleanText(), nullable=False, comment="Who says so, as in claim.source"),
        sa.Column("name", columns.CleanText(), nullable=True, comment="As it is written there"),
        sa.Column(
            "stem", columns.CleanText(), nullable=True, comment="domain.generation.model_stem of the name"
        ),
        sa.Column("hash", columns.CleanText(), nullable=True, comment="Lower-case hex, of any length"),
        sa.Column(
            "repository", columns.CleanText(), nullable=True, comment="The name, where it may be a hub's"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["version.id"], name=op.f("fk_parent_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parent")),
    )
    with op.batch_alter_table("parent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parent_hash"), ["hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_parent_repository"), ["repository"], unique=False)
        batch_op.create_index(batch_op.f("ix_parent_stem"), ["stem"], unique=False)
        batch_op.create_index(batch_op.f("ix_parent_version_id"), ["version_id"], unique=False)
    # Parents follow from the claims behind entries: a run makes them (see indexer/catalog/renewal.py).
    op.execute(
        "INSERT INTO watermark (name, seq) SELECT 'documents', 0 WHERE EXISTS (SELECT 1 FROM entry) "
        "AND NOT EXISTS (SELECT 1 FROM watermark WHERE name = 'documents')"
    )


def downgrade() -> None:
    """Backwards."""
    with op.batch_alter_table("parent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_parent_version_id"))
        batch_op.drop_index(batch_op.f("ix_parent_stem"))
        batch_op.drop_index(batch_op.f("ix_parent_repository"))
        batch_op.drop_index(batch_op.f("ix_parent_hash"))

    op.drop_table("parent")
