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


class RideChange(SQLModel, table=True):
    """A new drop-off that a rider asks for under way, and its price, until it is accepted.

    What is neither accepted nor replaced lapses, and the old price stays.
    """

    __tablename__ = "ride_change"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("expires_at > asked_at", name="changes_lapse_later"),
        CheckConstraint(
            "accepted_at >= asked_at and accepted_at < expires_at",
            name="changes_are_accepted_in_time",
        ),
        CheckConstraint("accepted_at is null or replaced_at is null", name="changes_end_once"),
        CheckConstraint("quote_id <> from_quote_id", name="changes_change_something"),
        UniqueConstraint("quote_id", name="a_quote_is_of_one_change"),
        Index(
            "one_open_change_per_ride",
            "ride_id",
            unique=True,
            postgresql_where=text("accepted_at is null and replaced_at is null"),
        ),
        Index("ride_change_by_ride", "ride_id", "id"),
        Index("ride_change_from_quote", "from_quote_id"),
    )

    id: UUID = columns.key()
    ride_id: UUID = columns.reference("ride.id")
    from_quote_id: UUID = columns.reference("quote.id")
    quote_id: UUID = columns.reference("quote.id")
    asked_at: datetime = columns.moment()
    expires_at: datetime = columns.moment()
    accepted_at: datetime | None = columns.moment(nullable=True)
    replaced_at: datetime | None = columns.moment(nullable=True)


class RideSettlement(SQLModel, table=True):
    """What a ride cost in the end, who got which part, and the journal that booked it: one each.

    ``pass_through_minor`` is what nobody takes a share of; ``remitted_minor`` is the part of it
    that is owed to others than the driver.
    """

    __tablename__ = "ride_settlement"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("kind in ('fare', 'fee')", name="settlements_are_of_a_kind"),
        CheckConstraint(
            "fare_minor = commission_minor + driver_net_minor + remitted_minor",
            name="settlements_are_split_to_the_cent",
        ),
        CheckConstraint(
            "commission_minor = (fare_minor - pass_through_minor) * commission_bp / 10000",
            name="settled_commission_is_the_share_rounded_down",
        ),
        CheckConstraint(
            "remitted_minor between 0 and pass_through_minor and pass_through_minor <= fare_minor",
            name="settlements_pass_a_part_through",
        ),
        CheckConstraint(
            "fare_minor > 0 and"
            " least(commission_minor, driver_net_minor, commission_bp, vat_bp, vat_minor) >= 0",
            name="settlements_are_positive",
        ),
        CheckConstraint(
            "vat_remitted_by in ('driver', 'cooperative', 'nobody')"
            " and (vat_remitted_by = 'nobody') = (vat_bp = 0) and (vat_bp > 0 or vat_minor = 0)"
            " and (vat_remitted_by <> 'cooperative' or vat_minor <= remitted_minor)",
            name="somebody_remits_vat",
        ),
        UniqueConstraint("journal_id", name="a_journal_settles_one_ride"),
        Index("ride_settlement_by_time", "settled_at"),
    )

    ride_id: UUID = columns.reference("ride.id", primary_key=True)
    kind: str = columns.text()
    items: list[dict[str, Any]] = columns.document()
    fare_minor: int = columns.minor()
    pass_through_minor: int = columns.minor()
    remitted_minor: int = columns.minor()
    commission_bp: int
    commission_minor: int = columns.minor()
    driver_net_minor: int = columns.minor()
    vat_bp: int
    vat_minor: int = columns.minor()
    vat_remitted_by: str = columns.text()
    policy_version_id: UUID = columns.reference("policy_version.id")
    journal_id: int = columns.minor(foreign_key="journal.id")
    settled_at: datetime = columns.moment()
