"""API shapes of an invoice as it is sent to a client."""

from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.statements.invoice import Charged, Invoice
from app.statements.receipt_schemas import IssuerView

_ID = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d"


class InvoiceClientView(BaseModel):
    """Who is asked to pay."""

    id: UUID
    name: str
    billing_address: str
    vat_number: str | None


class InvoiceRideView(BaseModel):
    """What was taken over for one ride; below 0: what came back."""

    ride_id: UUID
    what: Annotated[
        Charged,
        Field(description="`later` and `back`: charged or given back by a decision"),
    ]
    at: datetime
    pickup_name: str
    dropoff_name: str
    reference: Annotated[str | None, Field(description="what was noted for the client")]
    amount_minor: int
    vat_bp: int
    taxed_minor: Annotated[int, Field(description="the part that bears the tax, with it")]
    vat_minor: int
    vat_remitted_by: str


class VatTotalView(BaseModel):
    """All that bears the tax at one rate."""

    rate_bp: int
    net_minor: int
    vat_minor: int
    gross_minor: int


class ClientInvoiceView(BaseModel):
    """An invoice, ride by ride; the rates' gross amounts together are the total."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "example": {
                "id": _ID,
                "number": 7,
                "month": "2026-05-01",
                "issuer": {
                    "name": "Liechtenstein",
                    "legal_name": "Meent Liechtenstein eG",
                    "address": "Städtle 1, 9490 Vaduz",
                    "vat_number": "LI12345",
                },
                "client": {
                    "id": _ID,
                    "name": "Hospital of Vaduz",
                    "billing_address": "Heiligkreuz 25, 9490 Vaduz",
                    "vat_number": "LI54321",
                },
                "currency": "CHF",
                "issued_at": "2026-06-01T08:00:00Z",
                "due_on": "2026-07-01",
                "paid_at": None,
                "total_minor": 1081,
                "due_minor": 1081,
                "pay_to": "LI21 0881 0000 2324 013A A",
                "vat_totals": [
                    {"rate_bp": 810, "net_minor": 1000, "vat_minor": 81, "gross_minor": 1081}
                ],
                "lines": [
                    {
                        "ride_id": _ID,
                        "what": "ride",
                        "at": "2026-05-22T17:05:00Z",
                        "pickup_name": "Städtle",
                        "dropoff_name": "Höfle",
                        "reference": "Ward 3",
                        "amount_minor": 1081,
                        "vat_bp": 810,
                        "taxed_minor": 1081,
                        "vat_minor": 81,
                        "vat_remitted_by": "cooperative",
                    }
                ],
            }
        },
    )

    id: UUID
    number: int
    month: date
    issuer: IssuerView
    client: InvoiceClientView
    currency: str
    issued_at: datetime
    due_on: date
    paid_at: datetime | None
    total_minor: int
    due_minor: Annotated[int, Field(description="0 once it is paid")]
    pay_to: Annotated[str | None, Field(description="the cooperative's own account, if it is set")]
    vat_totals: list[VatTotalView]
    lines: list[InvoiceRideView]

    @classmethod
    def of(cls, invoice: Invoice) -> Self:
        """Return the API's form."""
        return cls.model_validate(invoice, from_attributes=True)
