"""Find what drivers earned in a week, and how long and how empty they drove, without reading all.

Revision: find_a_weeks_earnings
Follows: state_each_ticks_gap
"""

import sqlalchemy as sa
from alembic import op

revision = "find_a_weeks_earnings"
down_revision = "state_each_ticks_gap"
branch_labels = None
depends_on = None

# Name, table, by which time, what is read besides, and of which rows.
INDEXES = (
    ("ride_completed", "ride", "ended_at", ["driver_id", "quote_id"], "state = 'completed'"),
    ("offer_accepted", "offer", "decided_at", ["driver_id", "pickup_m"], "state = 'accepted'"),
    ("shift_ended", "shift", "ended_at", ["driver_id", "started_at"], "ended_at is not null"),
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    with op.get_context().autocommit_block():
        for name, table, column, besides, which in INDEXES:
            # What an upgrade that was cut short here left behind would be of no use.
            op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
            op.create_index(
                name,
                table,
                [column],
                postgresql_include=besides,
                postgresql_where=sa.text(which),
                postgresql_concurrently=True,
            )


def downgrade() -> None:
    for name, table, *_ in INDEXES:
        op.drop_index(name, table)
