"""API shapes of the surplus."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.foundation.schemas import Moment, RequestModel

_STEP: dict[str, Any] = {
    "key": "reserve",
    "words": "Of what members' rides made: to the indivisible reserve",
    "amount_minor": 98000,
    "rule": "20 %",
    "source": "the statutes in force on 2025-01-01",
    "is_checked": True,
}
_PERIOD: dict[str, Any] = {
    "id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d",
    "since": "2024-12-31T23:00:00Z",
    "until": "2025-12-31T23:00:00Z",
    "state": "closed",
    "at": "2026-02-11T09:00:00Z",
    "operator": None,
    "steps": [_STEP],
}
_REFUND: dict[str, Any] = {
    "period_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d",
    "since": "2024-12-31T23:00:00Z",
    "until": "2025-12-31T23:00:00Z",
    "closed_at": "2026-02-11T09:00:00Z",
    "commission_minor": 630000,
    "engaged_s": 6840000,
    "cash_minor": 10048,
    "capital_minor": 40189,
}
_FORM: dict[str, Any] = {
    "key": "es_cooperative",
    "name": "Spain: cooperative of the national law",
    "clauses": [
        {
            "name": "reserve_bp",
            "value": 2000,
            "source": "Spain, Ley 27/1999 de Cooperativas, art. 58: 20 % to the obligatory reserve",
            "is_checked": False,
        }
    ],
    "unchecked": ["reserve_bp"],
    "not_built": [],
}


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": example})


class PeriodRequest(RequestModel):
    """The period to close: [since, until), which is over."""

    model_config = _example({"since": "2024-12-31T23:00:00Z", "until": "2025-12-31T23:00:00Z"})

    since: Moment
    until: Moment


class StepView(BaseModel):
    """One line of a close: what it is, how much, by which rule, from where."""

    model_config = _example(_STEP)

    key: str
    words: str
    amount_minor: int
    rule: str
    source: str
    is_checked: Annotated[
        bool, Field(description="false: a figure of the law behind it was looked up by nobody")
    ]


class PeriodView(BaseModel):
    """A period, prepared or closed for good, step by step; of members only sums."""

    model_config = _example(_PERIOD)

    id: UUID
    since: datetime
    until: datetime
    state: Literal["prepared", "closed"]
    at: Annotated[datetime, Field(description="when it was prepared, or closed")]
    operator: Annotated[
        str | None, Field(description="who closed it at the machine; null: two people did")
    ]
    steps: list[StepView]


class PeriodsView(BaseModel):
    """A page of periods, the one prepared last first."""

    model_config = _example({"items": [_PERIOD], "next_cursor": None})

    items: list[PeriodView]
    next_cursor: str | None


class RefundView(BaseModel):
    """Your part of a period: money on your account, a lot of capital, and what they follow."""

    model_config = _example(_REFUND)

    period_id: UUID
    since: datetime
    until: datetime
    closed_at: datetime
    commission_minor: Annotated[int, Field(description="what your rides as a member brought")]
    engaged_s: Annotated[int, Field(description="from assignment to end of your rides")]
    cash_minor: int
    capital_minor: int


class RefundsView(BaseModel):
    """Your refunds, the oldest first."""

    model_config = _example({"currency": "CHF", "items": [_REFUND]})

    currency: str
    items: list[RefundView]


class LotView(BaseModel):
    """A lot of your capital and what of it was paid back."""

    period_id: UUID
    until: datetime
    amount_minor: int
    redeemed_minor: int


class CapitalView(BaseModel):
    """Your capital: lots, the oldest first, which is the order in which they are paid back."""

    model_config = _example(
        {
            "currency": "CHF",
            "capital_minor": 40189,
            "lots": [
                {
                    "period_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d",
                    "until": "2025-12-31T23:00:00Z",
                    "amount_minor": 40189,
                    "redeemed_minor": 0,
                }
            ],
        }
    )

    currency: str
    capital_minor: int
    lots: list[LotView]


class RedemptionView(BaseModel):
    """What was paid back of a former member's capital, and what still waits."""

    model_config = _example(
        {
            "member_id": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1e",
            "paid_minor": 40189,
            "left_minor": 0,
        }
    )

    member_id: UUID
    paid_minor: int
    left_minor: int


class ClauseView(BaseModel):
    """One rule of a legal form."""

    name: str
    value: int | bool | None
    source: str
    is_checked: bool


class LegalFormView(BaseModel):
    """What the law of a legal form asks, and what nobody looked up or built."""

    model_config = _example(_FORM)

    key: str
    name: str
    clauses: list[ClauseView]
    unchecked: list[str]
    not_built: list[str]


class LegalFormsView(BaseModel):
    """Every legal form that statutes can choose, and the one in force."""

    model_config = _example({"in_force": "ica", "items": [_FORM]})

    in_force: str
    items: list[LegalFormView]
