"""The shapes of an issuer's protocol; bytes are hexadecimal in lower case."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field

from app.foundation.schemas import RequestModel

type ElectionName = Annotated[str, Path(pattern="^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]
type HouseNo = Annotated[int, Field(ge=0, le=15)]
type Pseudonym = Annotated[str, Field(pattern="^[0-9a-f]{64}$", examples=["ab" * 32])]
type PublicKey = Annotated[str, Field(pattern="^[0-9a-f]{64}$", examples=["cd" * 32])]
type HouseName = Annotated[str, Field(min_length=1, max_length=80, examples=["drivers"])]


class About(BaseModel):
    """Who this issuer is, and whom it takes orders from."""

    name: Annotated[str, Field(examples=["Sister cooperative"])]
    protocol: int
    cooperative_key: PublicKey


class KeysOrder(RequestModel):
    """For which houses keys are needed, in the order in which the terms will name them."""

    houses: Annotated[list[HouseName], Field(min_length=1, max_length=16)]


class KeysAnswer(BaseModel):
    """The public halves: one RSA modulus for each house, and the key of what the issuer says."""

    moduli: list[str]
    seal_key: PublicKey


class Line(RequestModel):
    """A pseudonym on a roll and its member key; an empty key cannot ask for a stamp."""

    member: Pseudonym
    key: Annotated[str, Field(pattern="^([0-9a-f]{64})?$", examples=["cd" * 32])]


class ManifestOrder(RequestModel):
    """The terms as published, and of each house its roll."""

    manifest: dict[str, Any]
    rolls: Annotated[list[list[Line]], Field(min_length=1, max_length=16)]


class SealAnswer(BaseModel):
    """The issuer's signature under the terms."""

    seal: str


class StampOrder(RequestModel):
    """A member's request, signed by the member key over terms, house and blinded vote key."""

    house: HouseNo
    member: Pseudonym
    key: PublicKey
    blinded: Annotated[str, Field(pattern="^([0-9a-f]{2}){256,512}$", examples=["0f" * 256])]
    signature: Annotated[str, Field(pattern="^[0-9a-f]{128}$", examples=["ef" * 64])]


class StampAnswer(BaseModel):
    """The blind signature, for the member's device to finish."""

    stamp: str


class RevocationOrder(RequestModel):
    """Whose membership has ended, in which house."""

    house: HouseNo
    member: Pseudonym


class RevocationAnswer(BaseModel):
    """Whom this house's log named when the membership ended, in the log's order."""

    stamped: list[Pseudonym]


class Log(BaseModel):
    """Whom this issuer has stamped for one house, signed with its seal key; no times."""

    issuer: int
    house: int
    members: list[Pseudonym]
    signature: str


class LogsAnswer(BaseModel):
    """One log for each house, in the order of the terms."""

    logs: list[Log]


class LineAnswer(BaseModel):
    """What this issuer holds of one pseudonym; compare the key with your own."""

    member: Pseudonym
    key: str
    is_stamped: bool
    has_ended: bool
