"""what fits what

Revision 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

from indexer.catalog import columns

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "fit_profile",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", columns.CleanText(), nullable=False, comment="SHA-256 of data"),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="domain.fit.pack"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fit_profile")),
        sa.UniqueConstraint("digest", name=op.f("uq_fit_profile_digest")),
    )
    op.create_table(
        "file_fit",
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("profile_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["file.id"], name=op.f("fk_file_fit_file_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["fit_profile.id"], name=op.f("fk_file_fit_profile_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_file_fit")),
    )
    with op.batch_alter_table("file_fit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_file_fit_profile_id"), ["profile_id"], unique=False)


def downgrade() -> None:
    """Backwards."""
    # What had a profile is judged anew when profiles are wanted again.
    op.execute("UPDATE location SET parser = 0 WHERE file_id IN (SELECT file_id FROM file_fit)")
    with op.batch_alter_table("file_fit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_file_fit_profile_id"))

    op.drop_table("file_fit")
    op.drop_table("fit_profile")
