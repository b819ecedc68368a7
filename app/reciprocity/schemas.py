"""API shapes of reciprocity, and of the papers that cooperatives send each other."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from app.foundation.schemas import RequestModel
from app.reciprocity.rules import ClearingState, Direction, Rejection

_ID = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d"
_PEER = "1f6d5a5e-3c1b-41a5-93a3-1d2e9a0a4f10"
_OWN = "8c2b7f34-90aa-4c6e-b2b5-60c5d2d1f7aa"
_SIGNATURE = "5f" * 64
_NAME = "Züri Taxi Genossenschaft"
MOST_MINOR = 10**12


def example(**fields: Any) -> ConfigDict:
    """Return what shows an example of a shape in the API's document."""
    return ConfigDict(json_schema_extra={"example": fields})


def _in_utc(text: str) -> str:
    datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 - only looked at
    return text


type Hex32 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
type Signature = Annotated[str, StringConstraints(pattern="^[0-9a-f]{128}$")]
type Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
type Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
type UtcText = Annotated[str, AfterValidator(_in_utc)]
type Limit = Annotated[int, Field(ge=0, le=MOST_MINOR)]
type Net = Annotated[int, Field(ge=-MOST_MINOR, le=MOST_MINOR)]


class OwnCardView(BaseModel):
    """Who we are among cooperatives; compare the key by telephone before you register it."""

    model_config = example(id=_OWN, name="Meent Vaduz", currency="CHF", public_key="d7" * 32)

    id: UUID
    name: str
    currency: str
    public_key: str


class PeerProposal(RequestModel):
    """A sister cooperative to be registered, and how much each may owe the other."""

    model_config = example(
        name=_NAME,
        base_url="https://zueri.example",
        public_key="a1" * 32,
        they_may_owe_minor=500_000,
        we_may_owe_minor=500_000,
    )

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    base_url: Annotated[
        str, StringConstraints(pattern="^https?://[^/ ?#]+(/[^/ ?#]+)*$", max_length=200)
    ]
    public_key: Hex32
    they_may_owe_minor: Limit
    we_may_owe_minor: Limit


class PeerPause(RequestModel):
    """Why no rides are exchanged for now."""

    model_config = example(reason="Their server was broken into; we wait for a new key.")

    reason: Reason


_PEER_EXAMPLE: dict[str, Any] = {
    "id": _PEER,
    "name": _NAME,
    "state": "active",
    "currency": "CHF",
    "they_owe_minor": 42_300,
    "they_may_owe_minor": 500_000,
    "we_may_owe_minor": 500_000,
}


class PeerView(BaseModel):
    """A sister and what stands between us: above zero they owe us, below zero we owe them."""

    model_config = example(**_PEER_EXAMPLE)

    id: UUID
    name: str
    state: Literal["proposed", "active", "paused"]
    currency: str
    they_owe_minor: int
    they_may_owe_minor: int
    we_may_owe_minor: int

    @classmethod
    def of(cls, row: Any) -> Self:
        """What members may see of a sister."""
        return cls(**_peer_fields(row))


class PeersView(BaseModel):
    """All sisters."""

    items: list[PeerView]


class PeerDetail(PeerView):
    """A sister as staff see it."""

    model_config = example(
        **_PEER_EXAMPLE,
        base_url="https://zueri.example",
        public_key="a1" * 32,
        held_minor=8_000,
        proposed_by=_ID,
        proposed_at="2026-05-20T09:00:00Z",
        confirmed_by=_ID,
        confirmed_at="2026-05-20T11:00:00Z",
        paused_at=None,
        pause_reason=None,
    )

    base_url: str
    public_key: str
    held_minor: Annotated[int, Field(description="set aside for their visitors' rides")]
    proposed_by: UUID
    proposed_at: datetime
    confirmed_by: UUID | None
    confirmed_at: datetime | None
    paused_at: datetime | None
    pause_reason: str | None

    @classmethod
    def of(cls, row: Any) -> Self:
        """All that staff see of a sister."""
        more = {name: row[name] for name in cls.model_fields if name in row}
        return cls(**more | _peer_fields(row) | {"public_key": row["public_key"].hex()})


def _peer_fields(row: Any) -> dict[str, Any]:
    state = "proposed"
    if row["confirmed_at"] is not None:
        state = "active" if row["paused_at"] is None else "paused"
    return {
        "id": row["id"],
        "name": row["name"],
        "state": state,
        "currency": row["currency"],
        "they_owe_minor": -row["posted_minor"],
        "they_may_owe_minor": row["they_may_owe_minor"],
        "we_may_owe_minor": row["we_may_owe_minor"],
    }


_LETTER = {
    "format": "meent-guest-letter:1",
    "letter_id": _ID,
    "home": _OWN,
    "host": _PEER,
    "name": "Ada",
    "currency": "CHF",
    "limit_minor": 8_000,
    "issued_at": "2026-05-22T15:00:00Z",
    "expires_at": "2026-05-23T15:00:00Z",
}


class LetterRequest(RequestModel):
    """How much your rides with the sister may cost at most, and how they may call you."""

    model_config = example(limit_minor=8_000, name="Ada")

    limit_minor: Annotated[int, Field(gt=0, le=MOST_MINOR)]
    name: Annotated[
        str | None, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)
    ] = None


class LetterPaper(RequestModel):
    """What a cooperative says of its member to a sister."""

    format: Literal["meent-guest-letter:1"]
    letter_id: UUID
    home: UUID
    host: UUID
    name: Annotated[str, Field(min_length=1, max_length=40)]
    currency: Currency
    limit_minor: Annotated[int, Field(gt=0, le=MOST_MINOR)]
    issued_at: UtcText
    expires_at: UtcText


class SignedLetter(RequestModel):
    """A letter and the signature of the cooperative that gave it. Whoever has it is the guest."""

    model_config = example(paper=_LETTER, signature=_SIGNATURE)

    paper: LetterPaper
    signature: Signature


class LetterView(BaseModel):
    """A letter for you, and where to take it."""

    model_config = example(
        host_url="https://zueri.example", letter={"paper": _LETTER, "signature": _SIGNATURE}
    )

    host_url: str
    letter: SignedLetter


class ClearingPaper(RequestModel):
    """What a cooperative claims for rides of a sister's member; below zero it gives back."""

    format: Literal["meent-clearing:1"]
    clearing_id: UUID
    letter_id: UUID
    claimant: UUID
    payer: UUID
    currency: Currency
    amount_minor: Net
    closes: bool
    claimed_at: UtcText


class SignedClearing(RequestModel):
    """A claim and the claimant's signature."""

    model_config = example(
        paper={
            "format": "meent-clearing:1",
            "clearing_id": _ID,
            "letter_id": _ID,
            "claimant": _PEER,
            "payer": _OWN,
            "currency": "CHF",
            "amount_minor": 2_310,
            "closes": False,
            "claimed_at": "2026-05-22T15:40:00Z",
        },
        signature=_SIGNATURE,
    )

    paper: ClearingPaper
    signature: Signature


class SignedAnswer(BaseModel):
    """What is answered to a sister, signed by us."""

    model_config = example(
        paper={
            "format": "meent-clearing-answer:1",
            "clearing_id": _ID,
            "claimant": _PEER,
            "payer": _OWN,
            "amount_minor": 2_310,
            "state": "accepted",
            "reason": None,
        },
        signature=_SIGNATURE,
    )

    paper: dict[str, Any]
    signature: str


class ClearingView(BaseModel):
    """One clearing with a sister; we claim it, or we received it."""

    id: UUID
    letter_id: UUID
    direction: Direction
    amount_minor: int
    closes: bool
    claimed_at: datetime
    state: ClearingState
    reason: Rejection | None
    journal_id: int | None
    reversal_id: int | None
    answered_at: datetime | None
    tries: int


class ClearingsView(BaseModel):
    """Clearings, the newest first."""

    items: list[ClearingView]
    next_cursor: str | None


class ClaimAgainView(BaseModel):
    """The visit for which is claimed again."""

    id: UUID
