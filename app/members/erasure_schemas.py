"""What is told about an erasure: whose it is, who decided, what goes by it and what stays."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

GOES = (
    (
        "The secrets that made the person's codes. Nobody can find the person's lines in what"
        " is published by them any more, or tie two of the lines together."
    ),
    (
        "The salts of the person's bookings. Nobody can show any more what the seals hid of them:"
        " accounts, exact times, and what they were for."
    ),
)
STAYS = (
    (
        "Amounts, quarters of an hour and the codes of single lines: the books of others hang on"
        " them."
    ),
    (
        "The proofs of others. What they share with the person is still shown to be sealed, without"
        " its hidden part."
    ),
    "What anybody saved before: a proof, or the person's own file of secrets.",
    (
        "What the cooperative itself keeps: accounts and bookings, name, telephone number, rides"
        " and papers. This erases the person from the proofs, and nothing there."
    ),
)
_ERASURE: dict[str, Any] = {
    "id": "0190a1c2-7d3e-7c41-9a5b-0b6f6f1f2a3b",
    "member_id": "0190a1c2-7d3e-7c41-9a5b-0b6f6f1f2a3c",
    "member_name": "Ada",
    "asked_by": "0190a1c2-7d3e-7c41-9a5b-0b6f6f1f2a3d",
    "asked_at": "2026-11-23T10:00:00Z",
    "confirmed_by": None,
    "confirmed_at": None,
    "withdrawn_by": None,
    "withdrawn_at": None,
    "goes": list(GOES),
    "stays": list(STAYS),
}


class ErasureView(BaseModel):
    """An erasure that somebody asked for; done once `confirmed_at` says when."""

    model_config = ConfigDict(json_schema_extra={"example": _ERASURE})

    id: UUID
    member_id: UUID
    member_name: str
    asked_by: UUID
    asked_at: datetime
    confirmed_by: UUID | None
    confirmed_at: datetime | None
    withdrawn_by: UUID | None
    withdrawn_at: datetime | None
    goes: Annotated[tuple[str, ...], Field(description="what a confirmation deletes")] = GOES
    stays: Annotated[tuple[str, ...], Field(description="what it leaves as it is")] = STAYS


class ErasuresView(BaseModel):
    """Erasures, the newest first."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"items": [_ERASURE], "next_cursor": None}}
    )

    items: list[ErasureView]
    next_cursor: str | None
