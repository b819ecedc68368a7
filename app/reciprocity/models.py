"""Tables of reciprocity: sisters, letters we gave, visits we host, clearings, statements."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.foundation import columns
from app.reciprocity.rules import ClearingState, Direction, Rejection, StatementState


class Peer(SQLModel, table=True):
    """A sister cooperative: one person proposes it, another one confirms it."""

    __tablename__ = "peer"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("octet_length(public_key) = 32", name="peers_keys_are_ed25519"),
        CheckConstraint("length(name) between 1 and 80", name="peers_have_a_name"),
        CheckConstraint(
            "base_url ~ '^https?://[^/ ?#]+(/[^ ?#]+)*$'", name="peers_live_at_an_address"
        ),
        CheckConstraint(
            "they_may_owe_minor >= 0 and we_may_owe_minor >= 0",
            name="peers_may_owe_from_nothing_upwards",
        ),
        CheckConstraint("confirmed_by <> proposed_by", name="somebody_else_confirms_a_peer"),
        CheckConstraint(
            "(confirmed_by is null) = (confirmed_at is null)"
            " and (account_id is null) = (confirmed_at is null)",
            name="a_person_confirms_peers",
        ),
        CheckConstraint(
            "(paused_by is null) = (paused_at is null)"
            " and (pause_reason is null) = (paused_at is null)"
            " and coalesce(length(pause_reason) between 1 and 500, true)",
            name="pausing_a_peer_has_a_reason",
        ),
        UniqueConstraint("public_key", name="one_peer_per_key"),
    )

    id: UUID = columns.key()  # made of the key: the sister knows it too
    name: str = columns.text()
    base_url: str = columns.text()
    public_key: bytes = Field(sa_type=LargeBinary)
    currency: str = columns.text()
    they_may_owe_minor: int = columns.minor()
    we_may_owe_minor: int = columns.minor()
    proposed_by: UUID = columns.reference("member.id")
    proposed_at: datetime = columns.moment()
    confirmed_by: UUID | None = columns.reference("member.id", nullable=True)
    confirmed_at: datetime | None = columns.moment(nullable=True)
    account_id: UUID | None = columns.reference("account.id", nullable=True)
    paused_by: UUID | None = columns.reference("member.id", nullable=True)
    paused_at: datetime | None = columns.moment(nullable=True)
    pause_reason: str | None = columns.text(nullable=True)


class GuestLetter(SQLModel, table=True):
    """Our word for a member who rides with a sister: we pay for so much, and hold it meanwhile."""

    __tablename__ = "guest_letter"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "spent_minor between 0 and limit_minor", name="letters_are_spent_within_their_limit"
        ),
        CheckConstraint("limit_minor > 0", name="letters_are_worth_something"),
        CheckConstraint(
            "issued_at < expires_at and expires_at < claims_until",
            name="letters_end_after_they_were_given",
        ),
        Index("guest_letter_by_peer", "peer_id", "claims_until"),
        Index("guest_letter_by_member", "member_id", "id"),
    )

    id: UUID = columns.key()
    peer_id: UUID = columns.reference("peer.id")
    member_id: UUID = columns.reference("member.id")
    limit_minor: int = columns.minor()
    issued_at: datetime = columns.moment()
    expires_at: datetime = columns.moment()
    claims_until: datetime = columns.moment()
    hold_id: UUID | None = columns.reference("hold.id", nullable=True)  # on the member's account
    spent_minor: int = columns.minor()
    closed_at: datetime | None = columns.moment(nullable=True)


class Visit(SQLModel, table=True):
    """A sister's member who rides with us, under the id of their letter and without a number."""

    __tablename__ = "visit"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "claimed_minor between 0 and limit_minor", name="visits_claim_within_their_letter"
        ),
        CheckConstraint(
            "opened_at < expires_at and expires_at < claims_until",
            name="visits_end_after_they_began",
        ),
        UniqueConstraint("member_id", name="one_visit_per_visitor"),
        Index("visit_by_peer", "peer_id", "id"),
    )

    id: UUID = columns.key()
    peer_id: UUID = columns.reference("peer.id")
    member_id: UUID = columns.reference("member.id")
    account_id: UUID = columns.reference("account.id")
    limit_minor: int = columns.minor()
    opened_at: datetime = columns.moment()
    expires_at: datetime = columns.moment()
    claims_until: datetime = columns.moment()
    letter: dict[str, Any] = columns.document()
    hold_id: UUID | None = columns.reference("hold.id", nullable=True)  # on the sister's account
    claimed_minor: int = columns.minor()
    closed_at: datetime | None = columns.moment(nullable=True)
    stalled_at: datetime | None = columns.moment(nullable=True)  # a claim was rejected


class Clearing(SQLModel, table=True):
    """One claim between us and a sister, which both book under the same id, each once."""

    __tablename__ = "clearing"
    __table_args__: ClassVar[Any] = (
        columns.one_of("direction", Direction, name="clearing_directions_are_known"),
        columns.one_of("state", ClearingState, name="clearing_states_are_known"),
        columns.one_of("reason", Rejection, name="rejections_are_known"),
        CheckConstraint(
            "(state = 'rejected') = (reason is not null)", name="rejected_clearings_say_why"
        ),
        CheckConstraint("amount_minor <> 0 or closes", name="clearings_move_or_close"),
        CheckConstraint(
            "direction = 'claimed' or state <> 'pending'", name="received_clearings_are_answered"
        ),
        CheckConstraint(
            "(state = 'pending') = (answer is null) and (answer is null) = (answered_at is null)",
            name="answered_clearings_keep_the_answer",
        ),
        CheckConstraint(
            "(journal_id is not null) = (amount_minor <> 0"
            " and (direction = 'claimed' or state = 'accepted'))",
            name="clearings_are_booked",
        ),
        CheckConstraint(
            "(reversal_id is not null)"
            " = (direction = 'claimed' and state = 'rejected' and amount_minor <> 0)",
            name="rejected_claims_are_reversed",
        ),
        UniqueConstraint("journal_id", name="a_journal_books_one_clearing"),
        Index("clearing_by_peer", "peer_id", "claimed_at"),
        Index(
            "one_pending_clearing_per_visit",
            "letter_id",
            unique=True,
            postgresql_where=text("state = 'pending'"),
        ),
    )

    id: UUID = columns.key()
    peer_id: UUID = columns.reference("peer.id")
    letter_id: UUID = columns.reference()
    direction: str = columns.text()
    amount_minor: int = columns.minor()  # to whoever carried the rider; below zero: given back
    closes: bool
    claimed_at: datetime = columns.moment()
    message: dict[str, Any] = columns.document()
    state: str = columns.text()
    reason: str | None = columns.text(nullable=True)
    journal_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="journal.id", nullable=True
    )
    reversal_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="journal.id", nullable=True
    )
    # What was claimed stays set aside on the visitor's account: a letter is spent once.
    set_aside_id: UUID | None = columns.reference("hold.id", nullable=True)
    answer: dict[str, Any] | None = columns.document(nullable=True)
    answered_at: datetime | None = columns.moment(nullable=True)
    tries: int
    next_try_at: datetime = columns.moment()


class PeerStatement(SQLModel, table=True):
    """A month between us and a sister, signed by both where the lists agree."""

    __tablename__ = "peer_statement"
    __table_args__: ClassVar[Any] = (
        columns.one_of("state", StatementState, name="statement_states_are_known"),
        CheckConstraint("extract(day from month) = 1", name="statements_are_of_months"),
        CheckConstraint(
            "(state = 'agreed') = (their_signature is not null)"
            " and (state = 'agreed') = (agreed_at is not null)",
            name="agreed_statements_are_signed_by_both",
        ),
        CheckConstraint(
            "(state = 'disagreed') = (differences is not null)", name="disagreements_are_named"
        ),
        CheckConstraint(
            "settled_at is null or state = 'agreed'", name="only_agreed_statements_are_settled"
        ),
        CheckConstraint("settled_by <> drawn_by", name="somebody_else_settles_a_statement"),
        CheckConstraint(
            "(settled_by is null) = (settled_at is null)"
            " and (journal_id is null) = (settled_at is null)"
            " and (document is null) = (settled_at is null)",
            name="settled_statements_have_a_journal",
        ),
        Index(
            "one_statement_per_peer_and_month",
            "peer_id",
            "month",
            unique=True,
            postgresql_where=text("state <> 'disagreed'"),
        ),
    )

    id: UUID = columns.key()
    peer_id: UUID = columns.reference("peer.id")
    month: date
    clearings: int
    net_minor: int = columns.minor()  # above zero: we are to get it
    paper: dict[str, Any] = columns.document()
    own_signature: str = columns.text()
    their_signature: str | None = columns.text(nullable=True)
    state: str = columns.text()
    differences: list[Any] | None = columns.document(nullable=True)
    drawn_by: UUID | None = columns.reference("member.id", nullable=True)  # None: by the sister
    drawn_at: datetime = columns.moment()
    agreed_at: datetime | None = columns.moment(nullable=True)
    settled_by: UUID | None = columns.reference("member.id", nullable=True)
    settled_at: datetime | None = columns.moment(nullable=True)
    document: str | None = columns.text(nullable=True)
    journal_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="journal.id", nullable=True
    )
