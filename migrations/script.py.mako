"""${message}

Revision ${up_revision}, after ${down_revision | comma,n}.
"""

from alembic import op
import sqlalchemy as sa
from indexer.catalog import columns
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Forwards."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Backwards."""
    ${downgrades if downgrades else "pass"}
