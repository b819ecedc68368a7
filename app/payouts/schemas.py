"""API shapes of bank accounts and payouts."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.foundation.schemas import Moment, RequestModel
from app.payouts.reasons import in_words
from app.payouts.rules import LeftOut, Outcome, PayoutState, mask_iban
from app.payouts.status_report import (
    MOST_BYTES,
    MOST_PAYMENTS,
    REASON_FORM,
    PaymentStatus,
    StatusReport,
    Verdict,
)

_ID = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d"
_ACCOUNT: dict[str, Any] = {
    "id": _ID,
    "holder_name": "Ada Frick",
    "iban": "LI** **** 13AA",
    "registered_at": "2026-05-01T09:00:00Z",
    "payable_from": "2026-05-04T09:00:00Z",
    "replaced_at": None,
    "is_refused": False,
}
_BATCH: dict[str, Any] = {
    "id": _ID,
    "state": "released",
    "currency": "EUR",
    "until": "2026-05-21T22:00:00Z",
    "prepared_by": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a2d",
    "prepared_at": "2026-05-22T08:00:00Z",
    "passed_over": {"no_bank_account": 2},
    "released_by": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a3d",
    "released_at": "2026-05-22T09:00:00Z",
    "execute_on": "2026-05-23",
    "cancelled_by": None,
    "cancelled_at": None,
    "reason": None,
    "by_state": [{"state": "released", "payouts": 41, "amount_minor": 1_870_300}],
    "file": None,
}
_OWN: dict[str, Any] = {
    "id": _ID,
    "amount_minor": 45_610,
    "currency": "EUR",
    "state": "settled",
    "left_out_because": None,
    "iban": "LI** **** 13AA",
    "until": "2026-05-21T22:00:00Z",
    "released_at": "2026-05-22T09:00:00Z",
    "settled_at": "2026-05-23T10:00:00Z",
    "returned_at": None,
    "reason": None,
}
_STAFF: dict[str, Any] = _OWN | {
    "member_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a4d",
    "member_name": "Ada",
    "holder_name": "Ada Frick",
}
_PAGE = {"next_cursor": None}

type Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class BankAccountRegistration(RequestModel):
    """Where you want to be paid."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"holder_name": "Ada Frick", "iban": "LI21 0881 0000 2324 013A A"}
        }
    )

    holder_name: Annotated[
        str,
        StringConstraints(strip_whitespace=True, min_length=1, max_length=70),
        Field(description="as the bank knows it"),
    ]
    iban: Annotated[str, Field(min_length=15, max_length=42, description="with or without spaces")]


class BankAccountView(BaseModel):
    """A bank account, its number masked."""

    model_config = ConfigDict(json_schema_extra={"example": _ACCOUNT})

    id: UUID
    holder_name: str
    iban: Annotated[str, Field(description="the country and the last four characters")]
    registered_at: datetime
    payable_from: Annotated[datetime, Field(description="nothing is paid to it before")]
    replaced_at: datetime | None
    is_refused: Annotated[
        bool, Field(description="the bank could not pay to it; register it anew or another one")
    ]

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return an account as it is shown."""
        return cls.model_validate({**row, "iban": mask_iban(row["iban"])})


class BankAccountsView(BaseModel):
    """The account you are paid to, and those before it, the newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"current": _ACCOUNT, "earlier": []}})

    current: BankAccountView | None
    earlier: list[BankAccountView]


class BatchPreparation(RequestModel):
    """Up to when earnings are paid out."""

    model_config = ConfigDict(json_schema_extra={"example": {"until": "2026-05-21T22:00:00Z"}})

    until: Annotated[
        Moment | None, Field(description="what was earned before it; now where it is left out")
    ] = None


class BatchCancellation(RequestModel):
    """Why a batch is given up."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "A cost is missing yet"}})

    reason: Reason


class StateSum(BaseModel):
    """How many payouts of a batch are in one state, and what they come to."""

    state: PayoutState
    payouts: int
    amount_minor: int


class FileView(BaseModel):
    """The file of a batch: drawn once, the same bytes for ever."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "form": "pain.001.001.09",
                "sha256": "ab" * 32,
                "drawn_at": "2026-05-22T09:05:00Z",
            }
        }
    )

    form: str
    sha256: str
    drawn_at: datetime


class BatchView(BaseModel):
    """A batch: who prepared it, who let it go, and where its payouts stand."""

    model_config = ConfigDict(json_schema_extra={"example": _BATCH})

    id: UUID
    state: Literal["prepared", "released", "cancelled"]
    currency: str
    until: datetime
    prepared_by: UUID
    prepared_at: datetime
    passed_over: Annotated[
        dict[str, int], Field(description="drivers above zero who are not paid, by the reason why")
    ]
    released_by: UUID | None
    released_at: datetime | None
    execute_on: date | None
    cancelled_by: UUID | None
    cancelled_at: datetime | None
    reason: str | None
    by_state: list[StateSum]
    file: FileView | None


class BatchesView(BaseModel):
    """A page of batches, the newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [_BATCH], **_PAGE}})

    items: list[BatchView]
    next_cursor: str | None


class OwnPayoutView(BaseModel):
    """What you were paid, when, and to which account."""

    model_config = ConfigDict(json_schema_extra={"example": _OWN})

    id: UUID
    amount_minor: int
    currency: str
    state: PayoutState
    left_out_because: LeftOut | None
    iban: Annotated[str, Field(description="masked")]
    until: Annotated[datetime, Field(description="what was earned before it is in this payout")]
    released_at: datetime | None
    settled_at: datetime | None
    returned_at: datetime | None
    reason: Annotated[str | None, Field(description="why it came back, and what to do")]

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a payout as it is shown."""
        reason = in_words(row["reason_code"]) if row["returned_at"] else None
        return cls.model_validate({**row, "iban": mask_iban(row["iban"]), "reason": reason})


class OwnPayoutsView(BaseModel):
    """A page of your payouts, the newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [_OWN], **_PAGE}})

    items: list[OwnPayoutView]
    next_cursor: str | None


class PayoutView(OwnPayoutView):
    """A payout as staff sees it; the account number is masked here, too."""

    model_config = ConfigDict(json_schema_extra={"example": _STAFF})

    member_id: UUID
    member_name: str
    holder_name: str


class PayoutsView(BaseModel):
    """A page of a batch's payouts."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [_STAFF], **_PAGE}})

    items: list[PayoutView]
    next_cursor: str | None


class StatusEntry(RequestModel):
    """What the bank says of one payout."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"payout_id": _ID, "outcome": "returned", "reason_code": "AC04"}
        }
    )

    payout_id: UUID
    outcome: Outcome
    reason_code: Annotated[
        str | None, Field(pattern=f"^{REASON_FORM}$", description="ISO 20022, such as AC04")
    ] = None


class StatusImport(RequestModel):
    """What the bank says: its file as it is, or what a person read off the statement."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "statuses": [{"payout_id": _ID, "outcome": "returned", "reason_code": "AC04"}],
                "everyone_else": "settled",
            }
        }
    )

    pain_002: Annotated[
        str | None, Field(max_length=MOST_BYTES, description="a payment status report, the XML")
    ] = None
    statuses: Annotated[tuple[StatusEntry, ...], Field(max_length=MOST_PAYMENTS)] = ()
    everyone_else: Annotated[
        Outcome | None, Field(description="of the batch's payouts that `statuses` does not name")
    ] = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        by_hand = bool(self.statuses) or self.everyone_else is not None
        if by_hand == (self.pain_002 is not None):
            raise ValueError("send either pain_002 or statuses and everyone_else")
        named = {status.payout_id for status in self.statuses}
        if len(named) < len(self.statuses):
            raise ValueError("a payout is named twice")
        return self

    def by_hand(self) -> StatusReport:
        """Return what a person says, as a report."""
        return StatusReport(
            message_id=None,
            each=tuple(
                PaymentStatus(status.payout_id.hex, Verdict(status.outcome, status.reason_code))
                for status in self.statuses
            ),
            everyone_else=Verdict(self.everyone_else) if self.everyone_else else None,
        )


class ImportView(BaseModel):
    """What an import changed, and what it did not."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "settled": 40,
                "returned": 1,
                "unchanged": 0,
                "pending": 0,
                "contradicting": [],
                "unknown": [],
            }
        }
    )

    settled: int
    returned: int
    unchanged: Annotated[int, Field(description="already so")]
    pending: Annotated[int, Field(description="still under way, says the bank")]
    contradicting: Annotated[
        list[UUID], Field(description="payouts that ended otherwise before; nothing was changed")
    ]
    unknown: Annotated[
        list[str], Field(description="references that are of no payout released with this batch")
    ]
