"""Tables of what happens after a ride, and the promises that the database itself keeps."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import SQLModel

from app.after_ride.rules import DisputeKind, DisputeState, Outcome, PartState
from app.foundation import columns


class Tip(SQLModel, table=True):
    """What a rider gave the driver for a ride, whole. A trigger keeps tips sensible."""

    __tablename__ = "tip"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("amount_minor > 0", name="tips_are_positive"),
        UniqueConstraint("journal_id", name="a_tip_has_its_own_journal"),
        Index("tip_by_ride", "ride_id", "id"),
    )

    id: UUID = columns.key()
    ride_id: UUID = columns.reference("ride_settlement.ride_id")
    rider_id: UUID = columns.reference("member.id")
    driver_id: UUID = columns.reference("member.id")
    amount_minor: int = columns.minor()
    journal_id: int = columns.minor(foreign_key="journal.id")
    tipped_at: datetime = columns.moment()


class Dispute(SQLModel, table=True):
    """Somebody says a ride was settled wrongly. Its decisions are in a table of their own."""

    __tablename__ = "dispute"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("party in ('rider', 'driver')", name="dispute_parties_are_known"),
        columns.one_of("kind", DisputeKind, name="dispute_kinds_are_known"),
        columns.one_of("state", DisputeState, name="dispute_states_are_known"),
        CheckConstraint("length(text) between 1 and 500", name="disputes_say_what_happened"),
        CheckConstraint("length(appeal_text) between 1 and 500", name="appeals_say_why"),
        CheckConstraint(
            "(state in ('appealed', 'final')) = (appealed_by is not null)"
            " and (appealed_by is null) = (appealed_at is null)"
            " and (appealed_by is null) = (appeal_text is null)",
            name="an_appeal_is_somebodys",
        ),
        Index(
            "one_open_dispute_per_ride_and_person",
            "ride_id",
            "opened_by",
            unique=True,
            postgresql_where=text("state in ('open', 'appealed')"),
        ),
        Index("dispute_by_ride", "ride_id", "id"),
        Index("dispute_by_state", "state", "id"),
    )

    id: UUID = columns.key()
    ride_id: UUID = columns.reference("ride_settlement.ride_id")
    opened_by: UUID = columns.reference("member.id")
    party: str = columns.text()
    kind: str = columns.text()
    text: str = columns.text()
    state: str = columns.text()
    opened_at: datetime = columns.moment()
    appealed_by: UUID | None = columns.reference("member.id", nullable=True)
    appealed_at: datetime | None = columns.moment(nullable=True)
    appeal_text: str | None = columns.text(nullable=True)


class DisputeDecision(SQLModel, table=True):
    """What a person of staff decided, why, who bears it, and whether it came to be.

    A large one waits for a second person, who releases it or withdraws it. A trigger refuses who
    decides on their own ride or on their own decision, and more given back than was paid.
    """

    __tablename__ = "dispute_decision"
    __table_args__: ClassVar[Any] = (
        columns.one_of("outcome", Outcome, name="dispute_outcomes_are_known"),
        CheckConstraint("round in (1, 2)", name="a_dispute_is_decided_twice_at_most"),
        CheckConstraint("outcome <> 'uphold' or round = 2", name="only_an_appeal_upholds"),
        CheckConstraint(
            "amount_minor = from_driver_minor + from_commission_minor + from_costs_minor and"
            " least(from_driver_minor, from_commission_minor, from_costs_minor) >= 0"
            " and (amount_minor > 0) = (outcome in ('refund', 'pay_driver'))",
            name="decisions_say_who_bears_them",
        ),
        CheckConstraint(
            "outcome <> 'pay_driver' or from_driver_minor = 0",
            name="drivers_do_not_pay_themselves",
        ),
        CheckConstraint("length(reason) between 1 and 500", name="decisions_have_a_reason"),
        CheckConstraint("released_by <> decided_by", name="somebody_else_releases_a_decision"),
        CheckConstraint(
            "effective_at is null or amount_minor <= 5000 or released_by is not null",
            name="two_people_decide_on_much",
        ),
        CheckConstraint(
            "(effective_at is not null and amount_minor > 0) = (journal_id is not null)",
            name="decisions_that_move_money_have_a_journal",
        ),
        CheckConstraint(
            "effective_at is null or withdrawn_at is null",
            name="a_decision_stands_or_was_withdrawn",
        ),
        CheckConstraint(
            "(withdrawn_at is null) = (withdrawn_by is null)"
            " and (withdrawn_at is null) = (withdrawn_because is null)"
            " and coalesce(length(withdrawn_because) between 1 and 500, true)",
            name="withdrawn_decisions_say_why",
        ),
        CheckConstraint(
            "undone_at is null or journal_id is not null", name="only_what_happened_is_undone"
        ),
        UniqueConstraint("journal_id", name="a_decision_has_its_own_journal"),
        Index(
            "one_decision_stands_per_round",
            "dispute_id",
            "round",
            unique=True,
            postgresql_where=text("withdrawn_at is null"),
        ),
    )

    id: UUID = columns.key()
    dispute_id: UUID = columns.reference("dispute.id")
    round: int
    outcome: str = columns.text()
    from_driver_minor: int = columns.minor()
    from_commission_minor: int = columns.minor()
    from_costs_minor: int = columns.minor()
    amount_minor: int = columns.minor()
    reason: str = columns.text()
    decided_by: UUID = columns.reference("member.id")
    decided_at: datetime = columns.moment()
    released_by: UUID | None = columns.reference("member.id", nullable=True)
    withdrawn_by: UUID | None = columns.reference("member.id", nullable=True)
    withdrawn_at: datetime | None = columns.moment(nullable=True)
    withdrawn_because: str | None = columns.text(nullable=True)
    effective_at: datetime | None = columns.moment(nullable=True)
    journal_id: int | None = columns.minor(foreign_key="journal.id", nullable=True)
    undone_at: datetime | None = columns.moment(nullable=True)  # by the decision on appeal


class FareSplit(SQLModel, table=True):
    """A rider asked others to share a ride's fare."""

    __tablename__ = "fare_split"
    __table_args__: ClassVar[Any] = (
        Index("fare_split_to_settle", "ride_id", postgresql_where=text("settled_at is null")),
    )

    ride_id: UUID = columns.reference("ride.id", primary_key=True)
    rider_id: UUID = columns.reference("member.id")
    proposed_at: datetime = columns.moment()
    settled_at: datetime | None = columns.moment(nullable=True)


class FareSplitPart(SQLModel, table=True):
    """One invited rider's part. Of a number that is nobody's there is one too: it tells nothing."""

    __tablename__ = "fare_split_part"
    __table_args__: ClassVar[Any] = (
        columns.one_of("state", PartState, name="split_states_are_known"),
        CheckConstraint("position between 1 and 3", name="a_fare_is_split_by_four_at_most"),
        CheckConstraint(
            "(state in ('accepted', 'paid', 'freed')) = (hold_id is not null)"
            " and (hold_id is null) = (most_minor is null)",
            name="accepted_parts_are_held",
        ),
        CheckConstraint(
            "state in ('invited', 'lapsed') or member_id is not null", name="answers_are_members"
        ),
        CheckConstraint(
            "(state = 'paid') = (journal_id is not null)"
            " and (state = 'paid') = (amount_minor is not null)",
            name="paid_parts_have_a_journal",
        ),
        CheckConstraint(
            "amount_minor between 1 and most_minor", name="nobody_pays_more_than_they_accepted"
        ),
        UniqueConstraint("ride_id", "position", name="one_part_per_position"),
        UniqueConstraint("ride_id", "member_id", name="a_member_takes_one_part"),
        UniqueConstraint("hold_id", name="a_hold_is_of_one_part"),
        UniqueConstraint("journal_id", name="a_part_has_its_own_journal"),
        Index("fare_split_part_by_member", "member_id", "id"),
    )

    id: UUID = columns.key()
    ride_id: UUID = columns.reference("fare_split.ride_id")
    position: int
    member_id: UUID | None = columns.reference("member.id", nullable=True)
    state: str = columns.text()
    answered_at: datetime | None = columns.moment(nullable=True)
    hold_id: UUID | None = columns.reference("hold.id", nullable=True)
    most_minor: int | None = columns.minor(nullable=True)
    amount_minor: int | None = columns.minor(nullable=True)
    journal_id: int | None = columns.minor(foreign_key="journal.id", nullable=True)
