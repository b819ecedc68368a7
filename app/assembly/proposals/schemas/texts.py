"""API shapes of versioned texts and of their amendments."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.assembly.proposals.rules import AmendmentState
from app.assembly.proposals.schemas.words import Said, Words
from app.foundation.schemas import RequestModel


class TextOutline(BaseModel):
    """One version of a proposed text."""

    number: int
    sha256: str
    amendment_id: Annotated[UUID | None, Field(description="the one that made it; null: the first")]
    made_at: datetime


class TextVersions(BaseModel):
    """Every version of a text, oldest first."""

    items: list[TextOutline]


class TextView(TextOutline):
    """One version of a text with its words."""

    body: str


class AmendmentRequest(RequestModel):
    """The text as you would have it, written from one version; what differs is the amendment."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "base_number": 1,
                "text": "Notice of a change is given 21 days ahead.\n",
                "reason": "Drivers plan by the month.",
            }
        },
    )

    base_number: Annotated[int, Field(ge=1, description="the version you started from")]
    text: Annotated[Words, Field(min_length=1)]
    reason: Said


class ChangeView(BaseModel):
    """Lines from `first` up to, not including, `last` become `lines`; counted from 0."""

    first: int
    last: int
    lines: list[str]


class AmendmentView(BaseModel):
    """Changes that a member asks for, and what became of them."""

    id: UUID
    proposal_id: UUID
    number: int
    author_id: UUID
    author_name: str
    base_number: int
    changes: list[ChangeView]
    reason: str
    state: AmendmentState
    supporters: Annotated[int, Field(description="with as many as a proposal needs it is voted on")]
    i_support: bool
    proposed_at: datetime
    decided_at: datetime | None


class AmendmentPage(BaseModel):
    """Some amendments, oldest first."""

    items: list[AmendmentView]
    next_cursor: str | None


class AmendmentText(AmendmentView):
    """An amendment, and the text that it makes of its version."""

    text: str
    sha256: str
