"""HTTP of a driver's own pay floor."""

from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import Response

from app.foundation.web import json_response, problem_responses
from app.members.access import DatabaseDep, Driver, Now
from app.members.errors import NotSignedIn, RoleMissing
from app.pay_floor import queries, service
from app.pay_floor.schemas import PayFloorView, WeekView
from governance.pay_floor import Week, WeekPay, week_of

router = APIRouter(prefix="/v1/me", tags=["pay floor"])
WEEKS_SHOWN = 12


@router.get(
    "/pay-floor",
    operation_id="get_pay_floor",
    summary="What your weeks earn at least, and how that comes about",
    response_model=PayFloorView,
    responses=problem_responses(NotSignedIn, RoleMissing),
)
async def get_pay_floor(driver: Driver, database: DatabaseDep, now: Now) -> Response:
    """Return this week so far and the last twelve with rides, each explained in plain words.

    After a week is over, what is missing to the floor is added to your account by itself.
    """
    async with database.reading() as reader:
        cooperative = await queries.cooperative(reader)
        week = week_of(now, zone=ZoneInfo(cooperative["time_zone"]))
        pay = await service.reckon(reader, driver_id=driver.member_id, week=week)
        rows = await queries.list_weeks(reader, driver_id=driver.member_id, limit=WEEKS_SHOWN)
        rates = await queries.rates(reader, at=now)
    currency = cooperative["currency"]
    view = PayFloorView(
        currency=currency,
        per_hour_minor=rates["per_hour_minor"],
        per_km_minor=rates["per_km_minor"],
        running=WeekView.of(pay, week=week, currency=currency, is_over=False),
        weeks=[
            WeekView.of(
                WeekPay(
                    engaged_s=row["engaged_s"],
                    distance_m=row["distance_m"],
                    earned_minor=row["earned_minor"],
                    floor_minor=row["floor_minor"],
                ),
                week=Week(row["week_start"], row["week_end"]),
                currency=currency,
                is_over=True,
            )
            for row in rows
        ],
    )
    return json_response(view.model_dump(mode="json"))
