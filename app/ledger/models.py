"""Tables of the books. Nobody writes them but the functions of their migration."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from app.foundation import columns
from app.ledger.accounts import (
    HOUSE_KINDS,
    PARTNER_KINDS,
    AccountKind,
    HoldOutcome,
    Purpose,
)

_HOUSE = ", ".join(f"'{kind}'" for kind in HOUSE_KINDS)
_PARTNERS = ", ".join(f"'{kind}'" for kind in PARTNER_KINDS)


class Account(SQLModel, table=True):
    """Where money stands. A member's or partner's has a balance row; a house account is summed."""

    __tablename__ = "account"
    __table_args__: ClassVar[Any] = (
        columns.one_of("kind", AccountKind, name="account_kinds_are_known"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currencies_are_iso_4217"),
        CheckConstraint(
            f"(member_id is null and partner_id is null) = (kind in ({_HOUSE}))",
            name="house_accounts_are_nobodys",
        ),
        CheckConstraint(
            f"(partner_id is not null) = (kind in ({_PARTNERS}))",
            name="partners_accounts_have_a_partner",
        ),
        UniqueConstraint("id", "currency", name="accounts_have_one_currency"),
        Index(
            "one_account_of_a_kind_per_member",
            "member_id",
            "kind",
            unique=True,
            postgresql_where=text("member_id is not null"),
        ),
        Index(
            "one_house_account_of_a_kind",
            "kind",
            unique=True,
            postgresql_where=text("member_id is null and partner_id is null"),
        ),
        Index(
            "one_account_of_a_kind_per_partner",
            "partner_id",
            "kind",
            unique=True,
            postgresql_where=text("partner_id is not null"),
        ),
    )

    id: UUID = columns.key()
    kind: str = columns.text()
    member_id: UUID | None = columns.reference("member.id", nullable=True)
    partner_id: UUID | None = columns.reference(nullable=True)  # of the room that knows partners
    currency: str = columns.text()
    opened_at: datetime = columns.moment()


class Journal(SQLModel, table=True):
    """One event in the books: the transfers that belong together, and why."""

    __tablename__ = "journal"
    __table_args__: ClassVar[Any] = (
        # A function of the database that knows them: a list of so many costs every posting time.
        CheckConstraint("is_journal_kind(kind)", name="journal_kinds_are_known"),
        UniqueConstraint("idem_scope", "idem_key", name="a_journal_is_posted_once"),
        Index(
            "a_journal_is_reversed_once",
            "reverses",
            unique=True,
            postgresql_where=text("reverses is not null"),
        ),
        Index("journal_by_subject", "subject_id"),
        Index("journal_by_transaction", "xid", "id"),
    )

    id: int = Field(primary_key=True, sa_type=BigInteger, sa_column_args=[Identity(always=True)])
    idem_scope: str = columns.text()
    idem_key: str = columns.text()
    fingerprint: bytes = Field(sa_type=LargeBinary)
    kind: str = columns.text()
    subject_id: UUID = columns.reference()
    policy_version_id: UUID | None = columns.reference("policy_version.id", nullable=True)
    reverses: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="journal.id", nullable=True
    )
    effective_at: datetime = columns.moment()
    recorded_at: datetime = columns.moment(
        sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )
    # The transaction that wrote it; 0 in rows that are older than this column.
    xid: int = Field(
        sa_type=BigInteger,
        sa_column_kwargs={"server_default": text("pg_current_xact_id()::text::bigint")},
    )


class CostEntry(SQLModel, table=True):
    """What a cost, another income or the reversal of one was for, and by which document.

    A trigger sees to it that no such journal is without its entry.
    """

    __tablename__ = "cost_entry"
    __table_args__: ClassVar[Any] = (
        columns.one_of("purpose", Purpose, name="purposes_are_known"),
        CheckConstraint("length(document) between 1 and 200", name="costs_have_a_document"),
        CheckConstraint(
            "octet_length(document_sha256) = 32", name="documents_are_hashed_by_sha_256"
        ),
        CheckConstraint("length(reason) between 1 and 500", name="reversed_costs_have_a_reason"),
        UniqueConstraint("journal_id", name="a_journal_is_of_one_cost"),
    )

    id: UUID = columns.key()
    journal_id: int = Field(sa_type=BigInteger, foreign_key="journal.id")
    purpose: str = columns.text()
    document: str = columns.text()
    document_sha256: bytes | None = Field(default=None, sa_type=LargeBinary, nullable=True)
    # Kept for the auditor, and shown to nobody by name.
    booked_by: UUID = columns.reference("member.id")
    reason: str | None = columns.text(default=None, nullable=True)  # why a cost was taken back


class Transfer(SQLModel, table=True):
    """An amount from one account to another: balanced by construction."""

    __tablename__ = "transfer"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("amount_minor > 0", name="transfers_are_positive"),
        CheckConstraint("debit_id <> credit_id", name="transfers_go_somewhere"),
        ForeignKeyConstraint(
            ["debit_id", "currency"],
            ["account.id", "account.currency"],
            name="debits_keep_currency",
        ),
        ForeignKeyConstraint(
            ["credit_id", "currency"],
            ["account.id", "account.currency"],
            name="credits_keep_currency",
        ),
        Index("transfer_by_debit", "debit_id", "journal_id"),
        Index("transfer_by_credit", "credit_id", "journal_id"),
    )

    journal_id: int = Field(primary_key=True, sa_type=BigInteger, foreign_key="journal.id")
    line: int = Field(primary_key=True)
    debit_id: UUID = columns.reference()
    credit_id: UUID = columns.reference()
    amount_minor: int = columns.minor()
    currency: str = columns.text()


class Balance(SQLModel, table=True):
    """What a member's account holds, credit positive, and how far below zero it may go."""

    __tablename__ = "balance"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("held_minor >= 0", name="holds_are_not_negative"),
        CheckConstraint("posted_minor - held_minor >= lowest_minor", name="never_below_the_limit"),
        {"postgresql_with": {"fillfactor": "50"}},
    )

    account_id: UUID = columns.reference("account.id", primary_key=True)
    posted_minor: int = columns.minor(sa_column_kwargs={"server_default": "0"})
    held_minor: int = columns.minor(sa_column_kwargs={"server_default": "0"})
    lowest_minor: int = columns.minor()


class Hold(SQLModel, table=True):
    """Money set aside for a ride until it is posted or let go, or until its time is over.

    What is taken from it may be less: the journal that ends it says how much, the rest is free.
    """

    __tablename__ = "hold"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("expires_at > placed_at", name="holds_expire_later"),
        CheckConstraint("amount_minor > 0", name="holds_are_positive"),
        Index("hold_by_account", "account_id"),
    )

    id: UUID = columns.key()
    account_id: UUID = columns.reference("account.id")
    amount_minor: int = columns.minor()
    placed_at: datetime = columns.moment()
    expires_at: datetime | None = columns.moment(nullable=True)


class HoldEnd(SQLModel, table=True):
    """How a hold ended. Its primary key is why a hold ends once."""

    __tablename__ = "hold_end"
    __table_args__: ClassVar[Any] = (
        columns.one_of("outcome", HoldOutcome, name="hold_outcomes_are_known"),
        CheckConstraint(
            "(outcome = 'posted') = (journal_id is not null)", name="posted_holds_have_a_journal"
        ),
    )

    hold_id: UUID = columns.reference("hold.id", primary_key=True)
    outcome: str = columns.text()
    journal_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="journal.id", nullable=True
    )
    ended_at: datetime = columns.moment()


class JournalReason(SQLModel, table=True):
    """Why money was taken back or put right. A trigger refuses a correction without one."""

    __tablename__ = "journal_reason"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("length(reason) between 1 and 500", name="corrections_have_a_reason"),
    )

    journal_id: int = Field(primary_key=True, sa_type=BigInteger, foreign_key="journal.id")
    reason: str = columns.text()
    # Nobody, where the program itself found that money had to go back.
    decided_by: UUID | None = columns.reference("member.id", nullable=True)


class PeriodLock(SQLModel, table=True):
    """Everything before ``until`` is closed: no journal after ``through_journal`` concerns it."""

    __tablename__ = "period_lock"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("until <= locked_at", name="periods_are_closed_after_their_end"),
    )

    until: datetime = columns.moment(primary_key=True)
    through_journal: int = Field(sa_type=BigInteger)
    locked_by: UUID | None = columns.reference("member.id", nullable=True)
    locked_at: datetime = columns.moment()


class JournalHorizon(SQLModel, table=True):
    """A journal's number up to which none was still being written when it was noted."""

    __tablename__ = "journal_horizon"

    journal_id: int = Field(primary_key=True, sa_type=BigInteger, foreign_key="journal.id")


class AccountRollup(SQLModel, table=True):
    """All that a house account was debited and credited up to a journal, which stays so."""

    __tablename__ = "account_rollup"

    account_id: UUID = columns.reference("account.id", primary_key=True)
    through_journal: int = Field(
        primary_key=True, sa_type=BigInteger, foreign_key="journal_horizon.journal_id"
    )
    debits_minor: int = columns.minor()
    credits_minor: int = columns.minor()
