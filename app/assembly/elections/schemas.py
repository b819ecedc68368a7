"""Shapes of the elections' API; none says who voted, nor what before everything is counted."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from app.assembly.elections.rules import FEWEST_REASON_CHARACTERS, MOST_REASON_CHARACTERS
from app.assembly.proposals.schemas.words import plain
from app.foundation.schemas import RequestModel
from governance.proposal import Stage


class ElectionLine(BaseModel):
    """A secret vote in a list."""

    id: UUID
    proposal_id: UUID
    stage: Stage
    title: str
    question: str
    rule: str
    opens_at: datetime
    closes_at: datetime


class ElectionsView(BaseModel):
    """Secret votes, newest first."""

    items: list[ElectionLine]
    next_cursor: str | None


class IssuerView(BaseModel):
    """Who stamps vote keys, and where."""

    name: str = Field(examples=["Sister cooperative"])
    url: str = Field(examples=["https://issuer.example.org"])


class FaultView(BaseModel):
    """One thing that our own recount found wrong."""

    kind: str
    detail: str


class StopRequest(RequestModel):
    """Why the vote shall be stopped, for everybody to read: leave names out."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"reason": "Twelve members on the roll were admitted without a share."}
        },
    )

    reason: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True,
            min_length=FEWEST_REASON_CHARACTERS,
            max_length=MOST_REASON_CHARACTERS,
        ),
        AfterValidator(plain),
    ]


class StopLine(BaseModel):
    """That auditors want a vote stopped: one asked, or two did, and then it is void."""

    id: UUID
    reason: str
    auditors: Literal[1, 2]


class StopView(StopLine):
    """A stop, and where the vote stands."""

    election_id: UUID
    stage: Stage


class ElectionView(BaseModel):
    """A secret vote: terms, seals and issuers; how many names were stamped, ballots cast.

    Until every issuer has given its keys there is no manifest. `issued` lags behind by up to an
    hour, so that it does not tell when somebody fetched a credential. `faults` are why a vote was
    voided, if our own recount or an objection was the reason, and `objections` the receipts whose
    ballots the box lacks. Of `audit_stops` everybody reads the reasons, nobody who gave them.
    """

    id: UUID
    proposal_id: UUID
    stage: Stage
    manifest: dict[str, Any] | None
    manifest_hash: str | None
    seals: list[str]
    issuers: list[IssuerView]
    issued: int
    box_size: int
    opens_at: datetime
    closes_at: datetime
    faults: list[FaultView]
    objections: list[dict[str, Any]]
    audit_stops: list[StopLine]


class OwnSeatView(BaseModel):
    """Whether you are on the roll, under which pseudonym, and which issuers' logs name you.

    `issued` lags behind as it does for everybody; ask an issuer itself for its log of this moment.
    `salt` is that of your seat alone: with it you compute your pseudonym, and nobody else's.
    """

    on_roll: bool
    house_no: int | None = None
    member: str | None = None
    member_id: UUID | None = None
    salt: str | None = None
    has_key: bool = False
    issued: list[bool]


class RollsView(BaseModel):
    """The frozen rolls, house by house: pseudonyms only, sorted."""

    rolls: list[list[str]]


class EnactmentView(BaseModel):
    """The policy that a result has set."""

    id: UUID
    key: str
    value: Any
    effective_from: datetime


class ResultView(BaseModel):
    """What a vote decided. Counts of fewer than ten ballots are not told, nor those beside them.

    `turnout` is how many names every issuer has stamped, not how many ballots lie in the box.
    """

    election_id: UUID
    proposal_id: UUID
    stage: Stage
    rule: str
    result: dict[str, Any]
    changes: bool
    counted: list[int | None]
    roll_sizes: list[int]
    turnout: int
    package_hash: str
    tallied_at: datetime
    enacted: EnactmentView | None
