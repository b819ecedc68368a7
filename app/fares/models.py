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
        CheckConstraint(
            "(proposed_by is null) = (released_by is null)"
            " and coalesce(proposed_by <> released_by, true)",
            name="two_people_set_a_tariff",
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
    rules: dict[str, Any] = columns.document(
        default_factory=dict, sa_column_kwargs={"server_default": "{}"}
    )
    # Null of the tariff that the cooperative was founded with.
    proposed_by: UUID | None = columns.reference("member.id", nullable=True)
    released_by: UUID | None = columns.reference("member.id", nullable=True)


class TariffProposal(SQLModel, table=True):
    """A tariff that one person proposes; another one releases it, and it comes into force later."""

    __tablename__ = "tariff_proposal"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("released_by <> proposed_by", name="somebody_else_releases_a_tariff"),
        CheckConstraint(
            "(released_by is null) = (released_at is null)", name="a_person_releases_tariffs"
        ),
        CheckConstraint(
            "(withdrawn_by is null) = (withdrawn_at is null)", name="a_person_withdraws_tariffs"
        ),
        CheckConstraint(
            "released_at is null or withdrawn_at is null", name="a_tariff_is_decided_once"
        ),
        CheckConstraint(
            "effective_from > proposed_at and coalesce(effective_from > released_at, true)",
            name="tariffs_are_for_later",
        ),
        CheckConstraint("length(reason) between 1 and 500", name="tariffs_have_a_reason"),
    )

    id: UUID = columns.key()
    document: dict[str, Any] = columns.document()
    reason: str = columns.text()
    effective_from: datetime = columns.moment()
    proposed_by: UUID = columns.reference("member.id")
    proposed_at: datetime = columns.moment()
    released_by: UUID | None = columns.reference("member.id", nullable=True)
    released_at: datetime | None = columns.moment(nullable=True)
    withdrawn_by: UUID | None = columns.reference("member.id", nullable=True)
    withdrawn_at: datetime | None = columns.moment(nullable=True)


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
            "surge_bp between 10000 and surge_cap_bp", name="surge_is_at_most_the_voted_cap"
        ),
        CheckConstraint(
            "with_wheelchair = (plain_fare_minor is not null)"
            " and coalesce(fare_minor <= plain_fare_minor, true)",
            name="a_wheelchair_costs_nothing",
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
    # What waiting and not riding cost, and the tax in the price.
    terms: dict[str, Any] = columns.document(
        default_factory=dict, sa_column_kwargs={"server_default": "{}"}
    )
    surge_bp: int = Field(default=10_000, sa_column_kwargs={"server_default": "10000"})
    surge_cap_bp: int = Field(default=10_000, sa_column_kwargs={"server_default": "10000"})
    surge_policy_version_id: UUID | None = columns.reference("policy_version.id", nullable=True)
    with_wheelchair: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    plain_fare_minor: int | None = columns.minor(default=None, nullable=True)  # without it
    # The quote that was booked, where this is the price of a change of its ride.
    changes_quote_id: UUID | None = columns.reference("quote.id", nullable=True)
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
