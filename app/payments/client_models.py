"""Tables of contract clients: who they are, for whom they pay, and their invoices."""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from app.foundation import columns


class ContractClient(SQLModel, table=True):
    """A business or household that is invoiced for the rides of those it pays for."""

    __tablename__ = "contract_client"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("length(name) between 1 and 120", name="clients_have_a_name"),
        CheckConstraint(
            "length(billing_address) between 1 and 500", name="clients_have_an_address"
        ),
        CheckConstraint("limit_minor > 0", name="clients_have_a_limit"),
        CheckConstraint("length(vat_number) between 4 and 20", name="vat_numbers_have_their_form"),
        CheckConstraint("ended_at >= opened_at", name="contracts_end_later"),
        UniqueConstraint("account_id", name="an_account_is_one_clients"),
    )

    id: UUID = columns.key()
    name: str = columns.text()
    billing_address: str = columns.text()
    vat_number: str | None = columns.text(nullable=True)
    limit_minor: int = columns.minor()
    account_id: UUID = columns.reference("account.id")
    opened_by: UUID = columns.reference("member.id")
    opened_at: datetime = columns.moment()
    ended_at: datetime | None = columns.moment(nullable=True)


class ContractRider(SQLModel, table=True):
    """A rider for whom a client pays, since when and until when."""

    __tablename__ = "contract_rider"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("ended_at >= since", name="clients_stop_paying_later"),
        Index(
            "one_client_pays_for_a_rider",
            "rider_id",
            unique=True,
            postgresql_where=sql("ended_at is null"),
        ),
        Index("contract_rider_by_client", "client_id"),
    )

    id: UUID = columns.key()
    client_id: UUID = columns.reference("contract_client.id")
    rider_id: UUID = columns.reference("member.id")
    authorised_by: UUID = columns.reference("member.id")
    since: datetime = columns.moment()
    ended_at: datetime | None = columns.moment(nullable=True)


class Invoice(SQLModel, table=True):
    """What a client is asked to pay for a month. Numbers have no gaps."""

    __tablename__ = "invoice"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("number > 0", name="invoices_are_numbered_from_one"),
        CheckConstraint("total_minor > 0", name="invoices_ask_for_something"),
        CheckConstraint("due_on > month", name="invoices_are_due_after_their_month"),
        CheckConstraint("extract(day from month) = 1", name="invoices_are_of_whole_months"),
        CheckConstraint(
            "(paid_at is null) = (paid_journal_id is null)"
            " and (paid_at is null) = (paid_by is null)",
            name="paid_invoices_have_a_journal",
        ),
        UniqueConstraint("number", name="an_invoice_has_its_own_number"),
        UniqueConstraint("client_id", "month", name="one_invoice_per_client_and_month"),
        UniqueConstraint("paid_journal_id", name="a_journal_pays_one_invoice"),
    )

    id: UUID = columns.key()
    number: int = Field(sa_type=BigInteger)
    client_id: UUID = columns.reference("contract_client.id")
    month: date
    total_minor: int = columns.minor()
    due_on: date
    issued_by: UUID = columns.reference("member.id")
    issued_at: datetime = columns.moment()
    paid_by: UUID | None = columns.reference("member.id", nullable=True)
    paid_at: datetime | None = columns.moment(nullable=True)
    paid_journal_id: int | None = Field(
        default=None, sa_type=BigInteger, foreign_key="journal.id", nullable=True
    )


class ClientCharge(SQLModel, table=True):
    """What a client took over of a rider's debt (below zero: what came back), and its invoice."""

    __tablename__ = "client_charge"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("amount_minor <> 0", name="charges_are_of_something"),
        UniqueConstraint("journal_id", name="a_journal_is_of_one_charge"),
        Index("client_charge_open", "client_id", postgresql_where=sql("invoice_id is null")),
        Index("client_charge_by_invoice", "invoice_id"),
        Index("client_charge_by_payment", "payment_id"),
    )

    id: UUID = columns.key()
    client_id: UUID = columns.reference("contract_client.id")
    payment_id: UUID = columns.reference("payment.id")
    amount_minor: int = columns.minor()
    journal_id: int = Field(sa_type=BigInteger, foreign_key="journal.id")
    booked_at: datetime = columns.moment()
    invoice_id: UUID | None = columns.reference("invoice.id", nullable=True)
