"""weights of adapters

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

from indexer.catalog import columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "file_twin",
        sa.Column("file_id", _BIG_ID, nullable=False),
        sa.Column("other_id", _BIG_ID, nullable=False),
        sa.Column("cosine", sa.Float(), nullable=False, comment="Of the two sketches, -1..1"),
        sa.Column(
            "factor",
            sa.Float(),
            nullable=False,
            comment="Weight of the other, as a multiple of the file's",
        ),
        sa.CheckConstraint("file_id < other_id", name=op.f("ck_file_twin_order")),
        sa.ForeignKeyConstraint(
            ["file_id"], ["file.id"], name=op.f("fk_file_twin_file_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["file.id"], name=op.f("fk_file_twin_other_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", "other_id", name=op.f("pk_file_twin")),
    )
    op.create_index(op.f("ix_file_twin_other_id"), "file_twin", ["other_id"])
    op.create_table(
        "file_weights",
        sa.Column("file_id", _BIG_ID, nullable=False),
        sa.Column("space_id", _BIG_ID, nullable=False, comment="How it was measured"),
        sa.Column(
            "fault",
            columns.CleanText(),
            nullable=True,
            comment="nan, infinite, zero, faint or absurd; null: sound",
        ),
        sa.Column("detail", columns.CleanText(), nullable=True, comment="The fault as a sentence"),
        sa.Column("modules", sa.Integer(), nullable=False),
        sa.Column(
            "unread",
            sa.Integer(),
            nullable=False,
            comment="Modules whose factors could not be understood",
        ),
        sa.Column("norm", sa.Float(), nullable=True, comment="Frobenius norm of the whole change"),
        sa.Column(
            "length",
            sa.Float(),
            nullable=False,
            comment="Of the sketch: quotients of two are quotients of weights",
        ),
        sa.Column(
            "data",
            sa.LargeBinary(),
            nullable=True,
            comment="dimension x float16, little-endian; null: nothing to compare",
        ),
        sa.Column("compared", sa.Boolean(), nullable=False, comment="Whether its twins were looked for"),
        sa.Column("at", columns.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["file.id"], name=op.f("fk_file_weights_file_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["space_id"], ["vector_space.id"], name=op.f("fk_file_weights_space_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_file_weights")),
    )
    op.create_index(op.f("ix_file_weights_compared"), "file_weights", ["compared"])
    op.create_index(op.f("ix_file_weights_space_id"), "file_weights", ["space_id"])


def downgrade() -> None:
    """Backwards."""
    op.drop_index(op.f("ix_file_weights_space_id"), table_name="file_weights")
    op.drop_index(op.f("ix_file_weights_compared"), table_name="file_weights")
    op.drop_table("file_weights")
    op.drop_index(op.f("ix_file_twin_other_id"), table_name="file_twin")
    op.drop_table("file_twin")
