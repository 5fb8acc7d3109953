"""change numbers of vectors

Revision 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forwards."""
    with op.batch_alter_table("vector", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "seq",
                sa.BigInteger(),
                server_default="0",
                nullable=False,
                comment="Number of the change that stored it",
            )
        )
        batch_op.create_index(batch_op.f("ix_vector_space_id_seq"), ["space_id", "seq"], unique=False)


def downgrade() -> None:
    """Backwards."""
    with op.batch_alter_table("vector", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vector_space_id_seq"))
        batch_op.drop_column("seq")
