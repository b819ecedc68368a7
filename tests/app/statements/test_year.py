"""A driver-member's year: quarters that add up to it, refunds, capital and share as booked."""

from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.foundation.database import Database
from app.foundation.money import readable
from app.members.roles import Role
from app.statements.periods import LONGEST, Span, calendar_period, quarters
from app.statements.year import reckon_quarters
from tests.app.statements.made import VADUZ, made_earnings, texts_of
from tests.app.statements.month import Street, mixed_month
from tests.app.surplus.year import Town, found_before, worked_year
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import make_member


@pytest.fixture
async def town(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database, clock: StandingClock
) -> Town:
    await found_before(owner)
    return Town(
        client=client,
        owner=owner,
        database=database,
        clock=clock,
        rider=await make_member(owner, now=FRIDAY_EVENING),
        first=await make_member(owner, Role.STAFF, now=FRIDAY_EVENING),
        second=await make_member(owner, Role.STAFF, now=FRIDAY_EVENING),
    )


async def year_of(street: Street, year: int = 2026) -> dict[str, Any]:
    answer = await street.get(f"/v1/me/statements/{year}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_year_is_its_months_and_its_quarters(street: Street) -> None:
    await mixed_month(street)

    year, month = await year_of(street), await street.earnings()

    assert year["totals"] == month["totals"]
    assert year["closing_minor"] == await street.balance()
    assert (year["is_over"], year["rides"]) == (False, 3)
    busy = [quarter for quarter in year["quarters"] if quarter["rides"]]
    assert [quarter["name"] for quarter in busy] == ["2026 Q2"]
    # One of the three rides was taken back.
    assert busy[0]["rides"] == 2
    assert busy[0]["earned_minor"] == month["totals"]["earned_minor"]
    assert busy[0]["withheld_minor"] == month["commission_paid_minor"]


async def test_a_year_shows_the_refund_the_capital_and_the_share_as_booked(town: Town) -> None:
    people = await worked_year(town)
    await town.close()
    ada = people["ada"]

    year = await town.own(ada, "statements/2026")

    [refund] = (await town.own(ada, "refunds"))["items"]
    [shown] = year["refunds"]
    for name in ("cash_minor", "capital_minor", "commission_minor", "engaged_s"):
        assert shown[name] == refund[name]
    assert year["totals"]["surplus_refunds_minor"] == refund["cash_minor"]
    held = {one["kind"]: one["closing_minor"] for one in year["accounts"]}
    assert held == {"member_capital": refund["capital_minor"], "member_share": 10_000}


async def test_two_years_in_a_row_hand_every_account_on(town: Town) -> None:
    people = await worked_year(town)
    await town.close()

    first, second = [await town.own(people["bo"], f"statements/{n}") for n in (2025, 2026)]

    assert (first["is_over"], second["is_over"]) == (True, False)
    assert first["closing_minor"] == second["opening_minor"]
    assert first["totals"]["fares_minor"] + second["totals"]["fares_minor"] == 31_500 * 100
    closed = {one["kind"]: one["closing_minor"] for one in first["accounts"]}
    opened = {one["kind"]: one["opening_minor"] for one in second["accounts"]}
    assert closed == opened


async def test_a_year_comes_on_paper_with_the_figures_of_its_json(street: Street) -> None:
    await mixed_month(street)
    year = await year_of(street)

    answer = await street.get("/v1/me/statements/2026.pdf")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    texts = texts_of(answer.content)
    quarter = year["quarters"][1]
    for amount_minor in (year["closing_minor"], quarter["gross_minor"], quarter["withheld_minor"]):
        assert readable(amount_minor, currency="CHF") in texts


async def test_who_never_drove_has_no_year_and_no_year_is_before_2000(street: Street) -> None:
    assert (await street.get("/v1/me/statements/2026", street.rider)).status_code == 404
    assert (await street.get("/v1/me/statements/1999")).status_code == 422


@given(st.integers(0, 60), st.integers(0, 1000))
def test_quarters_together_are_what_the_year_earned(rides: int, seed: int) -> None:
    earnings = made_earnings(rides=rides, seed=seed)

    parts = reckon_quarters(earnings.lines, periods=quarters(2026, time_zone=VADUZ))

    assert sum(part.earned_minor for part in parts) == earnings.sums.earned_minor
    assert sum(part.withheld_minor for part in parts) == earnings.commission_minor
    assert sum(part.rides for part in parts) == rides


@given(st.dates(date(2000, 1, 1), date(2999, 12, 31)), st.sampled_from(Span))
def test_every_day_is_in_its_period_and_the_next_one_follows_without_a_gap(
    day: date, span: Span
) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=VADUZ)

    period = calendar_period(span, on=day, time_zone=VADUZ)

    assert period.since <= noon < period.until
    assert period.until - period.since <= LONGEST
    following = (period.until + timedelta(hours=12)).date()
    if following.year <= 2999:
        assert calendar_period(span, on=following, time_zone=VADUZ).since == period.until


def test_quarters_follow_each_other_from_new_year_to_new_year() -> None:
    parts = quarters(2026, time_zone=VADUZ)

    year = calendar_period(Span.YEAR, on=date(2026, 7, 1), time_zone=VADUZ)
    assert (parts[0].since, parts[3].until) == (year.since, year.until)
    assert [part.since for part in parts[1:]] == [part.until for part in parts[:3]]
