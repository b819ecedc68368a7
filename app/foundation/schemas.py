"""Shapes that every room's API shares."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

# A moment with its time zone, far enough from the ends of the calendar to be reckoned with: the
# first hours of the year 1 east of Greenwich are no moment in UTC, nor the last ones of 9999.
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(3000, 1, 1, tzinfo=UTC)),
]


class RequestModel(BaseModel):
    """What a client sends: unknown fields are refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class Position(RequestModel):
    """A place on the Earth, WGS 84."""

    lat: Annotated[float, Field(ge=-90, le=90, examples=[47.1410])]
    lng: Annotated[float, Field(ge=-180, le=180, examples=[9.5209])]


class ProblemDetails(BaseModel):
    """Why a request was refused (RFC 9457). ``type`` leads to a page that says what to do."""

    type: str
    title: str
    status: int
    trace_id: str
    detail: str | None = None
