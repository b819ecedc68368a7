"""Shapes of the API of the register: memberships and member keys."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.foundation.schemas import RequestModel
from app.members.schemas import Reason
from governance.electorate import House, Standing

_ID = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"
_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
_MEMBERSHIP: dict[str, Any] = {
    "id": _ID,
    "member_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c",
    "member_name": "Ada",
    "house": "drivers",
    "state": "admitted",
    "shares_minor": 10000,
    "currency": "CHF",
    "applied_at": "2026-11-20T18:00:00Z",
    "shares_paid_at": "2026-11-21T09:00:00Z",
    "admitted_at": "2026-11-22T18:00:00Z",
    "refused_at": None,
    "reason": None,
    "left_at": None,
}
_IN_WORDS = (
    "You are on the register of the drivers since 22 November 2026, and on the roll of every vote"
    " that was frozen from 22 November 2026 on."
)


class MembershipState(StrEnum):
    """What became of an application for the register."""

    APPLIED = "applied"
    ADMITTED = "admitted"
    REFUSED = "refused"
    LEFT = "left"


class MembershipRequest(RequestModel):
    """The house to join."""

    model_config = ConfigDict(json_schema_extra={"example": {"house": "drivers"}})

    house: House


class MembershipView(BaseModel):
    """An application for the register and what became of it."""

    model_config = ConfigDict(json_schema_extra={"example": _MEMBERSHIP})

    id: UUID
    member_id: UUID
    member_name: str
    house: House
    state: MembershipState
    shares_minor: Annotated[int, Field(description="the share asked, paid in once")]
    currency: str
    applied_at: datetime
    shares_paid_at: datetime | None
    admitted_at: datetime | None
    refused_at: datetime | None
    reason: Annotated[str | None, Field(description="why it was refused")]
    left_at: datetime | None


class MembershipsView(BaseModel):
    """A page of memberships."""

    items: list[MembershipView]
    next_cursor: str | None


class OwnStandingView(BaseModel):
    """Whether you are on the register and on the rolls of votes, from when, and why not."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "is_on_the_register": True,
                "standing": "on_roll",
                "on_the_roll_from": "2026-11-22T18:00:00Z",
                "in_words": _IN_WORDS,
                "membership": _MEMBERSHIP,
                "public_key": _KEY,
            }
        }
    )

    is_on_the_register: bool
    standing: Annotated[Standing, Field(description="on a roll frozen now, or what is missing")]
    on_the_roll_from: Annotated[
        datetime | None,
        Field(description="votes whose roll is frozen from this moment on are yours too"),
    ]
    in_words: str
    membership: Annotated[MembershipView | None, Field(description="your newest")]
    public_key: Annotated[str | None, Field(description="the key of your device, 64 hex digits")]


class MembershipRefusal(RequestModel):
    """Why an applicant is refused; they will read it."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"reason": "You are a member in the other house already."}}
    )

    reason: Reason


class MemberKeyRequest(RequestModel):
    """The public half of the key that your device made."""

    model_config = ConfigDict(json_schema_extra={"example": {"public_key": _KEY}})

    public_key: Annotated[
        str, Field(pattern=r"^[0-9a-f]{64}$", description="Ed25519, 64 lower-case hex digits")
    ]


class MemberKeyView(BaseModel):
    """The key that the cooperative knows you by, and since when."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"public_key": _KEY, "set_at": "2026-11-22T18:00:00Z"}}
    )

    public_key: str
    set_at: datetime
