"""Tables of elections: frozen terms, who stamps, who may vote, and what was counted."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Float,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from app.assembly.elections.notices import Alarm, Notice
from app.assembly.elections.rules import FEWEST_REASON_CHARACTERS, MOST_REASON_CHARACTERS
from app.foundation import columns


class ElectionRow(SQLModel, table=True):
    """One secret vote. `terms` are fixed when it is frozen; the manifest adds the issuers' keys.

    A trigger refuses every change once the manifest is there.
    """

    __tablename__ = "election"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "opens_at < closes_at and closes_at <= published_by",
            name="an_election_opens_then_closes_then_publishes",
        ),
        CheckConstraint(
            "(manifest is null) = (manifest_hash is null)", name="a_manifest_has_its_hash"
        ),
        CheckConstraint("length(salt) = 32", name="roll_salts_are_long"),
        CheckConstraint("length(manifest_hash) = 32", name="manifest_hashes_are_whole"),
    )

    id: UUID = columns.key()
    proposal_id: UUID = columns.reference("proposal.id", unique=True)
    salt: bytes = Field(sa_type=LargeBinary)
    terms: Any = columns.document()
    manifest: Any = columns.document(nullable=True)
    manifest_hash: bytes | None = Field(
        default=None, sa_type=LargeBinary, nullable=True, unique=True
    )
    frozen_at: datetime = columns.moment()
    opens_at: datetime = columns.moment()
    closes_at: datetime = columns.moment()
    published_by: datetime = columns.moment()


class ElectionIssuer(SQLModel, table=True):
    """One desk that stamps credentials; each step with it leaves its answer here, once."""

    __tablename__ = "election_issuer"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("issuer_no >= 0", name="issuers_count_from_zero"),
        CheckConstraint(
            "(moduli is null) = (seal_key is null) and (moduli is null) = (name is null)",
            name="an_issuer_gives_all_its_keys",
        ),
        CheckConstraint("seal is null or moduli is not null", name="seals_follow_keys"),
    )

    election_id: UUID = columns.reference("election.id", primary_key=True)
    issuer_no: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    url: str = columns.text()
    name: str | None = columns.text(nullable=True)
    moduli: Any = columns.document(nullable=True)
    seal_key: str | None = columns.text(nullable=True)
    seal: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)


class ElectionRoll(SQLModel, table=True):
    """Who may vote, and under which pseudonym she stands on the roll that everybody sees."""

    __tablename__ = "election_roll"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("election_id", "member_id", name="one_seat_for_one_member"),
        CheckConstraint("length(public_key) = 32", name="keys_on_a_roll_are_whole"),
        Index("election_roll_by_member", "member_id"),
    )

    election_id: UUID = columns.reference("election.id", primary_key=True)
    member_hash: str = columns.text(primary_key=True)
    house_no: int
    member_id: UUID = columns.reference("member.id")
    public_key: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)


class Issuance(SQLModel, table=True):
    """That an issuer's public log names a member. It tells no time, and nothing of a ballot."""

    __tablename__ = "issuance"

    election_id: UUID = columns.reference("election.id", primary_key=True)
    issuer_no: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    member_hash: str = columns.text(primary_key=True)
    house_no: int


class IssuanceLogRow(SQLModel, table=True):
    """An issuer's signed log for one house, as it was when the vote had closed."""

    __tablename__ = "issuance_log"

    election_id: UUID = columns.reference("election.id", primary_key=True)
    issuer_no: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    house_no: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    document: Any = columns.document()


class ElectionRevocation(SQLModel, table=True):
    """A membership that ended during a vote: the order, the issuers' answers, the document."""

    __tablename__ = "election_revocation"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("election_id", "number", name="revocations_follow_each_other"),
        CheckConstraint("number >= 0", name="revocations_count_from_zero"),
    )

    election_id: UUID = columns.reference("election.id", primary_key=True)
    member_hash: str = columns.text(primary_key=True)
    house_no: int
    number: int
    answers: Any = columns.document(sa_column_kwargs={"server_default": text("'{}'::jsonb")})
    document: Any = columns.document(nullable=True)


class ElectionNotice(SQLModel, table=True):
    """That a member was told something about a vote; told once, not when."""

    __tablename__ = "election_notice"
    __table_args__: ClassVar[Any] = (columns.one_of("kind", Notice, name="notices_are_known"),)

    proposal_id: UUID = columns.reference("proposal.id", primary_key=True)
    member_id: UUID = columns.reference("member.id", primary_key=True)
    kind: str = columns.text(primary_key=True)


class ElectionAlarm(SQLModel, table=True):
    """That all members were told what is wrong with a vote under way; told once, append-only."""

    __tablename__ = "election_alarm"
    __table_args__: ClassVar[Any] = (columns.one_of("kind", Alarm, name="alarms_are_known"),)

    election_id: UUID = columns.reference("election.id", primary_key=True)
    kind: str = columns.text(primary_key=True)


class ElectionFault(SQLModel, table=True):
    """What our own recount found wrong, in its words: why a vote was voided."""

    __tablename__ = "election_fault"

    election_id: UUID = columns.reference("election.id", primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str = columns.text()
    detail: str = columns.text()


class AuditStop(SQLModel, table=True):
    """That an auditor wants a vote stopped, and the reason that everybody reads; append-only."""

    __tablename__ = "audit_stop"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            f"length(reason) between {FEWEST_REASON_CHARACTERS} and {MOST_REASON_CHARACTERS}",
            name="reasons_of_a_stop_are_of_some_length",
        ),
        UniqueConstraint("election_id", "asked_by", name="an_auditor_asks_once_in_a_vote"),
        UniqueConstraint("id", "asked_by", name="a_stop_is_of_one_auditor"),
    )

    id: UUID = columns.key()
    election_id: UUID = columns.reference("election.id")
    reason: str = columns.text()
    asked_by: UUID = columns.reference("member.id")
    asked_at: datetime = columns.moment()


class AuditConfirmation(SQLModel, table=True):
    """That another auditor agrees, which voids the vote; append-only."""

    __tablename__ = "audit_confirmation"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("confirmed_by <> asked_by", name="two_auditors_stop_a_vote"),
        # Who asked stands here too, so that the check can see both.
        ForeignKeyConstraint(["stop_id", "asked_by"], ["audit_stop.id", "audit_stop.asked_by"]),
    )

    stop_id: UUID = columns.reference(primary_key=True)
    asked_by: UUID = columns.reference()
    confirmed_by: UUID = columns.reference("member.id")
    confirmed_at: datetime = columns.moment()


class Tally(SQLModel, table=True):
    """What a vote decided, by the database's own time; one function writes it, nobody edits it."""

    __tablename__ = "tally"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("length(package_hash) = 32", name="package_hashes_are_whole"),
    )

    id: UUID = columns.key()
    election_id: UUID = columns.reference("election.id", unique=True)
    rule: str = columns.text()
    result: Any = columns.document()
    counted: Any = columns.document()
    package_hash: bytes = Field(sa_type=LargeBinary)
    tallied_at: datetime = columns.moment()


class DemoClock(SQLModel, table=True):
    """The scaled time of a demonstration, written by the owner at founding, never by the app."""

    __tablename__ = "demo_clock"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("one", name="one_demo_clock_per_database"),
        CheckConstraint("speed > 0", name="demo_time_passes"),
    )

    one: bool = Field(primary_key=True)
    start_at: datetime = columns.moment()
    anchor_s: float = Field(sa_type=Float)
    speed: float = Field(sa_type=Float)
