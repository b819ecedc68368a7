"""Shapes that every room's API shares."""

from datetime import UTC, datetime
from typing import Annotated, Any, get_args

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

# A moment with its time zone, far enough from the ends of the calendar to be reckoned with: the
# first hours of the year 1 east of Greenwich are no moment in UTC, nor the last ones of 9999.
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(3000, 1, 1, tzinfo=UTC)),
]


class RequestModel(BaseModel):
    """What a client sends: unknown fields are refused, not ignored; true is no number."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _take_true_for_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false where they are not asked for: Pydantic would read 1 and 0."""
        if isinstance(value, bool):
            asked = cls.model_fields[str(info.field_name)].annotation
            if not {bool, Any} & {asked, *get_args(asked)}:
                raise ValueError("must not be true or false")
        return value


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
