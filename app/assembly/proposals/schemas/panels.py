"""API shapes of panels and their pages."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from app.assembly.proposals.rules import MAX_PAGE_CHARACTERS, MAX_QUESTION_CHARACTERS, Side
from app.assembly.proposals.schemas.words import Line, plain
from app.foundation.schemas import Moment, RequestModel


class PanelRequest(RequestModel):
    """Where the randomness of a draw will come from; named before anybody can know it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "source": "Swiss Lotto of 28 November 2026, numbers in ascending order, SHA-256",
                "public_at": "2026-11-28T19:00:00Z",
            }
        },
    )

    source: Annotated[Line, Field(min_length=10, max_length=MAX_QUESTION_CHARACTERS)]
    public_at: Annotated[Moment, Field(description="when all can read it; it is later")]


class DrawRequest(RequestModel):
    """The randomness that the named source gave."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"randomness": "8f" * 32}}
    )

    randomness: Annotated[
        str, Field(pattern="^([0-9a-f]{2}){16,64}$", description="16 to 64 bytes in hexadecimal")
    ]


class PageRequest(RequestModel):
    """A page of at most 200 words."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"body": "A smaller share keeps drivers with us, because …"}},
    )

    body: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_PAGE_CHARACTERS),
        AfterValidator(plain),
    ]


class PageView(BaseModel):
    """What the panel wrote for or against."""

    side: Side
    body: str
    version: Annotated[int, Field(description="0: not written yet; If-Match takes it in quotes")]
    written_at: datetime | None


class PanelView(BaseModel):
    """The draw with all that is needed to repeat it, and the pages of those who were drawn."""

    proposal_id: UUID
    source: str
    size: int
    listed_at: datetime
    public_at: datetime
    listed: Annotated[list[str], Field(description="pseudonyms of all who could be drawn, sorted")]
    randomness: str | None
    drawn_at: datetime | None
    drawn: Annotated[list[str], Field(description="in the order of the draw")]
    me: Annotated[str | None, Field(description="your own pseudonym; null: not on the list")]
    pages: list[PageView]
