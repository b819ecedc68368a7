"""Lend voices in open votes.

Revision: lend_voices
Follows: keep_the_ballot_box
"""

from alembic import op

revision = "lend_voices"
down_revision = "keep_the_ballot_box"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")


def downgrade() -> None:
    pass
