"""API shapes of a yearly statement."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from app.statements.schemas import AMOUNTS_EXAMPLE, AmountsView, ClocksView, ShareView
from app.statements.year import YearStatement


class QuarterView(BaseModel):
    """A quarter as platforms report it to tax offices: gross - withheld is what was earned."""

    name: str
    since: datetime
    until: datetime
    gross_minor: Annotated[int, Field(description="what was credited for driving")]
    withheld_minor: Annotated[int, Field(description="commission, and what was passed on")]
    earned_minor: int
    rides: Annotated[int, Field(description="with a fare that was not taken back")]


class RefundOfSurplusView(BaseModel):
    """Your part of a closed period's surplus: so much in money, the rest a lot of capital."""

    model_config = ConfigDict(from_attributes=True)

    since: datetime
    until: datetime
    allotted_at: datetime
    commission_minor: int
    engaged_s: int
    cash_minor: int
    capital_minor: int


class AccountYearView(BaseModel):
    """Your share or your capital: opening + credits - debits is closing."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    opening_minor: int
    credits_minor: int
    debits_minor: int
    closing_minor: int


class YearView(BaseModel):
    """A driver-member's year: opening + `account_change_minor` of the totals is closing."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "year": 2026,
                "since": "2025-12-31T23:00:00Z",
                "until": "2026-12-31T23:00:00Z",
                "known_at": "2027-01-04T08:00:00Z",
                "is_over": True,
                "currency": "CHF",
                "opening_minor": 0,
                "closing_minor": 3996,
                "totals": AMOUNTS_EXAMPLE,
                "commission_paid_minor": 669,
                "waiting_minor": 0,
                "rides": 1,
                "clocks": {
                    "available_s": 1800,
                    "dispatch_s": 600,
                    "on_trip_s": 1200,
                    "online_s": 3600,
                },
                "shares": [],
                "quarters": [
                    {
                        "name": "2026 Q1",
                        "since": "2025-12-31T23:00:00Z",
                        "until": "2026-03-31T22:00:00Z",
                        "gross_minor": 4665,
                        "withheld_minor": 669,
                        "earned_minor": 3996,
                        "rides": 1,
                    }
                ],
                "refunds": [],
                "accounts": [
                    {
                        "kind": "member_share",
                        "opening_minor": 10000,
                        "credits_minor": 0,
                        "debits_minor": 0,
                        "closing_minor": 10000,
                    }
                ],
            }
        }
    )

    year: int
    since: datetime
    until: datetime
    known_at: datetime
    is_over: Annotated[bool, Field(description="false: of the year so far")]
    currency: str
    opening_minor: int
    closing_minor: int
    totals: AmountsView
    commission_paid_minor: int
    waiting_minor: int
    rides: Annotated[int, Field(description="for which money moved in the year")]
    clocks: ClocksView
    shares: list[ShareView]
    quarters: list[QuarterView]
    refunds: list[RefundOfSurplusView]
    accounts: list[AccountYearView]

    @classmethod
    def of(cls, year: YearStatement, *, now: datetime) -> Self:
        """Return the API's form."""
        earnings = year.earnings
        return cls(
            year=year.year,
            since=earnings.period.since,
            until=earnings.period.until,
            known_at=earnings.known_at,
            is_over=now >= earnings.period.until,
            currency=earnings.currency,
            opening_minor=earnings.opening_minor,
            closing_minor=earnings.closing_minor,
            totals=AmountsView.of(earnings.sums),
            commission_paid_minor=earnings.commission_minor,
            waiting_minor=earnings.waiting_minor,
            rides=len(earnings.rides),
            clocks=ClocksView.of(earnings.clocks),
            shares=[ShareView.of(share) for share in earnings.shares],
            quarters=[
                QuarterView(
                    name=one.period.name,
                    since=one.period.since,
                    until=one.period.until,
                    gross_minor=one.gross_minor,
                    withheld_minor=one.withheld_minor,
                    earned_minor=one.earned_minor,
                    rides=one.rides,
                )
                for one in year.quarters
            ],
            refunds=[RefundOfSurplusView.model_validate(one) for one in year.refunds],
            accounts=[AccountYearView.model_validate(one) for one in year.accounts],
        )
