"""Make sure that old rows keep the new rules, and let one driver have several shared rides.

Revision: find_shared_rides
Follows: share_rides
"""

import sqlalchemy as sa
from alembic import op

revision = "find_shared_rides"
down_revision = "share_rides"
branch_labels = None
depends_on = None

CHECKS = {
    "a_shared_discount_leaves_a_fare": "tariff_version",
    "parties_fit_a_car": "quote",
    "a_shared_fare_is_never_above_alone": "quote",
    "a_shared_quote_says_its_limits": "quote",
    "rides_are_of_parties_that_fit": "ride",
    "shared_rides_are_for_now": "ride",
}
DRIVING = "state in ('assigned', 'arrived', 'under_way')"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("set local statement_timeout = '60s'")
    for name, table in CHECKS.items():
        op.execute(f"alter table {table} validate constraint {name}")
    with op.get_context().autocommit_block():
        # The old index goes last: until then it refuses more than it must, never less.
        _index("ride_driven", "ride", "driver_id", DRIVING)
        _index(
            "one_open_solo_ride_per_driver",
            "ride",
            "driver_id",
            f"not is_shared and {DRIVING}",
            unique=True,
        )
        _drop("one_open_ride_per_driver", "ride")
        _index(
            "offer_driven_empty",
            "offer",
            "decided_at",
            "state = 'accepted' and run is null",
            besides=["driver_id", "pickup_m"],
        )
        _drop("offer_accepted", "offer")


def downgrade() -> None:
    """Refused by the database while a driver has several rides."""
    op.create_index(
        "one_open_ride_per_driver",
        "ride",
        ["driver_id"],
        unique=True,
        postgresql_where=sa.text(DRIVING),
    )
    op.create_index(
        "offer_accepted",
        "offer",
        ["decided_at"],
        postgresql_include=["driver_id", "pickup_m"],
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.drop_index("offer_driven_empty", "offer")
    op.drop_index("one_open_solo_ride_per_driver", "ride")
    op.drop_index("ride_driven", "ride")


def _drop(name: str, table: str) -> None:
    op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)


def _index(
    name: str,
    table: str,
    column: str,
    which: str,
    *,
    besides: list[str] | None = None,
    unique: bool = False,
) -> None:
    # What an upgrade that was cut short here left behind would be of no use.
    _drop(name, table)
    op.create_index(
        name,
        table,
        [column],
        unique=unique,
        postgresql_include=besides,
        postgresql_where=sa.text(which),
        postgresql_concurrently=True,
    )
