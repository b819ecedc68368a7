"""Tables of open votes: lent voices, frozen terms and seats, votes, and what they decided."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel

from app.assembly.open_votes.rules import Ending, Topic
from app.foundation import columns
from governance.electorate import House


class Delegation(SQLModel, table=True):
    """One member's voice, lent to another on one topic, for a time."""

    __tablename__ = "delegation"
    __table_args__: ClassVar[Any] = (
        columns.one_of("topic", Topic, name="voices_are_lent_on_known_topics"),
        columns.one_of("ending", Ending, name="how_voices_come_back_is_known"),
        CheckConstraint("giver_id <> taker_id", name="nobody_lends_to_themselves"),
        # Hours, since a day's length would depend on a time zone.
        CheckConstraint(
            "expires_at > given_at and expires_at <= given_at + interval '8760 hours'",
            name="voices_are_lent_for_a_year_at_most",
        ),
        CheckConstraint(
            "(ended_at is null) = (ending is null)", name="a_voice_that_came_back_says_how"
        ),
        CheckConstraint("ended_at >= given_at", name="voices_come_back_after_they_were_lent"),
        Index(
            "one_open_delegation_per_giver_and_topic",
            "giver_id",
            "topic",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        Index("delegation_by_giver", "giver_id", "id"),
        Index("delegation_by_taker", "taker_id", "id"),
        Index("delegation_by_topic", "topic", "given_at"),
        Index("delegation_by_expiry", "expires_at", postgresql_where=text("ended_at is null")),
    )

    id: UUID = columns.key()
    giver_id: UUID = columns.reference("member.id")
    taker_id: UUID = columns.reference("member.id")
    topic: str = columns.text()
    given_at: datetime = columns.moment()
    expires_at: datetime = columns.moment()
    ended_at: datetime | None = columns.moment(nullable=True)
    ending: str | None = columns.text(nullable=True)


class OpenVote(SQLModel, table=True):
    """The terms of one open vote, frozen: what is asked, by which rule, until when."""

    __tablename__ = "open_vote"
    __table_args__: ClassVar[Any] = (
        columns.one_of("topic", Topic, name="only_texts_and_choices_are_open"),
        CheckConstraint(
            "frozen_at < opens_at and opens_at < closes_at", name="open_votes_last_a_while"
        ),
    )

    proposal_id: UUID = columns.reference("proposal.id", primary_key=True)
    topic: str = columns.text()
    rule: str = columns.text()
    terms: Any = columns.document()
    frozen_at: datetime = columns.moment()
    opens_at: datetime = columns.moment()
    closes_at: datetime = columns.moment()


class OpenSeat(SQLModel, table=True):
    """One line of the frozen roll: a member who has a vote, and in which house."""

    __tablename__ = "open_seat"
    __table_args__: ClassVar[Any] = (
        columns.one_of("house", House, name="open_seats_are_in_a_house"),
    )

    proposal_id: UUID = columns.reference("open_vote.proposal_id", primary_key=True)
    member_id: UUID = columns.reference("member.id", primary_key=True)
    house: str = columns.text()


class OpenBallot(SQLModel, table=True):
    """One vote of a member; who changes it writes the next one, and the last one counts."""

    __tablename__ = "open_ballot"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(
            ["proposal_id", "member_id"],
            ["open_seat.proposal_id", "open_seat.member_id"],
            name="only_the_roll_votes",
        ),
        CheckConstraint("sequence >= 1", name="open_ballots_are_counted_from_one"),
    )

    proposal_id: UUID = columns.reference(primary_key=True)
    member_id: UUID = columns.reference(primary_key=True)
    sequence: int = Field(primary_key=True)
    value: Any = columns.document()
    cast_at: datetime = columns.moment()


class OpenTally(SQLModel, table=True):
    """What an open vote decided, and how unequally the voices were held; written once.

    `own` counts those who voted themselves, `lent` those for whom another spoke; `concentration`
    is in basis points.
    """

    __tablename__ = "open_tally"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("own >= 0 and lent >= 0", name="open_tallies_are_not_negative"),
    )

    proposal_id: UUID = columns.reference("open_vote.proposal_id", primary_key=True)
    result: Any = columns.document()
    own: int
    lent: int
    in_circle: int
    concentration: Any = columns.document()
    tallied_at: datetime = columns.moment()


class OpenVoice(SQLModel, table=True):
    """Who spoke for one member in the end: herself, another, or nobody; written with the tally."""

    __tablename__ = "open_voice"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(
            ["proposal_id", "member_id"],
            ["open_seat.proposal_id", "open_seat.member_id"],
            name="only_the_roll_has_a_voice",
        ),
        CheckConstraint(
            "not (in_circle and carrier_id is not null)", name="a_circle_speaks_for_nobody"
        ),
        Index("open_voice_by_carrier", "proposal_id", "carrier_id"),
    )

    proposal_id: UUID = columns.reference("open_tally.proposal_id", primary_key=True)
    member_id: UUID = columns.reference(primary_key=True)
    carrier_id: UUID | None = columns.reference(nullable=True)
    in_circle: bool
