"""Enact what was voted: the only way to a new policy.

Revision: enact_what_was_voted
Follows: lend_voices
"""

from alembic import op

revision = "enact_what_was_voted"
down_revision = "lend_voices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")


def downgrade() -> None:
    pass
