"""Enact what was voted: the only way to a new policy.

Revision: enact_what_was_voted
Follows: lend_voices
"""

import sqlalchemy as sa
from alembic import op

revision = "enact_what_was_voted"
down_revision = "lend_voices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    op.create_table(
        "demo_clock",
        sa.Column("one", sa.Boolean(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("anchor_s", sa.Float(), nullable=False),
        sa.Column("speed", sa.Float(), nullable=False),
        sa.CheckConstraint("one", name="one_demo_clock_per_database"),
        sa.CheckConstraint("speed > 0", name="demo_time_passes"),
        sa.PrimaryKeyConstraint("one"),
    )
    op.execute("grant select on demo_clock to meent_app")


def downgrade() -> None:
    op.drop_table("demo_clock")
