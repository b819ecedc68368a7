"""Make sure that every old row keeps the new rules, and find due rides without reading all.

Revision: find_scheduled_rides
Follows: schedule_rides
"""

import sqlalchemy as sa
from alembic import op

revision = "find_scheduled_rides"
down_revision = "schedule_rides"
branch_labels = None
depends_on = None

CHECKS = {
    "ride_states_are_known": "ride",
    "a_scheduled_ride_has_a_window": "ride",
    "a_window_opens_and_then_closes": "ride",
    "quotes_are_for_later": "quote",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    # A transaction of its own: riders go on booking while old rows are read.
    for name, table in CHECKS.items():
        op.execute(f"alter table {table} validate constraint {name}")
    with op.get_context().autocommit_block():
        # What an upgrade that was cut short here left behind would be of no use.
        op.drop_index("ride_scheduled", "ride", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            "ride_scheduled",
            "ride",
            ["pickup_from"],
            postgresql_where=sa.text("state = 'scheduled'"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.drop_index("ride_scheduled", "ride")
