"""Shapes of the members' API."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.foundation.schemas import RequestModel
from app.members.roles import ApplicationState, DocumentKind, Role

# One line of printable text: PostgreSQL stores no NUL, and a name has no line breaks.
Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=10, max_length=2000, pattern=r"^[^\x00]+$"),
]


def _example(**fields: Any) -> dict[str, Any]:
    return {"example": fields}


_ID = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"
_ACCESS = "p0Jxq…"
_REFRESH = "019aab1c….Qm5y….c2Vh…"
_VEHICLE = {
    "make": "Skoda",
    "model": "Enyaq",
    "colour": "green",
    "plate": "FL 12345",
    "seats": 4,
    "takes_wheelchair": False,
}
_DOCUMENT = {"kind": "driving_licence", "number": "L-204417", "expires_on": "2031-03-31"}
_DOCUMENTS = [
    _DOCUMENT,
    {"kind": "passenger_insurance", "number": "P-88", "expires_on": "2027-12-31"},
    {"kind": "vehicle_inspection", "number": "V-1203", "expires_on": "2027-05-31"},
]


class CodeRequest(RequestModel):
    """Whose phone shall get a code."""

    model_config = ConfigDict(json_schema_extra=_example(phone="+423 234 56 78"))

    phone: Annotated[str, Field(min_length=1, max_length=40, description="with country code")]


class ChallengeView(BaseModel):
    """A code is on its way; `challenge_id` goes back with it."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra=_example(challenge_id=f"{_ID}.5678", expires_at="2026-11-22T18:05:00Z"),
    )

    challenge_id: Annotated[str, Field(description="any text; send it back as it is")]
    expires_at: datetime


class SignInRequest(RequestModel):
    """The code as it arrived."""

    model_config = ConfigDict(json_schema_extra=_example(challenge_id=f"{_ID}.5678", code="042137"))

    challenge_id: Annotated[str, Field(min_length=1, max_length=80)]
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]


class RefreshRequest(RequestModel):
    """The newest refresh token of a session."""

    model_config = ConfigDict(json_schema_extra=_example(refresh_token=_REFRESH))

    refresh_token: Annotated[str, Field(min_length=1, max_length=400)]


class TokensView(BaseModel):
    """The keys of a signed-in device: the access token goes into `Authorization: Bearer …`."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra=_example(
            access_token=_ACCESS,
            access_expires_at="2026-11-22T18:15:00Z",
            refresh_token=_REFRESH,
            refresh_expires_at="2026-12-22T18:00:00Z",
            member_id=_ID,
            roles=["rider"],
            new_member=True,
        ),
    )

    access_token: str
    access_expires_at: datetime
    refresh_token: Annotated[str, Field(description="works once; a second use ends the session")]
    refresh_expires_at: datetime
    member_id: UUID
    roles: list[Role]
    new_member: bool


class SignedOutView(BaseModel):
    """How many sessions ended."""

    model_config = ConfigDict(json_schema_extra=_example(sessions_ended=2))

    sessions_ended: int


class TicketView(BaseModel):
    """A pass for one socket; it works once and for 30 seconds."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra=_example(ticket="b8Kd…", expires_at="2026-11-22T18:00:30Z"),
    )

    ticket: str
    expires_at: datetime


class MeView(BaseModel):
    """You, as the cooperative knows you."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra=_example(
            id=_ID,
            phone="+4232345678",
            name="Ada",
            language="de-LI",
            roles=["driver", "rider"],
            joined_at="2026-11-22T18:00:00Z",
        ),
    )

    id: UUID
    phone: Annotated[str | None, Field(description="none: a sister cooperative's member")]
    name: str
    language: Annotated[str, Field(description="BCP 47")]
    roles: list[Role]
    joined_at: datetime


class MeChange(RequestModel):
    """What to change; what is left out stays."""

    model_config = ConfigDict(json_schema_extra=_example(name="Ada", language="de-LI"))

    name: Line | None = None
    language: Annotated[
        str | None,
        Field(max_length=35, pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", description="BCP 47"),
    ] = None


class SuspensionView(BaseModel):
    """Whether a person suspended you, why, and since when."""

    model_config = ConfigDict(
        json_schema_extra=_example(
            suspended=True,
            reason="Three riders reported the same dangerous overtaking.",
            since="2026-11-22T18:00:00Z",
        )
    )

    suspended: bool
    reason: str | None
    since: datetime | None


class SuspensionRequest(RequestModel):
    """Why a member is suspended; they will read it."""

    model_config = ConfigDict(
        json_schema_extra=_example(reason="Three riders reported the same dangerous overtaking.")
    )

    reason: Reason


class Reinstatement(RequestModel):
    """Why a suspension ends, if there is something to say."""

    model_config = ConfigDict(
        json_schema_extra=_example(reason="The reports were about another car.")
    )

    reason: Reason | None = None


class MemberStanding(BaseModel):
    """How a member stands after the decision."""

    model_config = ConfigDict(json_schema_extra=_example(member_id=_ID, suspended=True))

    member_id: UUID
    suspended: bool


class VehicleRequest(RequestModel):
    """The car."""

    make: Line
    model: Line
    colour: Line
    plate: Annotated[Line, Field(max_length=20)]
    seats: Annotated[int, Field(ge=1, le=8, description="for passengers")]
    takes_wheelchair: Annotated[
        bool, Field(description="somebody can ride in it who stays in their wheelchair")
    ] = False


class DocumentRequest(RequestModel):
    """A paper and the last day on which it holds."""

    model_config = ConfigDict(json_schema_extra=_example(**_DOCUMENT))

    kind: DocumentKind
    number: Line
    expires_on: date


class ApplicationRequest(RequestModel):
    """A car, and exactly one paper of each kind."""

    model_config = ConfigDict(json_schema_extra=_example(vehicle=_VEHICLE, documents=_DOCUMENTS))

    vehicle: VehicleRequest
    documents: Annotated[
        list[DocumentRequest],
        Field(min_length=len(DocumentKind), max_length=len(DocumentKind)),
    ]

    @model_validator(mode="after")
    def check_kinds(self) -> Self:
        """Refuse a second paper of a kind, which with this many papers means a missing one."""
        if {document.kind for document in self.documents} != set(DocumentKind):
            raise ValueError("send exactly one document of each kind")
        return self


class Refusal(RequestModel):
    """Why an application is refused; the applicant will read it."""

    model_config = ConfigDict(
        json_schema_extra=_example(reason="The insurance does not cover paying passengers.")
    )

    reason: Reason


class VehicleView(BaseModel):
    """A car of a driver."""

    id: UUID
    make: str
    model: str
    colour: str
    plate: str
    seats: int
    takes_wheelchair: bool


class DocumentView(BaseModel):
    """A paper of a driver."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra=_example(**_DOCUMENT))

    kind: DocumentKind
    number: str
    expires_on: date


class ApplicationView(BaseModel):
    """An application to drive and what became of it."""

    model_config = ConfigDict(
        json_schema_extra=_example(
            id=_ID,
            member_id=_ID,
            member_name="Ada",
            state="submitted",
            submitted_at="2026-11-22T18:00:00Z",
            decided_at=None,
            reason=None,
            vehicle={"id": _ID} | _VEHICLE,
            documents=_DOCUMENTS,
        )
    )

    id: UUID
    member_id: UUID
    member_name: str
    state: ApplicationState
    submitted_at: datetime
    decided_at: datetime | None
    reason: Annotated[str | None, Field(description="why it was refused")]
    vehicle: VehicleView
    documents: list[DocumentView]


class ApplicationsView(BaseModel):
    """A page of applications, first come first."""

    items: list[ApplicationView]
    next_cursor: str | None
