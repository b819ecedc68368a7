"""Hold elections: manifest, issuers, roll, tally.

Revision: hold_elections
Follows: let_members_propose
"""

from alembic import op

revision = "hold_elections"
down_revision = "let_members_propose"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")


def downgrade() -> None:
    pass
