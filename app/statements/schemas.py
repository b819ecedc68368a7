"""API shapes of the statements' room: a driver's earnings, and what each of them was."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.statements.clocks import Clocks
from app.statements.earnings import Earnings, RideEarnings, Share
from app.statements.lines import Column, Line, Sums

_ID = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1c"
_POLICY_ID = "019aab1c-2d3e-7f40-8a5b-000000000001"


class AmountsView(BaseModel):
    """Amounts by what they are, in minor units; above 0 they came to the driver.

    `earned_minor` is fares, fees, tips, top-ups, commission, passed on and corrections together;
    `account_change_minor` is everything together.
    """

    fares_minor: int
    fees_minor: Annotated[int, Field(description="for rides that riders called off late")]
    tips_minor: int
    top_ups_minor: Annotated[int, Field(description="what filled weeks up to the pay floor")]
    commission_minor: Annotated[int, Field(description="the voted share, below 0")]
    passed_on_minor: Annotated[int, Field(description="owed to others, such as a tax; below 0")]
    corrections_minor: Annotated[int, Field(description="taken back or put right")]
    surplus_refunds_minor: int
    capital_repaid_minor: int
    solidarity_minor: int
    cash_taken_minor: Annotated[int, Field(description="in your hand already; below 0")]
    paid_out_minor: Annotated[int, Field(description="sent to your bank; below 0")]
    other_minor: int
    earned_minor: int
    account_change_minor: int

    @classmethod
    def of(cls, sums: Sums) -> Self:
        """Return the API's form."""
        return cls(
            **{f"{column}_minor": sums[column] for column in Column},
            earned_minor=sums.earned_minor,
            account_change_minor=sums.moved_minor,
        )


class ClocksView(BaseModel):
    """Seconds at work: available + dispatch + on_trip = online. Rides at once count once."""

    available_s: Annotated[int, Field(description="on shift, without a ride")]
    dispatch_s: Annotated[int, Field(description="from taking a ride until the rider is in")]
    on_trip_s: Annotated[int, Field(description="with a rider in the car")]
    online_s: int

    @classmethod
    def of(cls, clocks: Clocks) -> Self:
        """Return the API's form."""
        return cls(
            available_s=clocks.available_s,
            dispatch_s=clocks.dispatch_s,
            on_trip_s=clocks.on_trip_s,
            online_s=clocks.online_s,
        )


class ShareView(BaseModel):
    """A share of fares, and who set it: a vote of the assembly, or the founding statutes."""

    policy_version_id: UUID
    commission_bp: Annotated[int, Field(description="in basis points: 1500 is 15 %")]
    effective_from: datetime
    source: Annotated[str, Field(description="`tally` or `founding`")]
    proposal_id: Annotated[UUID | None, Field(description="what was voted about")]
    election_id: UUID | None
    title: str | None
    tallied_at: datetime | None

    @classmethod
    def of(cls, share: Share) -> Self:
        """Return the API's form."""
        return cls(**{name: getattr(share, name) for name in cls.model_fields})


class RideEarningsView(BaseModel):
    """What one ride moved on your account in the period; a tip may come in a later one."""

    ride_id: UUID
    at: datetime
    state: str
    distance_m: int | None
    commission_bp: int | None
    policy_version_id: Annotated[UUID | None, Field(description="one of `shares`")]
    waiting_minor: Annotated[int, Field(description="what of the fare was for waiting")]
    vat_minor: Annotated[int, Field(description="what of the fare is value-added tax")]
    vat_remitted_by: Annotated[str, Field(description="who pays it: driver, cooperative, nobody")]
    amounts: AmountsView
    reasons: Annotated[list[str], Field(description="of what was taken back or put right")]

    @classmethod
    def of(cls, ride: RideEarnings) -> Self:
        """Return the API's form."""
        facts = ride.facts
        return cls(
            ride_id=facts.ride_id,
            at=ride.at,
            state=facts.state,
            distance_m=facts.distance_m,
            commission_bp=facts.commission_bp,
            policy_version_id=facts.policy_version_id,
            waiting_minor=facts.waiting_minor,
            vat_minor=facts.vat_minor,
            vat_remitted_by=facts.vat_remitted_by,
            amounts=AmountsView.of(ride.sums),
            reasons=list(ride.reasons),
        )


class OtherLineView(BaseModel):
    """A movement that is of no ride: a payout, a refund of the surplus, a top-up of a week."""

    journal_id: int
    line: int
    at: datetime
    kind: str
    column: Annotated[Column, Field(description="in which of the amounts it counts")]
    amount_minor: int
    reason: str | None

    @classmethod
    def of(cls, line: Line) -> Self:
        """Return the API's form."""
        return cls(
            journal_id=line.journal_id,
            line=line.line,
            at=line.effective_at,
            kind=line.kind,
            column=line.column,
            amount_minor=line.amount_minor,
            reason=line.reason,
        )


AMOUNTS_EXAMPLE: dict[str, Any] = dict.fromkeys(AmountsView.model_fields, 0) | {
    "fares_minor": 4465,
    "tips_minor": 200,
    "commission_minor": -669,
    "earned_minor": 3996,
    "account_change_minor": 3996,
}


class EarningsView(BaseModel):
    """opening + account_change is closing, to the cent: nothing on the account is left out."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "week of 18 May 2026",
                "since": "2026-05-17T22:00:00Z",
                "until": "2026-05-24T22:00:00Z",
                "time_zone": "Europe/Vaduz",
                "known_at": "2026-05-25T06:00:00Z",
                "currency": "CHF",
                "opening_minor": 1200,
                "closing_minor": 5196,
                "totals": AMOUNTS_EXAMPLE,
                "commission_paid_minor": 669,
                "waiting_minor": 0,
                "clocks": {
                    "available_s": 1800,
                    "dispatch_s": 600,
                    "on_trip_s": 1200,
                    "online_s": 3600,
                },
                "per_hour_online_minor": 3996,
                "per_hour_with_rider_minor": 11988,
                "shares": [
                    {
                        "policy_version_id": _POLICY_ID,
                        "commission_bp": 1500,
                        "effective_from": "2026-01-01T00:00:00Z",
                        "source": "founding",
                        "proposal_id": None,
                        "election_id": None,
                        "title": None,
                        "tallied_at": None,
                    }
                ],
                "rides": [
                    {
                        "ride_id": _ID,
                        "at": "2026-05-22T17:20:00Z",
                        "state": "completed",
                        "distance_m": 8820,
                        "commission_bp": 1500,
                        "policy_version_id": _POLICY_ID,
                        "waiting_minor": 0,
                        "vat_minor": 0,
                        "vat_remitted_by": "nobody",
                        "amounts": AMOUNTS_EXAMPLE,
                        "reasons": [],
                    }
                ],
                "other_lines": [],
            }
        }
    )

    name: str
    since: datetime
    until: Annotated[datetime, Field(description="the period's end, which is not in it")]
    time_zone: str
    known_at: Annotated[datetime, Field(description="what is booked later is not in here")]
    currency: str
    opening_minor: int
    closing_minor: int
    totals: AmountsView
    commission_paid_minor: Annotated[int, Field(description="less what of it came back")]
    waiting_minor: Annotated[int, Field(description="what of the fares was for waiting")]
    clocks: ClocksView
    per_hour_online_minor: int | None
    per_hour_with_rider_minor: int | None
    shares: Annotated[list[ShareView], Field(description="what was taken, and who decided it")]
    rides: list[RideEarningsView]
    other_lines: list[OtherLineView]

    @classmethod
    def of(cls, earnings: Earnings) -> Self:
        """Return the API's form."""
        return cls(
            name=earnings.period.name,
            since=earnings.period.since,
            until=earnings.period.until,
            time_zone=earnings.time_zone,
            known_at=earnings.known_at,
            currency=earnings.currency,
            opening_minor=earnings.opening_minor,
            closing_minor=earnings.closing_minor,
            totals=AmountsView.of(earnings.sums),
            commission_paid_minor=earnings.commission_minor,
            waiting_minor=earnings.waiting_minor,
            clocks=ClocksView.of(earnings.clocks),
            per_hour_online_minor=earnings.per_hour_online_minor,
            per_hour_with_rider_minor=earnings.per_hour_with_rider_minor,
            shares=[ShareView.of(share) for share in earnings.shares],
            rides=[RideEarningsView.of(ride) for ride in earnings.rides],
            other_lines=[OtherLineView.of(line) for line in earnings.other_lines],
        )


def earnings_json(earnings: Earnings) -> bytes:
    """Return the API's form of a statement, written out; 6,000 rides keep a processor busy."""
    return EarningsView.of(earnings).model_dump_json().encode()
