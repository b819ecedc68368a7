"""Look at a car's seats whenever a ride comes to be driven, also by a change of its state alone.

Revision: watch_rides_begin_again
Follows: store_shared_pools
"""

from alembic import op

revision = "watch_rides_begin_again"
down_revision = "store_shared_pools"
branch_labels = None
depends_on = None

DRIVEN = "('assigned', 'arrived', 'under_way')"


def upgrade() -> None:
    op.execute("set local lock_timeout = '4s'")
    op.execute("drop trigger cars_keep_within_their_seats on ride")
    op.execute(
        "create trigger cars_keep_within_their_seats_from_the_start before insert on ride"
        " for each row execute function keep_cars_within_their_seats()"
    )
    # From step to step of one ride nothing changes about its car.
    op.execute(
        "create trigger cars_keep_within_their_seats before update on ride for each row"
        f" when (new.state in {DRIVEN} and (old.state not in {DRIVEN}"
        " or (old.driver_id, old.vehicle_id, old.is_shared, old.seats) is distinct from"
        " (new.driver_id, new.vehicle_id, new.is_shared, new.seats)))"
        " execute function keep_cars_within_their_seats()"
    )


def downgrade() -> None:
    op.execute("drop trigger cars_keep_within_their_seats_from_the_start on ride")
    op.execute("drop trigger cars_keep_within_their_seats on ride")
    op.execute(
        "create trigger cars_keep_within_their_seats"
        " before insert or update of driver_id, vehicle_id, is_shared, seats on ride"
        " for each row execute function keep_cars_within_their_seats()"
    )
