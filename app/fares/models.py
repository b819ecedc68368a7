"""Tables of prices: the tariff and each quote given from it."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.foundation import columns


class TariffVersion(SQLModel, table=True):
    """The prices in force from a moment on; a later row follows, none is edited."""

    __tablename__ = "tariff_version"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("effective_from", name="one_tariff_at_a_moment"),
        CheckConstraint(
            "least(base_minor, per_km_minor, per_minute_minor, minimum_minor,"
            " free_wait_s, wait_per_minute_minor) >= 0",
            name="prices_are_not_negative",
        ),
        CheckConstraint(
            "shared_discount_bp between 0 and 9000", name="a_shared_discount_leaves_a_fare"
        ),
    )

    id: UUID = columns.key()
    effective_from: datetime = columns.moment()
    base_minor: int = columns.minor()
    per_km_minor: int = columns.minor()
    per_minute_minor: int = columns.minor()
    minimum_minor: int = columns.minor()
    free_wait_s: int
    wait_per_minute_minor: int = columns.minor()
    shared_discount_bp: int


class Quote(SQLModel, table=True):
    """A price given to a rider, with its parts, the share it was given under and its end."""

    __tablename__ = "quote"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "commission_minor + driver_net_minor + remitted_minor = fare_minor",
            name="a_fare_is_split_to_the_cent",
        ),
        CheckConstraint(
            "commission_minor = (fare_minor - pass_through_minor) * commission_bp / 10000",
            name="commission_is_the_share_rounded_down",
        ),
        CheckConstraint(
            "remitted_minor between 0 and pass_through_minor and pass_through_minor <= fare_minor",
            name="what_passes_through_is_a_part",
        ),
        CheckConstraint(
            "fare_minor > 0 and commission_minor >= 0 and driver_net_minor >= 0",
            name="fares_are_positive",
        ),
        CheckConstraint("expires_at > quoted_at", name="quotes_last_a_while"),
        CheckConstraint("pickup_at > quoted_at", name="quotes_are_for_later"),
        CheckConstraint("seats between 1 and 8", name="parties_fit_a_car"),
        CheckConstraint(
            "is_shared = (solo_fare_minor is not null)"
            " and coalesce(fare_minor <= solo_fare_minor, true)",
            name="a_shared_fare_is_never_above_alone",
        ),
        CheckConstraint(
            "is_shared = (max_wait_s is not null) and is_shared = (max_delay_s is not null)",
            name="a_shared_quote_says_its_limits",
        ),
        Index("quote_by_age", "quoted_at"),
    )

    id: UUID = columns.key()
    rider_id: UUID = columns.reference("member.id")
    pickup_lat: float
    pickup_lng: float
    pickup_name: str = columns.text()
    dropoff_lat: float
    dropoff_lng: float
    dropoff_name: str = columns.text()
    distance_m: int
    duration_s: int
    # The road engine's own time, on which travel times are fitted; null where no engine answered.
    engine_s: float | None = Field(default=None, nullable=True)
    is_estimate: bool
    pickup_eta_s: int | None = Field(default=None, nullable=True)
    items: list[dict[str, Any]] = columns.document()
    currency: str = columns.text()
    fare_minor: int = columns.minor()
    # Of the fare: what nobody takes a share of, and the part of it that is owed to others.
    pass_through_minor: int = columns.minor(default=0, sa_column_kwargs={"server_default": "0"})
    remitted_minor: int = columns.minor(default=0, sa_column_kwargs={"server_default": "0"})
    commission_bp: int
    commission_minor: int = columns.minor()
    driver_net_minor: int = columns.minor()
    policy_version_id: UUID = columns.reference("policy_version.id")
    tariff_version_id: UUID = columns.reference("tariff_version.id")
    seats: int
    # Of shared rides: the price alone, how long sharing may make the rider wait, how much later
    # than driven at once and alone it may let them arrive, and when they would arrive, no promise.
    is_shared: bool
    solo_fare_minor: int | None = columns.minor(default=None, nullable=True)
    max_wait_s: int | None = Field(default=None, nullable=True)
    max_delay_s: int | None = Field(default=None, nullable=True)
    arrival_eta_s: int | None = Field(default=None, nullable=True)
    # When the rider wants to be fetched; null means now.
    pickup_at: datetime | None = columns.moment(nullable=True)
    quoted_at: datetime = columns.moment()
    expires_at: datetime = columns.moment()
