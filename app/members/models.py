"""Tables of people: members, their roles, sessions, papers and vehicles."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.foundation import columns
from app.members.roles import ApplicationState, DocumentKind, Role
from governance.electorate import House


class Member(SQLModel, table=True):
    """A person who signed in once."""

    __tablename__ = "member"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("phone", name="one_member_per_phone"),
        CheckConstraint("phone ~ '^\\+[1-9][0-9]{6,14}$'", name="phones_are_e164"),
    )

    id: UUID = columns.key()
    phone: str | None = columns.text(nullable=True)  # none: a visitor, known by a letter
    name: str = columns.text(sa_column_kwargs={"server_default": ""})
    language: str = columns.text(sa_column_kwargs={"server_default": "en"})
    joined_at: datetime = columns.moment()


class MemberRole(SQLModel, table=True):
    """A role that a member holds."""

    __tablename__ = "member_role"
    __table_args__: ClassVar[Any] = (columns.one_of("role", Role, name="roles_are_known"),)

    member_id: UUID = columns.reference("member.id", primary_key=True)
    role: str = columns.text(primary_key=True)
    granted_at: datetime = columns.moment()
    granted_by: UUID | None = columns.reference("member.id", nullable=True)


class SignInCode(SQLModel, table=True):
    """A one-time code sent to a phone number; only a keyed hash of it is stored."""

    __tablename__ = "sign_in_code"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("tries between 0 and 5", name="five_tries_at_most"),
        Index("sign_in_code_by_phone", "phone_hash", "sent_at"),
        Index("sign_in_code_by_prefix", "prefix", "sent_at"),
        Index("sign_in_code_by_address", "address_hash", "sent_at"),
    )

    id: UUID = columns.key()
    phone_hash: bytes = Field(sa_type=LargeBinary)
    prefix: str = columns.text()
    address_hash: bytes = Field(sa_type=LargeBinary)
    code_hash: bytes = Field(sa_type=LargeBinary)
    tries: int = Field(sa_column_kwargs={"server_default": "0"})
    sent_at: datetime = columns.moment()
    expires_at: datetime = columns.moment()
    used_at: datetime | None = columns.moment(nullable=True)


class Session(SQLModel, table=True):
    """A signed-in device: hashes of its two tokens, and when it ends."""

    __tablename__ = "session"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("access_hash", name="access_tokens_differ"),
        UniqueConstraint("refresh_hash", name="refresh_tokens_differ"),
        Index("session_by_member", "member_id"),
    )

    id: UUID = columns.key()
    member_id: UUID = columns.reference("member.id")
    access_hash: bytes = Field(sa_type=LargeBinary)
    access_expires_at: datetime = columns.moment()
    refresh_hash: bytes = Field(sa_type=LargeBinary)
    refresh_expires_at: datetime = columns.moment()
    started_at: datetime = columns.moment()
    ended_at: datetime | None = columns.moment(nullable=True)


class SocketTicket(SQLModel, table=True):
    """A pass for one socket, good once and for 30 seconds."""

    __tablename__ = "socket_ticket"

    ticket_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    session_id: UUID = columns.reference("session.id")
    expires_at: datetime = columns.moment()


class Suspension(SQLModel, table=True):
    """A person's decision to suspend a member: never a machine's, never without a reason."""

    __tablename__ = "suspension"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("length(reason) >= 10", name="suspensions_have_a_reason"),
        CheckConstraint("by_member_id <> member_id", name="nobody_suspends_themselves"),
        CheckConstraint(
            "(lifted_at is null) = (lifted_by is null)", name="a_person_lifts_a_suspension"
        ),
        Index(
            "one_open_suspension_per_member",
            "member_id",
            unique=True,
            postgresql_where=text("lifted_at is null"),
        ),
    )

    id: UUID = columns.key()
    member_id: UUID = columns.reference("member.id")
    by_member_id: UUID = columns.reference("member.id")
    reason: str = columns.text()
    since: datetime = columns.moment()
    lifted_at: datetime | None = columns.moment(nullable=True)
    lifted_by: UUID | None = columns.reference("member.id", nullable=True)


class DriverApplication(SQLModel, table=True):
    """A member's application to drive; a person admits or refuses it."""

    __tablename__ = "driver_application"
    __table_args__: ClassVar[Any] = (
        columns.one_of("state", ApplicationState, name="application_states_are_known"),
        CheckConstraint(
            "(state = 'submitted') = (decided_by is null)", name="a_person_decides_applications"
        ),
        CheckConstraint("decided_by <> member_id", name="nobody_admits_themselves"),
        CheckConstraint(
            "state <> 'refused' or length(reason) >= 10", name="refusals_have_a_reason"
        ),
        Index(
            "one_open_application_per_member",
            "member_id",
            unique=True,
            postgresql_where=text("state in ('submitted', 'admitted')"),
        ),
        Index("driver_application_by_state", "state", "id"),
    )

    id: UUID = columns.key()
    member_id: UUID = columns.reference("member.id")
    state: str = columns.text()
    submitted_at: datetime = columns.moment()
    decided_at: datetime | None = columns.moment(nullable=True)
    decided_by: UUID | None = columns.reference("member.id", nullable=True)
    reason: str | None = columns.text(nullable=True)


class Vehicle(SQLModel, table=True):
    """A car of a driver."""

    __tablename__ = "vehicle"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("seats between 1 and 8", name="cars_have_one_to_eight_seats"),
        Index("vehicle_by_member", "member_id"),
    )

    id: UUID = columns.key()
    member_id: UUID = columns.reference("member.id")
    application_id: UUID = columns.reference("driver_application.id")
    make: str = columns.text()
    model: str = columns.text()
    colour: str = columns.text()
    plate: str = columns.text()
    seats: int
    takes_wheelchair: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})


class Document(SQLModel, table=True):
    """A paper of a driver and the last day on which it holds."""

    __tablename__ = "document"
    __table_args__: ClassVar[Any] = (
        columns.one_of("kind", DocumentKind, name="document_kinds_are_known"),
        UniqueConstraint("application_id", "kind", name="one_document_of_a_kind"),
        Index("document_by_member", "member_id", "kind"),
    )

    id: UUID = columns.key()
    member_id: UUID = columns.reference("member.id")
    application_id: UUID = columns.reference("driver_application.id")
    kind: str = columns.text()
    number: str = columns.text()
    expires_on: date


class Membership(SQLModel, table=True):
    """A member's application to the register of one house, and everything that became of it.

    A row is never closed by overwriting: who left applies anew, on a row of its own.
    """

    __tablename__ = "membership"
    __table_args__: ClassVar[Any] = (
        columns.one_of("house", House, name="houses_are_known"),
        CheckConstraint("shares_minor >= 0", name="shares_are_not_negative"),
        CheckConstraint("shares_booked_by <> member_id", name="somebody_else_books_a_share"),
        CheckConstraint(
            "shares_booked_by is null or shares_paid_at is not null", name="a_booked_share_is_paid"
        ),
        CheckConstraint(
            "(admitted_at is null) = (admitted_by is null)", name="a_person_admits_members"
        ),
        CheckConstraint("admitted_by <> member_id", name="nobody_admits_themselves_as_member"),
        CheckConstraint(
            "admitted_at is null or coalesce(shares_paid_at <= admitted_at, false)",
            name="who_is_admitted_has_paid",
        ),
        CheckConstraint(
            "(refused_at is null) = (refused_by is null)", name="a_person_refuses_members"
        ),
        CheckConstraint("refused_by <> member_id", name="nobody_refuses_themselves"),
        CheckConstraint(
            "(refused_at is null) = (reason is null) and coalesce(length(reason) >= 10, true)",
            name="refused_members_read_why",
        ),
        CheckConstraint(
            "admitted_at is null or refused_at is null", name="a_membership_is_decided_once"
        ),
        CheckConstraint(
            "refused_at is null or left_at is null", name="who_was_refused_did_not_leave"
        ),
        CheckConstraint(
            "left_at >= coalesce(admitted_at, applied_at)", name="members_leave_after_they_came"
        ),
        Index(
            "one_open_membership_per_member",
            "member_id",
            unique=True,
            postgresql_where=text("refused_at is null and left_at is null"),
        ),
        Index("membership_by_member", "member_id", "id"),
    )

    id: UUID = columns.key()
    member_id: UUID = columns.reference("member.id")
    house: str = columns.text()
    shares_minor: int = columns.minor()  # asked when the member applied
    applied_at: datetime = columns.moment()
    shares_paid_at: datetime | None = columns.moment(nullable=True)
    # Nobody booked it where nothing was left to pay.
    shares_booked_by: UUID | None = columns.reference("member.id", nullable=True)
    admitted_at: datetime | None = columns.moment(nullable=True)
    admitted_by: UUID | None = columns.reference("member.id", nullable=True)
    refused_at: datetime | None = columns.moment(nullable=True)
    refused_by: UUID | None = columns.reference("member.id", nullable=True)
    reason: str | None = columns.text(nullable=True)
    left_at: datetime | None = columns.moment(nullable=True)
    # Signing in and staying signed in move it, at most once a day: driving and riding need both.
    last_active_at: datetime = columns.moment()


class Erasure(SQLModel, table=True):
    """That a person is to be erased from the proofs of the books: two people decide it."""

    __tablename__ = "erasure"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("asked_by <> member_id", name="nobody_asks_to_be_erased_by_themselves"),
        CheckConstraint(
            "confirmed_by <> asked_by and confirmed_by <> member_id",
            name="somebody_else_confirms_an_erasure",
        ),
        CheckConstraint(
            "(confirmed_at is null) = (confirmed_by is null)"
            " and (withdrawn_at is null) = (withdrawn_by is null)",
            name="a_person_decides_erasures",
        ),
        CheckConstraint(
            "confirmed_at is null or withdrawn_at is null", name="an_erasure_is_decided_once"
        ),
        CheckConstraint(
            "confirmed_at >= asked_at and withdrawn_at >= asked_at",
            name="an_erasure_is_decided_after_it_was_asked",
        ),
        Index(
            "one_open_erasure_per_person",
            "member_id",
            unique=True,
            postgresql_where=text("confirmed_at is null and withdrawn_at is null"),
        ),
    )

    id: UUID = columns.key()
    member_id: UUID = columns.reference("member.id")
    asked_by: UUID = columns.reference("member.id")
    asked_at: datetime = columns.moment()
    confirmed_by: UUID | None = columns.reference("member.id", nullable=True)
    confirmed_at: datetime | None = columns.moment(nullable=True)
    withdrawn_by: UUID | None = columns.reference("member.id", nullable=True)
    withdrawn_at: datetime | None = columns.moment(nullable=True)


class MemberKey(SQLModel, table=True):
    """The public half of a key on a member's own device, which signs what it asks of issuers."""

    __tablename__ = "member_key"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("octet_length(public_key) = 32", name="member_keys_are_ed25519"),
        CheckConstraint("replaced_at >= set_at", name="keys_are_replaced_after_they_were_set"),
        Index(
            "one_current_key_per_member",
            "member_id",
            unique=True,
            postgresql_where=text("replaced_at is null"),
        ),
    )

    public_key: bytes = Field(primary_key=True, sa_type=LargeBinary)
    member_id: UUID = columns.reference("member.id")
    set_at: datetime = columns.moment()
    replaced_at: datetime | None = columns.moment(nullable=True)
