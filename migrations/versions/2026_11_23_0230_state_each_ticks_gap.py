"""Say with each tick what it proved, whom it held and how much fairness weighed.

Revision: state_each_ticks_gap
Follows: find_scheduled_rides
"""

import sqlalchemy as sa
from alembic import op

revision = "state_each_ticks_gap"
down_revision = "find_scheduled_rides"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    for name in ("soon_free", "held", "fairness_weight_s"):
        # Of the ticks before nobody was soon free, held or weighed: 0 is what was.
        op.add_column(
            "dispatch_tick", sa.Column(name, sa.Integer(), server_default="0", nullable=False)
        )
    op.add_column("dispatch_tick", sa.Column("gap", sa.Float(), nullable=True))


def downgrade() -> None:
    for name in ("gap", "fairness_weight_s", "held", "soon_free"):
        op.drop_column("dispatch_tick", name)
