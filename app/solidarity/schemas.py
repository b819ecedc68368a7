"""API shapes of solidarity."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.foundation.schemas import RequestModel

_ID = "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d"
type Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
type CircleName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)
]
_LEAVE: dict[str, Any] = {
    "id": _ID,
    "began_on": "2026-05-02",
    "ended_on": None,
    "gifts_from": "2026-06-01",
    "is_confirmed": False,
    "confirmations": 1,
}
_CIRCLE: dict[str, Any] = {
    "id": _ID,
    "name": "Night drivers",
    "members": 23,
    "has_begun": True,
    "places_left": 27,
}


def _like(**example: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": example})


def _asked(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"example": example})


class CircleOpening(RequestModel):
    """A new circle."""

    model_config = _asked(name="Night drivers")

    name: CircleName


class CircleJoining(RequestModel):
    """What you want to be given in a month of illness; your contribution is a share of it."""

    model_config = _asked(tier_minor=100_000)

    tier_minor: Annotated[int, Field(ge=1, le=10_000_000, description="one of `tiers_minor`")]


class SickReport(RequestModel):
    """From when on you cannot work. Do not say why: nobody asks, and there is no place for it."""

    model_config = _asked(began_on="2026-05-02")

    began_on: date


class RecoveryReport(RequestModel):
    """The first day on which you work again."""

    model_config = _asked(ended_on="2026-07-20")

    ended_on: date


class WriteOff(RequestModel):
    """Why nobody will ever pay this."""

    model_config = _asked(reason="The rider moved away; three letters came back.")

    reason: Reason


class CircleView(BaseModel):
    """A circle, without who is in it."""

    model_config = _like(**_CIRCLE)

    id: UUID
    name: str
    members: int
    has_begun: bool
    places_left: int

    @classmethod
    def of(cls, row: Any, *, most: int) -> Self:
        """Return a circle as it is shown."""
        return cls(
            id=row["id"],
            name=row["name"],
            members=row["members"],
            has_begun=row["begun_at"] is not None,
            places_left=most - row["members"],
        )


class CirclesView(BaseModel):
    """Every circle of the city."""

    model_config = _like(items=[_CIRCLE])

    items: list[CircleView]


class MembershipView(BaseModel):
    """Your place in a circle."""

    model_config = _like(
        circle_id=_ID,
        circle_name="Night drivers",
        tier_minor=100_000,
        joined_at="2026-01-05T10:00:00Z",
        has_begun=True,
    )

    circle_id: UUID
    circle_name: str
    tier_minor: int
    joined_at: datetime
    has_begun: bool

    @classmethod
    def of(cls, row: Any) -> Self:
        """Return a member's place as it is shown to them."""
        shown = {name: row[name] for name in ("circle_id", "circle_name", "tier_minor")}
        return cls(**shown, joined_at=row["joined_at"], has_begun=row["begun_at"] is not None)


class SickLeaveView(BaseModel):
    """An illness: from when to when, and whether people confirmed it."""

    model_config = _like(**_LEAVE)

    id: UUID
    began_on: date
    ended_on: date | None
    gifts_from: date
    is_confirmed: bool
    confirmations: int

    @classmethod
    def of(cls, row: Any, *, gifts_from: date, **more: Any) -> Self:
        """Return an illness as it is shown to who it concerns."""
        shown = {name: row[name] for name in ("id", "began_on", "ended_on", "confirmations")}
        is_confirmed = row["confirmed_at"] is not None
        return cls(**shown, gifts_from=gifts_from, is_confirmed=is_confirmed, **more)


class WaitingView(SickLeaveView):
    """An illness that waits for people to confirm it, with whose it is."""

    model_config = _like(**_LEAVE, member_name="Ada", circle_name="Night drivers")

    member_name: str
    circle_name: str


class WaitingListView(BaseModel):
    """What you may confirm."""

    items: list[WaitingView]


class ContributionView(BaseModel):
    """What you contributed for a month."""

    month: date
    rate_bp: int
    due_minor: int
    paid_minor: int


class GiftView(BaseModel):
    """What you were given for a month, and what it would be had the circle and fund all of it."""

    month: date
    days: int
    full_minor: int
    amount_minor: int
    paid_at: datetime


class OwnSolidarityView(BaseModel):
    """All that the fund knows of you."""

    membership: MembershipView | None
    sick_leaves: list[SickLeaveView]
    gifts: list[GiftView]
    contributions: list[ContributionView]
    law: str


class RulesView(BaseModel):
    """What the members voted."""

    contribution_bp: int
    contribution_most_bp: int
    guarantee_cap_minor: int
    gift_waiting_days: int
    gift_longest_months: int


class SolidarityView(BaseModel):
    """How it stands with the fund."""

    currency: str
    words: list[str]
    law: str
    privacy: str
    rules: RulesView
    tiers_minor: list[int]
    circle_least: int
    circle_most: int
    rate_bp: int
    next_rate_bp: int | None
    fund_about_minor: int
    fund_as_of: datetime | None
    reserve_months: int | None


class PaymentsView(BaseModel):
    """Payments of the fund, in months put together until ten people are in them."""

    class Group(BaseModel):
        """Payments of one kind in whole months."""

        since: date
        through: date
        kind: str
        payments: int
        amount_minor: int

    model_config = _like(
        items=[
            {
                "since": "2026-01-01",
                "through": "2026-04-01",
                "kind": "sick_gift",
                "payments": 26,
                "amount_minor": 2_610_000,
            }
        ],
        currency="EUR",
        words="Payments are shown without names …",
    )

    items: list[Group]
    currency: str
    words: str


class GuaranteeView(BaseModel):
    """A card payment that failed for good, what the fund took over, and what is still owed."""

    model_config = _like(
        payment_id=_ID,
        ride_id=_ID,
        rider_id=_ID,
        payment_minor=7_300,
        cap_minor=5_000,
        covered_minor=5_000,
        returned_minor=0,
        written_off_minor=0,
        reason=None,
        taken_over_at="2026-05-22T15:00:00Z",
    )

    payment_id: UUID
    ride_id: UUID
    rider_id: UUID
    payment_minor: int
    cap_minor: int
    covered_minor: int
    returned_minor: int
    written_off_minor: int
    reason: str | None
    taken_over_at: datetime


class GuaranteesView(BaseModel):
    """A page of them, the newest first."""

    items: list[GuaranteeView]
    next_cursor: str | None
