"""Tables of dispatch: each tick, what it decided from, and each offer with what explains it."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, LargeBinary, Uuid, text
from sqlmodel import Field, SQLModel

from app.foundation import columns


class OfferState(StrEnum):
    """What became of an offer."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"  # the rider cancelled, or nobody can take it any more


class DispatchTick(SQLModel, table=True):
    """One round of dispatch: what it saw, how it was solved and how long that took."""

    __tablename__ = "dispatch_tick"

    id: UUID = columns.key()
    at: datetime = columns.moment()
    riders: int
    drivers: int  # free now or soon
    soon_free: int
    candidates: int
    offers: int
    held: int  # riders kept for a driver who is soon free
    fairness_weight_s: int
    solver: str = columns.text()
    objective_ds: int = columns.minor()
    gap: float | None = Field(default=None, nullable=True)  # proven over all pairs, by road
    solve_ms: float
    tick_ms: float


class DispatchInput(SQLModel, table=True):
    """What a round decided from and what it decided, so that anybody concerned may ask why.

    `record` is what `matching.record.pack` made: ids, driving times and weights, no coordinates.
    `passed_over` are the free drivers who could have been asked and were not. Driving times to
    known pickups still tell where a driver was, so rows live for `MEENT_EXPLANATION_DAYS`.
    """

    __tablename__ = "dispatch_input"
    __table_args__: ClassVar[Any] = (Index("dispatch_input_by_time", "at", "tick_id"),)

    tick_id: UUID = columns.reference("dispatch_tick.id", primary_key=True)
    at: datetime = columns.moment()
    record: bytes = Field(sa_type=LargeBinary)
    passed_over: list[UUID] = Field(sa_type=ARRAY(Uuid))


class DispatchPool(SQLModel, table=True):
    """What the offers of a round to join shared runs were decided from; see `pool_record`.

    It lives as long as `DispatchInput`, for the same reason.
    """

    __tablename__ = "dispatch_pool"
    __table_args__: ClassVar[Any] = (Index("dispatch_pool_by_time", "at", "tick_id"),)

    tick_id: UUID = columns.reference("dispatch_tick.id", primary_key=True)
    at: datetime = columns.moment()
    record: bytes = Field(sa_type=LargeBinary)


class Offer(SQLModel, table=True):
    """A ride offered to one driver for a short while, alone."""

    __tablename__ = "offer"
    __table_args__: ClassVar[Any] = (
        columns.one_of("state", OfferState, name="offer_states_are_known"),
        CheckConstraint(
            "(state = 'open') = (decided_at is null)", name="a_closed_offer_has_an_end"
        ),
        CheckConstraint("expires_at > offered_at", name="offers_last_a_while"),
        Index(
            "one_open_offer_per_ride",
            "ride_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "one_open_offer_per_driver",
            "driver_id",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "one_accepted_offer_per_ride_and_driver",
            "ride_id",
            "driver_id",
            unique=True,
            postgresql_where=text("state = 'accepted'"),
        ),
        Index("offer_open_until", "expires_at", postgresql_where=text("state = 'open'")),
        Index(
            "offer_driven_empty",
            "decided_at",
            postgresql_include=["driver_id", "pickup_m"],
            postgresql_where=text("state = 'accepted' and run is null"),
        ),
        Index("offer_by_ride", "ride_id", "driver_id"),
        Index("offer_by_driver", "driver_id", "id"),
        Index("offer_by_tick", "tick_id"),
    )

    id: UUID = columns.key()
    tick_id: UUID = columns.reference("dispatch_tick.id")
    ride_id: UUID = columns.reference("ride.id")
    driver_id: UUID = columns.reference("member.id")
    state: str = columns.text()
    offered_at: datetime = columns.moment()
    expires_at: datetime = columns.moment()
    decided_at: datetime | None = columns.moment(nullable=True)
    pickup_s: int
    pickup_m: int
    explanation: dict[str, Any] = columns.document()
    # Of an offer to join a shared run: all its stops in order, those of this ride among them.
    run: dict[str, Any] | None = columns.document(default=None, nullable=True)
