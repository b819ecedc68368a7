"""API shapes of comments."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.assembly.proposals.schemas.words import Said
from app.foundation.schemas import RequestModel


class CommentRequest(RequestModel):
    """Something to say, by itself or in answer to another comment."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"body": "What happens to the reserve?", "answers": None}},
    )

    body: Said
    answers: Annotated[UUID | None, Field(description="the comment that this one answers")] = None


class CommentView(BaseModel):
    """What a member said; taken back, its body is empty and its place remains."""

    id: UUID
    proposal_id: UUID
    author_id: UUID
    author_name: str
    answers: UUID | None
    body: str
    written_at: datetime
    withdrawn_at: datetime | None


class CommentPage(BaseModel):
    """Some comments, oldest first."""

    items: list[CommentView]
    next_cursor: str | None
