"""Keep the ballot box: ballots without names, roots, pending ballots.

Revision: keep_the_ballot_box
Follows: hold_elections
"""

from alembic import op

revision = "keep_the_ballot_box"
down_revision = "hold_elections"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")


def downgrade() -> None:
    pass
