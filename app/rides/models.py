"""The table of rides, and the promises that the database itself keeps about them."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import SQLModel

from app.foundation import columns
from app.rides.lifecycle import DRIVING_STATES, OPEN_STATES, Party, RideState


def _in(states: tuple[RideState, ...]) -> Any:
    return text(f"state in ({', '.join(repr(str(state)) for state in states)})")


class Ride(SQLModel, table=True):
    """A ride: who, from where to where, for how much, and how far it has come."""

    __tablename__ = "ride"
    __table_args__: ClassVar[Any] = (
        columns.one_of("state", RideState, name="ride_states_are_known"),
        columns.one_of("cancelled_by", Party, name="cancelling_parties_are_known"),
        UniqueConstraint("quote_id", name="a_quote_is_booked_once"),
        UniqueConstraint("hold_id", name="a_hold_serves_one_ride"),
        CheckConstraint(
            "(state in ('assigned', 'arrived', 'under_way', 'completed', 'no_show'))"
            " <= (driver_id is not null)",
            name="a_driven_ride_has_a_driver",
        ),
        CheckConstraint(
            "(state = 'cancelled') = (cancelled_by is not null)", name="someone_cancels_a_ride"
        ),
        CheckConstraint(
            "(state in ('completed', 'cancelled', 'no_driver', 'no_show'))"
            " = (ended_at is not null)",
            name="a_closed_ride_has_an_end",
        ),
        CheckConstraint(
            "(state = 'scheduled') <= (pickup_from is not null)",
            name="a_scheduled_ride_has_a_window",
        ),
        CheckConstraint(
            "(pickup_from is null) = (pickup_until is null)"
            " and coalesce(pickup_until > pickup_from, true)",
            name="a_window_opens_and_then_closes",
        ),
        CheckConstraint("seats between 1 and 8", name="rides_are_of_parties_that_fit"),
        CheckConstraint("not is_shared or pickup_from is null", name="shared_rides_are_for_now"),
        # Shared rides are several: how many, and with how many seats, the trigger
        # cars_keep_within_their_seats watches.
        Index(
            "one_open_solo_ride_per_driver",
            "driver_id",
            unique=True,
            postgresql_where=text(f"not is_shared and {_in(DRIVING_STATES)}"),
        ),
        Index("ride_driven", "driver_id", postgresql_where=_in(DRIVING_STATES)),
        Index(
            "one_open_ride_per_rider", "rider_id", unique=True, postgresql_where=_in(OPEN_STATES)
        ),
        Index("ride_waiting", "requested_at", postgresql_where=text("state = 'requested'")),
        Index("ride_scheduled", "pickup_from", postgresql_where=text("state = 'scheduled'")),
        Index(
            "ride_completed",
            "ended_at",
            postgresql_include=["driver_id", "quote_id"],
            postgresql_where=text("state = 'completed'"),
        ),
        Index("ride_by_rider", "rider_id", "id"),
        Index("ride_by_driver", "driver_id", "id"),
    )

    id: UUID = columns.key()
    rider_id: UUID = columns.reference("member.id")
    driver_id: UUID | None = columns.reference("member.id", nullable=True)
    vehicle_id: UUID | None = columns.reference("vehicle.id", nullable=True)
    quote_id: UUID = columns.reference("quote.id")
    hold_id: UUID = columns.reference("hold.id")
    state: str = columns.text()
    seats: int  # of the party
    is_shared: bool
    requested_at: datetime = columns.moment()
    search_until: datetime = columns.moment()
    # Of rides booked ahead: when the car is wanted, and until when it must be there.
    pickup_from: datetime | None = columns.moment(nullable=True)
    pickup_until: datetime | None = columns.moment(nullable=True)
    reminded_at: datetime | None = columns.moment(nullable=True)
    assigned_at: datetime | None = columns.moment(nullable=True)
    arrived_at: datetime | None = columns.moment(nullable=True)
    started_at: datetime | None = columns.moment(nullable=True)
    ended_at: datetime | None = columns.moment(nullable=True)
    cancelled_by: str | None = columns.text(nullable=True)
    reason: str | None = columns.text(nullable=True)
