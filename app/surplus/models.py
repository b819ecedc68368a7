"""Tables of the surplus: periods prepared and closed, each member's refund, capital paid back."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from app.foundation import columns


class SurplusDraft(SQLModel, table=True):
    """A close that one person prepared and another may confirm, as long as the books agree."""

    __tablename__ = "surplus_draft"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("until > since", name="prepared_periods_last"),
        CheckConstraint("until <= prepared_at", name="periods_are_prepared_after_their_end"),
    )

    id: UUID = columns.key()
    since: datetime = columns.moment()
    until: datetime = columns.moment()
    fingerprint: bytes = Field(sa_type=LargeBinary)
    steps: list[dict[str, Any]] = columns.document()
    prepared_by: UUID = columns.reference("member.id")
    prepared_at: datetime = columns.moment()


class SurplusPeriod(SQLModel, table=True):
    """A period that is closed for good: each begins where the one before it ended.

    The first one follows nothing, and only one does: that is why periods never overlap. Its
    journals are those whose subject it is.
    """

    __tablename__ = "surplus_period"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("until > since", name="periods_last"),
        CheckConstraint("follows = since", name="periods_follow_without_a_gap"),
        CheckConstraint(
            "(operator is null) = (prepared_by is not null)"
            " and (operator is null) = (confirmed_by is not null)"
            " and coalesce(prepared_by <> confirmed_by, true)",
            name="two_people_close_a_period",
        ),
        CheckConstraint("length(operator) between 1 and 200", name="operators_give_a_name"),
        UniqueConstraint("until", name="a_period_is_closed_once"),
        UniqueConstraint(
            "follows", name="one_period_after_another", postgresql_nulls_not_distinct=True
        ),
    )

    id: UUID = columns.key()
    since: datetime = columns.moment()
    until: datetime = columns.moment(foreign_key="period_lock.until")
    follows: datetime | None = columns.moment(foreign_key="surplus_period.until", nullable=True)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    steps: list[dict[str, Any]] = columns.document()
    # Two people over HTTP, or whoever runs the machine, by the name they gave.
    prepared_by: UUID | None = columns.reference("member.id", nullable=True)
    confirmed_by: UUID | None = columns.reference("member.id", nullable=True)
    operator: str | None = columns.text(nullable=True)
    closed_at: datetime = columns.moment()


class MemberRefund(SQLModel, table=True):
    """What a member got of a period: money, and a lot of capital; and what it was reckoned by."""

    __tablename__ = "member_refund"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "cash_minor >= 0 and capital_minor >= 0 and cash_minor + capital_minor > 0",
            name="refunds_are_positive",
        ),
        UniqueConstraint("journal_id", name="a_refund_has_its_own_journal"),
        Index("member_refund_by_member", "member_id", "period_id"),
    )

    period_id: UUID = columns.reference("surplus_period.id", primary_key=True)
    member_id: UUID = columns.reference("member.id", primary_key=True)
    commission_minor: int = columns.minor()
    engaged_s: int = Field(sa_type=BigInteger)
    cash_minor: int = columns.minor()
    capital_minor: int = columns.minor()
    journal_id: int = Field(sa_type=BigInteger, foreign_key="journal.id")


class CapitalRedemption(SQLModel, table=True):
    """What was paid back of one lot of a member's capital."""

    __tablename__ = "capital_redemption"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("amount_minor > 0", name="redemptions_are_positive"),
        CheckConstraint("redeemed_by <> member_id", name="nobody_redeems_their_own_capital"),
        ForeignKeyConstraint(
            ["period_id", "member_id"], ["member_refund.period_id", "member_refund.member_id"]
        ),
        Index("capital_redemption_by_lot", "member_id", "period_id"),
    )

    journal_id: int = Field(primary_key=True, sa_type=BigInteger, foreign_key="journal.id")
    period_id: UUID = columns.reference(primary_key=True)
    member_id: UUID = columns.reference()
    amount_minor: int = columns.minor()
    redeemed_by: UUID = columns.reference("member.id")
    redeemed_at: datetime = columns.moment()
