"""Tables of people: members, their roles, sessions, papers and vehicles."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.foundation import columns
from app.members.roles import ApplicationState, DocumentKind, Role


class Member(SQLModel, table=True):
    """A person who signed in once."""

    __tablename__ = "member"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("phone", name="one_member_per_phone"),
        CheckConstraint("phone ~ '^\\+[1-9][0-9]{6,14}$'", name="phones_are_e164"),
    )

    id: UUID = columns.key()
    phone: str = columns.text()
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
