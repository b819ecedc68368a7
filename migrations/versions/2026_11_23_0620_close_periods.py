"""Close a period and share its surplus out.

Revision: close_periods
Follows: pay_drivers_out
"""

from alembic import op

revision = "close_periods"
down_revision = "pay_drivers_out"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")


def downgrade() -> None:
    pass
