"""API shapes of guests and of what is booked for them."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.foundation.schemas import RequestModel
from app.guests.rules import GuestMethod
from app.members.schemas import Line
from app.rides.lifecycle import RideState

_ID = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d"
_RIDE: dict[str, Any] = {
    "id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c",
    "state": "assigned",
    "guest_id": _ID,
    "guest_name": "Frau Ospelt",
    "pickup_name": "Städtle",
    "dropoff_name": "Höfle",
    "pickup_from": None,
    "pickup_until": None,
    "driver_name": "Bo",
    "car_plate": "FL 12345",
    "expected_at": "2026-11-22T17:04:00Z",
    "fare_minor": 4465,
    "currency": "CHF",
    "payment_method": "invoice",
    "client_name": "Hospital of Vaduz",
    "reference": "Ward 3",
    "booked_by": _ID,
    "booked_at": "2026-11-22T17:00:00Z",
}
_CLIENT: dict[str, Any] = {"id": _ID, "name": "Hospital of Vaduz"}


class GuestRequest(RequestModel):
    """Who telephones."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "Frau Ospelt", "phone": "+423 234 56 78"}}
    )

    name: Annotated[Line, Field(description="as they say it")]
    phone: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=40,
            description="with country code, their own; left out: they get no text messages",
        ),
    ] = None


class GuestView(BaseModel):
    """Somebody for whom you can ask a price and book."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": _ID,
                "name": "Frau Ospelt",
                "gets_texts": True,
            }
        }
    )

    id: UUID
    name: str
    gets_texts: bool


class GuestRideRequest(RequestModel):
    """Book the price of a quote for a guest."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "quote_id": _ID,
                "payment_method": "invoice",
                "client_id": _ID,
                "reference": "Ward 3",
            }
        }
    )

    quote_id: UUID
    payment_method: Annotated[
        GuestMethod, Field(description="cash to the driver, or by the client of `client_id`")
    ]
    client_id: UUID | None = None
    reference: Annotated[
        Line | None, Field(description="what the client wants to read on its invoice")
    ] = None

    @model_validator(mode="after")
    def _names_who_pays(self) -> Self:
        if (self.payment_method is GuestMethod.INVOICE) != (self.client_id is not None):
            message = "name a client_id for an invoice, and none for cash"
            raise ValueError(message)
        return self


class GuestRideView(BaseModel):
    """A ride that a dispatcher booked, by what a guest who calls again will ask."""

    model_config = ConfigDict(json_schema_extra={"example": _RIDE})

    id: UUID
    state: RideState
    guest_id: UUID
    guest_name: Annotated[str, Field(description="as they said it")]
    pickup_name: str
    dropoff_name: str
    pickup_from: datetime | None
    pickup_until: datetime | None
    driver_name: str | None
    car_plate: str | None
    expected_at: Annotated[datetime | None, Field(description="when the driver is to be there")]
    fare_minor: int
    currency: str
    payment_method: GuestMethod
    client_name: str | None
    reference: str | None
    booked_by: UUID
    booked_at: datetime


class GuestRidesView(BaseModel):
    """A page of what was booked for guests, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [_RIDE], "next_cursor": None}}
    )

    items: list[GuestRideView]
    next_cursor: str | None


class GuestClientView(BaseModel):
    """A client who can be invoiced."""

    model_config = ConfigDict(json_schema_extra={"example": _CLIENT})

    id: UUID
    name: str


class GuestClientsView(BaseModel):
    """A page of clients, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [_CLIENT], "next_cursor": None}}
    )

    items: list[GuestClientView]
    next_cursor: str | None
