"""what files at hubs fit

Revision 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "hub_file_fit",
        sa.Column("hub_file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("profile_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["hub_file_id"], ["hub_file.id"], name=op.f("fk_hub_file_fit_hub_file_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["fit_profile.id"], name=op.f("fk_hub_file_fit_profile_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("hub_file_id", name=op.f("pk_hub_file_fit")),
    )
    with op.batch_alter_table("hub_file_fit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hub_file_fit_profile_id"), ["profile_id"], unique=False)


def downgrade() -> None:
    """Backwards."""
    with op.batch_alter_table("hub_file_fit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hub_file_fit_profile_id"))

    op.drop_table("hub_file_fit")
