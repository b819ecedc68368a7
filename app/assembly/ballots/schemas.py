"""Shapes of the ballot box's API; the examples are real documents of one small vote."""

from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from app.assembly.ballots.sealing import BALLOTS_PER_KEY
from app.foundation.schemas import RequestModel
from governance.proposal import Stage

EXAMPLES: dict[str, Any] = orjson.loads(Path(__file__).with_name("examples.json").read_bytes())

type Hex = Annotated[str, Field(pattern="^([0-9a-f]{2})*$", max_length=4096)]
type Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
type Signature = Annotated[str, Field(pattern="^[0-9a-f]{128}$")]


def _like(name: str) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"example": EXAMPLES[name]})


class CredentialDocument(RequestModel):
    """One issuer's stamp on the vote key."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": EXAMPLES["ballot"]["credentials"][0]}
    )

    prefix: Hash
    signature: Hex


class BallotDocument(RequestModel):
    """A ballot as it will lie in the box, hex in small letters. It says nothing about who cast it.

    `value` is what the vote's rule takes: a number; `yes`, `no` or `abstain`; points for each pot;
    or options, best first. Of one vote key the highest `sequence` counts.
    """

    model_config = _like("ballot")

    manifest: Hash
    house: Annotated[StrictInt, Field(ge=0, le=99)]
    vote_key: Hash
    sequence: Annotated[StrictInt, Field(ge=0, lt=BALLOTS_PER_KEY)]
    value: StrictInt | StrictStr | list[StrictInt] | list[StrictStr]
    credentials: Annotated[list[CredentialDocument], Field(max_length=16)]
    signature: Signature


class ReceiptView(BaseModel):
    """The board's promise that the ballot lies under a root by `due_at`. Keep it: it is proof."""

    model_config = _like("receipt")

    manifest: Hash
    leaf: Hash
    due_at: str
    signature: Signature


class ObjectionRequest(RequestModel):
    """The receipt whose ballot is not in the box, as the board gave it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"receipt": EXAMPLES["receipt"]}}
    )

    receipt: ReceiptView


class ObjectionView(BaseModel):
    """That the vote is void, why, and by which receipt."""

    election_id: UUID
    stage: Stage
    fault: str
    receipt: ReceiptView


class RootView(BaseModel):
    """The board's signature over the first `size` ballots of the box (RFC 6962 tree)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": EXAMPLES["roots"][0]})

    manifest: Hash
    size: int
    root: Hash
    published_at: str
    signature: Signature


class RootsView(BaseModel):
    """Every signed root of the box so far, the first one first."""

    items: list[RootView]


class BoxView(BaseModel):
    """How full the box is. Ballots that wait for their batch are not counted here."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"size": 400, "is_closed": False, "published_by": "2027-01-11T09:00:00Z"}
        }
    )

    size: int
    is_closed: bool
    published_by: str


class InclusionView(BaseModel):
    """The proof that a ballot lies in the box (RFC 9162, section 2.1.3), and the root it fits."""

    model_config = _like("inclusion")

    leaf: Hash
    index: int
    size: int
    proof: list[Hash]
    root: RootView


class ConsistencyView(BaseModel):
    """The proof that the box only grew (RFC 9162, section 2.1.4)."""

    model_config = _like("consistency")

    old_size: int
    size: int
    proof: list[Hash]


class BallotsView(BaseModel):
    """Ballots of the closed box in its order; `next` is where to go on, null at the end."""

    items: list[BallotDocument]
    next: int | None
