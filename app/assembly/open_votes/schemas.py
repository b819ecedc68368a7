"""Shapes of open votes in the API."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.assembly.open_votes.rules import Ending, Topic
from app.foundation.schemas import Moment, RequestModel

_ID = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"
_MEMBER: dict[str, Any] = {"member_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c", "name": "Bo"}
_CONCENTRATION: dict[str, Any] = {
    "largest_share_bp": 1500,
    "gini_bp": 900,
    "cap_bp": 500,
    "holders": [_MEMBER | {"voices": 6, "is_over_cap": True}],
}
_Option = Annotated[str, Field(max_length=200)]


class OpenVoteIn(RequestModel):
    """Your vote: for a text yes, no or abstain; for a choice its options, best first."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"value": "yes"}, {"value": ["a", "b"]}]}
    )

    value: _Option | Annotated[list[_Option], Field(max_length=100)]


class OpenBallotOut(BaseModel):
    """Your vote as it stands; ``sequence`` says how many times you have said something new."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "proposal_id": _ID,
                "value": "yes",
                "sequence": 1,
                "cast_at": "2026-11-22T17:20:00Z",
            }
        }
    )

    proposal_id: UUID
    value: Any
    sequence: int
    cast_at: datetime


class NamedMember(BaseModel):
    """A member and how she is called."""

    member_id: UUID
    name: str


class OwnVote(BaseModel):
    """What you said last."""

    value: Any
    sequence: int
    cast_at: datetime


class SpeaksFor(BaseModel):
    """Whose voices would go with yours if you voted now; who voted herself is not among them."""

    voices: int
    directly: list[NamedMember]


class CountedVoice(BaseModel):
    """How your voice was counted: your own vote, a taker's, or nobody's."""

    spoken: Literal["own", "lent", "circle", "nobody"]
    value: Any


class Holder(NamedMember):
    """Somebody who speaks for several, herself included."""

    voices: int
    is_over_cap: Annotated[bool, Field(description="holds more than `cap_bp` of all voices")]


class ConcentrationOut(BaseModel):
    """How unequally voices are held among those who speak. Who lent them is not told."""

    largest_share_bp: int
    gini_bp: Annotated[int, Field(description="0: all hold as many; towards 10000: one holds all")]
    cap_bp: int
    holders: Annotated[list[Holder], Field(description="of more than one voice, most first")]


class TopicConcentration(ConcentrationOut):
    """How voices on a topic are held now, if all vote who have lent nothing."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"topic": "text", "members": 40, "lent": 5, "unheard": 1, **_CONCENTRATION}
        }
    )

    topic: Topic
    members: int
    lent: int
    unheard: Annotated[int, Field(description="lent in a circle or to somebody off the roll")]


class OpenResult(BaseModel):
    """What was decided. Of fewer than 10 votes everything else stays untold."""

    decided: dict[str, Any]
    own: int | None
    lent: int | None
    in_circle: int | None
    concentration: ConcentrationOut | None
    tallied_at: datetime


class OpenVoteOut(BaseModel):
    """An open vote and your part in it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "proposal_id": _ID,
                "stage": "voting",
                "topic": "text",
                "terms": {
                    "question": "Shall the statutes say that vehicles are inspected yearly?",
                    "explanation": "An inspection costs you CHF 60 a year.",
                    "options": [],
                    "rule": "text",
                    "parameters": {"majority": [2, 3, False], "quorums": [9]},
                },
                "opens_at": "2026-11-22T17:00:00Z",
                "closes_at": "2026-11-29T17:00:00Z",
                "is_on_roll": True,
                "own": None,
                "lent_to": _MEMBER,
                "speaks_for": {"voices": 1, "directly": [_MEMBER | {"name": "Cem"}]},
                "voice": None,
                "result": None,
            }
        }
    )

    proposal_id: UUID
    stage: str
    topic: Topic
    terms: dict[str, Any]
    opens_at: datetime
    closes_at: datetime
    is_on_roll: bool
    own: OwnVote | None
    lent_to: Annotated[
        NamedMember | None, Field(description="who speaks for you while you do not vote yourself")
    ]
    speaks_for: SpeaksFor | None
    voice: Annotated[CountedVoice | None, Field(description="after the count")]
    result: Annotated[OpenResult | None, Field(description="after the count")]


class CastVote(NamedMember):
    """One vote, by name, and how many voices went with it; untold where all are fewer than 10."""

    value: Any
    voices: int | None


class CastVotes(BaseModel):
    """Everybody who voted, in pages."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"items": [_MEMBER | {"value": "yes", "voices": 6}], "next_cursor": None}
        }
    )

    items: list[CastVote]
    next_cursor: str | None


class LendVoice(RequestModel):
    """To whom you lend your voice, on what, until when."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "taker_id": _MEMBER["member_id"],
                    "topic": "text",
                    "expires_at": "2027-05-01T00:00:00Z",
                }
            ]
        },
    )

    taker_id: UUID
    topic: Topic
    expires_at: Annotated[Moment, Field(description="at most 365 days from now")]


class DelegationOut(BaseModel):
    """A lent voice; it is open while it has no ``ending`` and has not expired."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": _ID,
                "giver_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d",
                "taker_id": _MEMBER["member_id"],
                "topic": "text",
                "given_at": "2026-11-22T17:00:00Z",
                "expires_at": "2027-05-01T00:00:00Z",
                "ended_at": None,
                "ending": None,
            }
        }
    )

    id: UUID
    giver_id: UUID
    taker_id: UUID
    topic: Topic
    given_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ending: Ending | None


class NamedDelegation(DelegationOut):
    """A lent voice, with both names."""

    giver_name: str
    taker_name: str


class Delegations(BaseModel):
    """Voices that you lent or were lent, newest first, in pages."""

    items: list[NamedDelegation]
    next_cursor: str | None
