"""Tables of solidarity: circles, who was sick from when to when, gifts, and what was taken over."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.foundation import columns


def _journal(*, nullable: bool = True) -> Any:
    if nullable:
        return Field(default=None, sa_type=BigInteger, foreign_key="journal.id", nullable=True)
    return Field(sa_type=BigInteger, foreign_key="journal.id")


class Circle(SQLModel, table=True):
    """Members who know each other. It begins with the twentieth, and holds fifty at most."""

    __tablename__ = "circle"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("length(name) between 1 and 60", name="circles_have_a_name"),
        UniqueConstraint("name", name="circles_have_names_of_their_own"),
    )

    id: UUID = columns.key()
    name: str = columns.text()
    opened_by: UUID = columns.reference("member.id")
    opened_at: datetime = columns.moment()
    begun_at: datetime | None = columns.moment(nullable=True)


class CircleMembership(SQLModel, table=True):
    """A driver in a circle, and what they want to be given in a month of illness."""

    __tablename__ = "circle_membership"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("tier_minor > 0", name="tiers_are_positive"),
        CheckConstraint("left_at >= joined_at", name="circles_are_left_later"),
        Index(
            "one_circle_per_member",
            "member_id",
            unique=True,
            postgresql_where=text("left_at is null"),
        ),
        Index("circle_membership_by_circle", "circle_id"),
    )

    id: UUID = columns.key()
    circle_id: UUID = columns.reference("circle.id")
    member_id: UUID = columns.reference("member.id")
    tier_minor: int = columns.minor()
    joined_at: datetime = columns.moment()
    left_at: datetime | None = columns.moment(nullable=True)


class SickLeave(SQLModel, table=True):
    """From when to when a member could not work. Why is written nowhere."""

    __tablename__ = "sick_leave"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("ended_on >= began_on", name="illnesses_end_later"),
        CheckConstraint("waiting_days >= 0", name="waiting_times_are_not_negative"),
        CheckConstraint("longest_months between 1 and 24", name="gifts_last_two_years_at_most"),
        Index(
            "one_illness_at_a_time",
            "membership_id",
            unique=True,
            postgresql_where=text("ended_on is null"),
        ),
        Index("sick_leave_by_membership", "membership_id", "began_on"),
    )

    id: UUID = columns.key()
    membership_id: UUID = columns.reference("circle_membership.id")
    began_on: date
    ended_on: date | None = Field(default=None, nullable=True)
    reported_at: datetime = columns.moment()
    waiting_days: int
    longest_months: int
    confirmed_at: datetime | None = columns.moment(nullable=True)


class SickLeaveConfirmation(SQLModel, table=True):
    """A person who confirms that a member cannot work: of the circle, or a steward."""

    __tablename__ = "sick_leave_confirmation"

    sick_leave_id: UUID = columns.reference("sick_leave.id", primary_key=True)
    confirmed_by: UUID = columns.reference("member.id", primary_key=True)
    is_steward: bool
    confirmed_at: datetime = columns.moment()


class SickGift(SQLModel, table=True):
    """What a sick member was given for a month, and what it would be if all was there."""

    __tablename__ = "sick_gift"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("extract(day from month) = 1", name="gifts_are_for_a_month"),
        CheckConstraint("days between 1 and 31", name="gifts_are_for_days_of_a_month"),
        CheckConstraint(
            "amount_minor between 0 and full_minor", name="gifts_are_never_above_the_full_one"
        ),
        CheckConstraint("(amount_minor = 0) = (journal_id is null)", name="gifts_have_a_journal"),
        UniqueConstraint("sick_leave_id", "month", name="one_gift_per_month"),
        UniqueConstraint("journal_id", name="a_journal_is_of_one_gift"),
    )

    id: UUID = columns.key()
    sick_leave_id: UUID = columns.reference("sick_leave.id")
    month: date
    days: int
    full_minor: int = columns.minor()
    amount_minor: int = columns.minor()
    journal_id: int | None = _journal()
    paid_at: datetime = columns.moment()


class SolidarityContribution(SQLModel, table=True):
    """What a member was to contribute for a month, and what the balance allowed to take."""

    __tablename__ = "solidarity_contribution"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("extract(day from month) = 1", name="contributions_are_for_a_month"),
        CheckConstraint(
            "paid_minor between 0 and due_minor", name="nobody_contributes_more_than_is_due"
        ),
        CheckConstraint(
            "(paid_minor = 0) = (journal_id is null)", name="contributions_have_a_journal"
        ),
        UniqueConstraint("journal_id", name="a_journal_is_of_one_contribution"),
    )

    membership_id: UUID = columns.reference("circle_membership.id", primary_key=True)
    month: date = Field(primary_key=True)
    rate_bp: int
    due_minor: int = columns.minor()
    paid_minor: int = columns.minor()
    journal_id: int | None = _journal()
    taken_at: datetime = columns.moment()


class SolidarityMonth(SQLModel, table=True):
    """What is contributed in a month, decided by the voted rule before it begins, and from what."""

    __tablename__ = "solidarity_month"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("extract(day from month) = 1", name="rates_are_for_a_month"),
        CheckConstraint(
            "rate_bp between base_bp and greatest(base_bp, most_bp)",
            name="rates_are_as_voted",
        ),
    )

    month: date = Field(primary_key=True)
    base_bp: int
    most_bp: int
    rate_bp: int
    fund_minor: int = columns.minor()
    expected_claims_minor: int = columns.minor()
    decided_at: datetime = columns.moment()


class Guarantee(SQLModel, table=True):
    """A payment that failed for good, and what of it the fund took over. Once per payment."""

    __tablename__ = "guarantee"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "covered_minor between 0 and least(payment_minor, cap_minor)",
            name="the_fund_covers_up_to_the_cap",
        ),
        CheckConstraint(
            "(covered_minor = 0) = (journal_id is null)", name="guarantees_have_a_journal"
        ),
        UniqueConstraint("journal_id", name="a_journal_is_of_one_guarantee"),
        Index("guarantee_by_ride", "ride_id"),
        Index("guarantee_by_rider", "rider_id"),
    )

    # The row of the payment; that room lies elsewhere, so no foreign key ties the two.
    payment_id: UUID = columns.reference(primary_key=True)
    ride_id: UUID = columns.reference("ride.id")
    rider_id: UUID = columns.reference("member.id")
    payment_minor: int = columns.minor()
    cap_minor: int = columns.minor()
    policy_version_id: UUID = columns.reference("policy_version.id")
    covered_minor: int = columns.minor()
    journal_id: int | None = _journal()
    taken_over_at: datetime = columns.moment()


class GuaranteeReturn(SQLModel, table=True):
    """What the fund got back from a rider who paid later."""

    __tablename__ = "guarantee_return"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("amount_minor > 0", name="returns_are_positive"),
        Index("guarantee_return_by_payment", "payment_id"),
    )

    journal_id: int = Field(primary_key=True, sa_type=BigInteger, foreign_key="journal.id")
    payment_id: UUID = columns.reference("guarantee.payment_id")
    amount_minor: int = columns.minor()
    returned_at: datetime = columns.moment()


class GuaranteeWriteOff(SQLModel, table=True):
    """What a person decided that a rider will never pay, and why. Once per payment."""

    __tablename__ = "guarantee_write_off"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("amount_minor > 0", name="write_offs_are_positive"),
        CheckConstraint("length(reason) between 1 and 500", name="write_offs_have_a_reason"),
        UniqueConstraint("journal_id", name="a_journal_is_of_one_write_off"),
    )

    payment_id: UUID = columns.reference("guarantee.payment_id", primary_key=True)
    amount_minor: int = columns.minor()
    decided_by: UUID = columns.reference("member.id")
    reason: str = columns.text()
    journal_id: int = _journal(nullable=False)
    decided_at: datetime = columns.moment()
