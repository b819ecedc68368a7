"""API shapes of the statements of months between cooperatives."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from app.foundation.schemas import RequestModel
from app.reciprocity.rules import StatementState
from app.reciprocity.schemas import Currency, Hex32, Signature, example

_SIGNATURE = "5f" * 64
_PAPER = {
    "format": "meent-peer-statement:1",
    "month": "2026-05-01",
    "currency": "CHF",
    "clearings": 37,
    "entries_sha256": "0c" * 32,
    "nets": {
        "8c2b7f34-90aa-4c6e-b2b5-60c5d2d1f7aa": 42_300,
        "1f6d5a5e-3c1b-41a5-93a3-1d2e9a0a4f10": -42_300,
    },
}


class StatementDrawing(RequestModel):
    """The month to be offered, as its first day."""

    model_config = example(month="2026-05-01")

    month: date


class StatementPaper(RequestModel):
    """A month between two cooperatives; the nets say who is to get how much."""

    format: Literal["meent-peer-statement:1"]
    month: Annotated[str, StringConstraints(pattern="^20[0-9]{2}-(0[1-9]|1[0-2])-01$")]
    currency: Currency
    clearings: Annotated[int, Field(ge=0)]
    entries_sha256: Hex32
    nets: Annotated[dict[str, int], Field(min_length=2, max_length=2)]


class SignedStatement(RequestModel):
    """A statement and the signature of whoever offers it."""

    model_config = example(
        paper=_PAPER,
        signature=_SIGNATURE,
    )

    paper: StatementPaper
    signature: Signature


class Settlement(RequestModel):
    """By which document of the bank a statement was paid."""

    model_config = example(document="Bank statement of 3 June, line 14")

    document: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class StatementView(BaseModel):
    """A month between us and a sister: above zero we are to get it.

    `paper` is what both sign: whoever has this answer can check both signatures, and work out what
    many cooperatives pay each other (`meent sisters net`).
    """

    model_config = example(
        id="019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d",
        month="2026-05-01",
        state="agreed",
        clearings=37,
        net_minor=42_300,
        entries_sha256="0c" * 32,
        differences=None,
        drawn_at="2026-06-01T08:00:00Z",
        agreed_at="2026-06-01T08:00:05Z",
        settled_at=None,
        document=None,
        paper=_PAPER,
        own_public_key="d7" * 32,
        own_signature=_SIGNATURE,
        their_public_key="3e" * 32,
        their_signature=_SIGNATURE,
    )

    id: UUID
    month: date
    state: StatementState
    clearings: int
    net_minor: int
    entries_sha256: str
    differences: list[dict[str, Any]] | None
    drawn_at: datetime
    agreed_at: datetime | None
    settled_at: datetime | None
    document: str | None
    paper: dict[str, Any]
    own_public_key: str
    own_signature: str
    their_public_key: str
    their_signature: str | None

    @classmethod
    def of(cls, row: Any, *, own_key: bytes, their_key: bytes) -> Self:
        """What staff see of a statement."""
        more = {
            "entries_sha256": row["paper"]["entries_sha256"],
            "own_public_key": own_key.hex(),
            "their_public_key": their_key.hex(),
        }
        return cls.model_validate(dict(row) | more)


class StatementsView(BaseModel):
    """Statements, the newest month first."""

    items: list[StatementView]
