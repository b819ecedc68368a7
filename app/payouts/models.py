"""Tables of payouts: bank accounts, batches, the payouts in them, the files for the bank."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from app.foundation import columns
from app.payouts.rules import LeftOut, PayoutState


class BankAccount(SQLModel, table=True):
    """Where a member is paid. One is current; those before stay as the history."""

    __tablename__ = "bank_account"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'", name="ibans_have_their_form"),
        CheckConstraint("length(holder_name) between 1 and 70", name="bank_accounts_have_a_holder"),
        CheckConstraint("payable_from >= registered_at", name="bank_accounts_are_held_forwards"),
        CheckConstraint("replaced_at >= registered_at", name="bank_accounts_are_replaced_later"),
        UniqueConstraint("id", "member_id", name="bank_accounts_are_one_members"),
        Index(
            "one_current_bank_account_per_member",
            "member_id",
            unique=True,
            postgresql_where=text("replaced_at is null"),
        ),
        Index("bank_account_by_member", "member_id", "id"),
    )

    id: UUID = columns.key()
    member_id: UUID = columns.reference("member.id")
    holder_name: str = columns.text()
    iban: str = columns.text()
    registered_at: datetime = columns.moment()
    payable_from: datetime = columns.moment()
    replaced_at: datetime | None = columns.moment(nullable=True)


class PayoutBatch(SQLModel, table=True):
    """Payouts that one person prepared and another one releases, or that somebody cancels."""

    __tablename__ = "payout_batch"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("released_by <> prepared_by", name="somebody_else_releases_a_batch"),
        CheckConstraint(
            "(released_by is null) = (released_at is null)"
            " and (execute_on is null) = (released_at is null)",
            name="a_person_releases_batches",
        ),
        CheckConstraint(
            "(cancelled_by is null) = (cancelled_at is null)"
            " and (reason is null) = (cancelled_at is null)",
            name="a_person_cancels_batches",
        ),
        CheckConstraint(
            "released_at is null or cancelled_at is null", name="a_batch_is_decided_once"
        ),
        CheckConstraint("length(reason) between 1 and 500", name="cancelled_batches_have_a_reason"),
        CheckConstraint("until <= prepared_at", name="a_batch_pays_what_is_past"),
    )

    id: UUID = columns.key()
    currency: str = columns.text()
    until: datetime = columns.moment()
    prepared_by: UUID = columns.reference("member.id")
    prepared_at: datetime = columns.moment()
    passed_over: dict[str, Any] = columns.document()
    released_by: UUID | None = columns.reference("member.id", nullable=True)
    released_at: datetime | None = columns.moment(nullable=True)
    execute_on: date | None = Field(default=None, nullable=True)
    cancelled_by: UUID | None = columns.reference("member.id", nullable=True)
    cancelled_at: datetime | None = columns.moment(nullable=True)
    reason: str | None = columns.text(nullable=True)


class Payout(SQLModel, table=True):
    """What one batch pays to one driver. A trigger lets it take only the steps of the table."""

    __tablename__ = "payout"
    __table_args__: ClassVar[Any] = (
        columns.one_of("state", PayoutState, name="payout_states_are_known"),
        columns.one_of("left_out_because", LeftOut, name="reasons_to_leave_out_are_known"),
        CheckConstraint("amount_minor > 0", name="payouts_are_positive"),
        CheckConstraint(
            "(state = 'left_out') = (left_out_because is not null)",
            name="left_out_payouts_say_why",
        ),
        CheckConstraint(
            "(state in ('released', 'settled', 'returned')) = (release_journal_id is not null)",
            name="released_payouts_have_a_journal",
        ),
        CheckConstraint(
            "(state <> 'settled' or settle_journal_id is not null)"
            " and (settle_journal_id is null or state in ('settled', 'returned'))"
            " and (settle_journal_id is null) = (settled_at is null)",
            name="settled_payouts_have_a_journal",
        ),
        CheckConstraint(
            "(state = 'returned') = (return_journal_id is not null)"
            " and (return_journal_id is null) = (returned_at is null)",
            name="returned_payouts_have_a_journal",
        ),
        CheckConstraint("reason_code ~ '^[A-Z0-9]{1,4}$'", name="reason_codes_have_their_form"),
        ForeignKeyConstraint(
            ["bank_account_id", "member_id"],
            ["bank_account.id", "bank_account.member_id"],
            name="payouts_go_to_the_drivers_own_account",
        ),
        UniqueConstraint("batch_id", "member_id", name="one_payout_per_driver_and_batch"),
        UniqueConstraint("release_journal_id", name="a_journal_releases_one_payout"),
        UniqueConstraint("settle_journal_id", name="a_journal_settles_one_payout"),
        UniqueConstraint("return_journal_id", name="a_journal_returns_one_payout"),
        # A payout that was released is off the account: what is earned since may be paid as well.
        Index(
            "one_open_payout_per_driver",
            "member_id",
            unique=True,
            postgresql_where=text("state = 'prepared'"),
        ),
        Index("payout_by_member", "member_id", "id"),
        Index("payout_by_bank_account", "bank_account_id"),
    )

    id: UUID = columns.key()
    batch_id: UUID = columns.reference("payout_batch.id")
    member_id: UUID = columns.reference("member.id")
    account_id: UUID = columns.reference("account.id")
    bank_account_id: UUID = columns.reference()
    amount_minor: int = columns.minor()
    state: str = columns.text()
    left_out_because: str | None = columns.text(nullable=True)
    release_journal_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="journal.id", nullable=True
    )
    settle_journal_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="journal.id", nullable=True
    )
    settled_at: datetime | None = columns.moment(nullable=True)
    return_journal_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="journal.id", nullable=True
    )
    returned_at: datetime | None = columns.moment(nullable=True)
    reason_code: str | None = columns.text(nullable=True)


class PayoutFile(SQLModel, table=True):
    """The file of a batch, drawn once: the bank and an auditor always get the same bytes."""

    __tablename__ = "payout_file"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("sha256(content) = content_sha256", name="files_match_their_hash"),
    )

    batch_id: UUID = columns.reference("payout_batch.id", primary_key=True)
    form: str = columns.text()
    content: bytes = Field(sa_type=LargeBinary)
    content_sha256: bytes = Field(sa_type=LargeBinary)
    drawn_by: UUID = columns.reference("member.id")
    drawn_at: datetime = columns.moment()
