"""Tables of payments: methods, payments, commands to a provider and its events."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from app.foundation import columns
from app.payments.rules import Act, CommandState, Kind, Method, PaymentState


class PaymentMethod(SQLModel, table=True):
    """A rider's card as its provider calls it. A number is never here: the checks see to it."""

    __tablename__ = "payment_method"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "token ~ '^[a-z]{2,8}_[A-Za-z0-9_]{1,200}$' and token !~ '[0-9]{12}'",
            name="tokens_are_no_card_numbers",
        ),
        CheckConstraint(
            "length(label) between 1 and 60 and label !~ '[0-9]([ -]?[0-9]){4}'",
            name="labels_are_no_card_numbers",
        ),
        CheckConstraint("removed_at >= added_at", name="methods_are_removed_later"),
        CheckConstraint(
            "not is_default or removed_at is null", name="removed_methods_are_no_default"
        ),
        UniqueConstraint("id", "member_id", name="methods_are_one_members"),
        Index(
            "one_default_method_per_member",
            "member_id",
            unique=True,
            postgresql_where=sql("is_default"),
        ),
        Index(
            "a_token_is_one_members",
            "provider",
            "token",
            unique=True,
            postgresql_where=sql("removed_at is null"),
        ),
        Index("payment_method_by_member", "member_id", "id"),
    )

    id: UUID = columns.key()
    member_id: UUID = columns.reference("member.id")
    provider: str = columns.text()
    token: str = columns.text()
    label: str = columns.text()
    is_default: bool
    added_at: datetime = columns.moment()
    removed_at: datetime | None = columns.moment(nullable=True)


class Payment(SQLModel, table=True):
    """What one rider owes for one ride by one method, and how far its payment has come.

    What the provider said is kept as sums that only grow; a trigger sees to it, and to the steps.
    """

    __tablename__ = "payment"
    __table_args__: ClassVar[Any] = (
        columns.one_of("kind", Kind, name="payment_kinds_are_known"),
        columns.one_of("method", Method, name="payment_methods_are_known"),
        columns.one_of("state", PaymentState, name="payment_states_are_known"),
        CheckConstraint("amount_minor >= 0", name="payments_are_not_negative"),
        CheckConstraint(
            "(state = 'failed') = (failed_at is not null)", name="failures_have_a_time"
        ),
        CheckConstraint("state <> 'failed' or failure is not null", name="failures_say_why"),
        CheckConstraint("(kind = 'extra') = (key is not null)", name="extras_have_a_key"),
        CheckConstraint(
            "(method = 'card') = (provider is not null)"
            " and (method = 'card') = (payment_method_id is not null)",
            name="cards_have_a_provider",
        ),
        CheckConstraint(
            "(method = 'invoice') = (client_id is not null)", name="invoices_have_a_client"
        ),
        CheckConstraint(
            "authorised_minor >= 0 and captured_minor >= 0 and refunded_minor >= 0"
            " and withdrawn_minor >= 0 and reinstated_minor >= 0",
            name="sums_of_payments_are_not_negative",
        ),
        CheckConstraint("refunded_minor <= captured_minor", name="refunds_were_captured"),
        CheckConstraint("reinstated_minor <= withdrawn_minor", name="reinstated_was_withdrawn"),
        CheckConstraint(
            "state not in ('captured', 'refunded', 'charged_back') or captured_minor > 0",
            name="captured_payments_have_an_amount",
        ),
        ForeignKeyConstraint(
            ["payment_method_id", "rider_id"],
            ["payment_method.id", "payment_method.member_id"],
            name="riders_pay_by_their_own_cards",
        ),
        Index(
            "one_payment_per_ride",
            "ride_id",
            unique=True,
            postgresql_where=sql("kind = 'ride'"),
        ),
        Index(
            "an_extra_is_charged_once",
            "ride_id",
            "key",
            unique=True,
            postgresql_where=sql("kind = 'extra'"),
        ),
        Index("a_reference_is_of_one_payment", "provider", "reference", unique=True),
        Index("payment_by_rider", "rider_id", "id"),
        Index("payment_failed", "failed_at", postgresql_where=sql("state = 'failed'")),
        Index("payment_by_method", "payment_method_id"),
    )

    id: UUID = columns.key()
    ride_id: UUID = columns.reference("ride.id")
    rider_id: UUID = columns.reference("member.id")
    kind: str = columns.text()
    key: str | None = columns.text(nullable=True)
    method: str = columns.text()
    state: str = columns.text()
    amount_minor: int = columns.minor()
    payment_method_id: UUID | None = columns.reference(nullable=True)
    provider: str | None = columns.text(nullable=True)
    reference: str | None = columns.text(nullable=True)  # the provider's own name of it
    client_id: UUID | None = columns.reference("contract_client.id", nullable=True)
    # What is set aside on the driver's account (cash) or on the client's (invoice).
    hold_id: UUID | None = columns.reference("hold.id", nullable=True)
    authorised_minor: int = columns.minor(sa_column_kwargs={"server_default": "0"})
    captured_minor: int = columns.minor(sa_column_kwargs={"server_default": "0"})
    refunded_minor: int = columns.minor(sa_column_kwargs={"server_default": "0"})
    withdrawn_minor: int = columns.minor(sa_column_kwargs={"server_default": "0"})
    reinstated_minor: int = columns.minor(sa_column_kwargs={"server_default": "0"})
    begun_at: datetime = columns.moment()
    looked_at: datetime | None = columns.moment(nullable=True)  # when the provider was last asked
    failed_at: datetime | None = columns.moment(nullable=True)
    failure: str | None = columns.text(nullable=True)


class PaymentCommand(SQLModel, table=True):
    """What a provider is to be asked, under a key by which it acts once."""

    __tablename__ = "payment_command"
    __table_args__: ClassVar[Any] = (
        columns.one_of("act", Act, name="payment_acts_are_known"),
        columns.one_of("state", CommandState, name="payment_command_states_are_known"),
        CheckConstraint("amount_minor > 0 or act = 'void'", name="commands_move_something"),
        CheckConstraint(
            "(state = 'due') = (ended_at is null)", name="commands_that_ended_have_a_time"
        ),
        CheckConstraint("attempts between 0 and 100", name="commands_are_not_tried_for_ever"),
        UniqueConstraint("key", name="a_command_is_given_once"),
        UniqueConstraint("payment_id", "seq", name="commands_of_a_payment_have_an_order"),
        Index("payment_command_due", "due_at", postgresql_where=sql("state = 'due'")),
    )

    id: UUID = columns.key()
    payment_id: UUID = columns.reference("payment.id")
    seq: int
    act: str = columns.text()
    key: str = columns.text()
    amount_minor: int = columns.minor()
    state: str = columns.text()
    due_at: datetime = columns.moment()
    attempts: int
    hold_id: UUID | None = columns.reference("hold.id", nullable=True)  # of what is refunded
    ended_at: datetime | None = columns.moment(nullable=True)
    answer: str | None = columns.text(nullable=True)


class ProviderEvent(SQLModel, table=True):
    """An event that a provider told us: its name, so that each is taken once."""

    __tablename__ = "provider_event"
    __table_args__: ClassVar[Any] = (Index("provider_event_by_payment", "payment_id"),)

    provider: str = columns.text(primary_key=True)
    event_id: str = columns.text(primary_key=True)
    type: str = columns.text()
    payment_id: UUID | None = columns.reference("payment.id", nullable=True)
    received_at: datetime = columns.moment()


class CardSettlement(SQLModel, table=True):
    """What a provider paid to the bank, and kept for its work."""

    __tablename__ = "card_settlement"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("gross_minor > 0", name="settlements_are_positive"),
        CheckConstraint(
            "fee_minor >= 0 and fee_minor < gross_minor", name="fees_are_a_part_of_a_settlement"
        ),
        UniqueConstraint("provider", "reference", name="a_settlement_is_booked_once"),
        UniqueConstraint("journal_id", name="a_journal_is_of_one_settlement"),
    )

    id: UUID = columns.key()
    provider: str = columns.text()
    reference: str = columns.text()
    gross_minor: int = columns.minor()
    fee_minor: int = columns.minor()
    journal_id: int = Field(sa_type=BigInteger, foreign_key="journal.id")
    booked_by: UUID = columns.reference("member.id")
    booked_at: datetime = columns.moment()


class CashRule(SQLModel, table=True):
    """How much a driver may owe of fares taken in cash, since when. The newest one is in force."""

    __tablename__ = "cash_rule"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("limit_minor >= 0", name="cash_limits_are_not_negative"),
        Index("cash_rule_by_time", "set_at"),
    )

    id: UUID = columns.key()
    limit_minor: int = columns.minor()
    set_by: UUID = columns.reference("member.id")
    set_at: datetime = columns.moment()
