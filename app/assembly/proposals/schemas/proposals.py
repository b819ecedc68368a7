"""API shapes of proposals themselves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.assembly.proposals.rules import (
    MAX_EXPLANATION_CHARACTERS,
    MAX_OPTIONS,
    MAX_POTS,
    MAX_QUESTION_CHARACTERS,
    MAX_TITLE_CHARACTERS,
)
from app.assembly.proposals.schemas.words import Line, Option, Words, plain
from app.foundation.schemas import RequestModel
from governance.policy import NUMBER_POLICIES
from governance.proposal import Kind, Stage, VoidGround

_ID = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"
_EXPLANATION = (
    "The cooperative keeps less of each fare. Of a fare of CHF 30 the driver gets CHF 27 instead of"
    " CHF 25.50. Reserves grow more slowly."
)
_NUMBER: dict[str, Any] = {
    "kind": "number",
    "key": "commission_bp",
    "title": "A smaller share",
    "question": "Which share of a fare shall the cooperative keep?",
    "explanation": _EXPLANATION,
}


# What moves money is decided where nobody looks over a shoulder.
_ALWAYS_SECRET = (Kind.NUMBER, Kind.BUDGET)


def _policy(key: str | None) -> str | None:
    if key is not None and key not in NUMBER_POLICIES:
        raise ValueError(f"members vote on these numbers: {', '.join(NUMBER_POLICIES)}")
    return key


class ProposalDraft(RequestModel):
    """What a proposal asks. A draft may lack things; submitting names what is missing."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                _NUMBER,
                {
                    "kind": "choice",
                    "title": "Our colour",
                    "question": "Which colour shall our cars have?",
                    "explanation": "New stickers cost CHF 40 a car.",
                    "options": ["Blue", "Green"],
                },
            ]
        },
    )

    kind: Kind
    key: Annotated[
        str | None,
        AfterValidator(_policy),
        Field(description="of a number: the policy; its bounds come from statutes and costs"),
    ] = None
    is_secret: Annotated[bool, Field(description="false: an open vote; texts and choices")] = True
    title: Annotated[Line, Field(max_length=MAX_TITLE_CHARACTERS)] = ""
    question: Annotated[Line, Field(max_length=MAX_QUESTION_CHARACTERS)] = ""
    explanation: Annotated[
        str,
        Field(
            max_length=MAX_EXPLANATION_CHARACTERS,
            description="60 words at most, with an example in money; it becomes part of the vote",
        ),
        AfterValidator(plain),
    ] = ""
    text: Annotated[Words | None, Field(description="of a text: its words, line by line")] = None
    options: list[Option] = Field(
        default_factory=list,
        max_length=MAX_OPTIONS,
        description="of a choice; no change is always one besides",
    )
    pots: list[Option] = Field(
        default_factory=list, max_length=MAX_POTS, description="of a budget: what to divide over"
    )

    @model_validator(mode="after")
    def _holds_what_its_kind_holds(self) -> Self:
        if (self.kind is Kind.NUMBER) != (self.key is not None):
            message = "a number names its policy by key, and nothing else does"
            raise ValueError(message)
        if not self.is_secret and self.kind in _ALWAYS_SECRET:
            message = f"a vote on a {self.kind} is always secret"
            raise ValueError(message)
        belongs = {"text": Kind.TEXT, "options": Kind.CHOICE, "pots": Kind.BUDGET}
        for name, kind in belongs.items():
            if getattr(self, name) and self.kind is not kind:
                message = f"{name} belongs to the kind {kind}"
                raise ValueError(message)
        return self


class ProposalOutline(BaseModel):
    """A proposal without its words: what a list shows."""

    id: UUID
    kind: Kind
    key: str | None
    is_secret: bool
    title: str
    question: str
    stage: Stage
    since: datetime
    due_at: Annotated[datetime | None, Field(description="when the stage ends; null: never")]
    author_id: UUID
    author_name: str
    supporters: Annotated[int, Field(description="how many members support it; never who")]
    supporters_needed: Annotated[
        int | None, Field(description="fixed when it was submitted; null: a draft")
    ]
    created_at: datetime
    version: Annotated[int, Field(description="of all its content; If-Match takes it in quotes")]


class ProposalView(ProposalOutline):
    """A proposal whole."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **_NUMBER,
                "id": _ID,
                "is_secret": True,
                "stage": "seeking_support",
                "since": "2026-11-22T17:00:00Z",
                "due_at": "2026-12-06T17:00:00Z",
                "author_id": _ID,
                "author_name": "Ada",
                "supporters": 4,
                "supporters_needed": 5,
                "created_at": "2026-11-21T09:00:00Z",
                "version": 3,
                "text": None,
                "text_number": 0,
                "options": [],
                "pots": [],
                "rule": None,
                "sign_by": None,
                "opens_at": None,
                "closes_at": None,
                "count_by": None,
                "void_ground": None,
                "i_support": True,
            }
        }
    )

    explanation: str
    text: str | None
    text_number: Annotated[int, Field(description="the version of the text; 0: a draft, or none")]
    options: list[str]
    pots: list[str]
    rule: Annotated[str | None, Field(description="by which it is decided, from the freeze on")]
    sign_by: datetime | None
    opens_at: datetime | None
    closes_at: datetime | None
    count_by: datetime | None
    void_ground: VoidGround | None
    i_support: Annotated[bool, Field(description="whether you support it now; only you see this")]


class ProposalPage(BaseModel):
    """Some proposals, newest first."""

    items: list[ProposalOutline]
    next_cursor: str | None


class SupportView(BaseModel):
    """How many support a proposal after your own word."""

    proposal_id: UUID
    stage: Stage
    supporters: int
    supporters_needed: int


def draft_values(draft: ProposalDraft) -> Mapping[str, Any]:
    """Return a draft as the columns of its row."""
    values = draft.model_dump(exclude={"pots"})
    # A text is a text before its first word is written.
    words = (draft.text or "") if draft.kind is Kind.TEXT else None
    return values | {
        "kind": str(draft.kind),
        "text": words,
        "parameters": {"pots": draft.pots} if draft.kind is Kind.BUDGET else {},
    }
