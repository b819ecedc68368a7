"""What is expected is the city's own last weeks, and until there are enough of them a guess."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import h3.api.basic_int as h3
import httpx
import pytest
from fastapi import FastAPI

from app.city import load_city
from app.foundation.ids import new_id
from app.outlook.forecast import AHEAD, Asked, earlier_weeks, forecast, guess_city
from app.outlook.models import Basis
from app.roads.places import Places
from app.settings import BUILT_IN_CITY
from matching.location_index import CELL_RESOLUTION
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import make_member
from tests.steps import BALZERS, TRIESEN, VADUZ, book

ZONE = ZoneInfo("Europe/Vaduz")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def cell_of(place: dict[str, float]) -> int:
    return int(h3.latlng_to_cell(place["lat"], place["lng"], CELL_RESOLUTION))


def asked(place: dict[str, float], *, riders: int, times: int) -> list[Asked]:
    return [Asked(place["lat"], place["lng"], new_id(), times) for _ in range(riders)]


def expected_in(place: dict[str, float], history: Sequence[Asked], *, weeks: int) -> Any:
    made = forecast({cell_of(VADUZ): 6.0, cell_of(TRIESEN): 2.0}, history, weeks=weeks)
    number = made.cells.tolist().index(cell_of(place))
    return made.expected[number], made.basis(number)


def test_a_new_city_expects_what_its_guess_says_and_says_that_it_is_one() -> None:
    assert expected_in(VADUZ, [], weeks=0) == (6.0, Basis.CITY)


def test_the_own_weeks_outweigh_the_guess_more_with_each_of_them() -> None:
    # Each week 9 asked in an hour and a half: 3 in half an hour.
    for weeks, by_hand, basis in ((1, 5.25, "city"), (3, 4.5, "city"), (8, 42 / 11, "history")):
        history = asked(VADUZ, riders=9, times=weeks)
        expected, based_on = expected_in(VADUZ, history, weeks=weeks)

        assert expected == pytest.approx(by_hand)
        assert based_on == basis


def test_a_cell_of_few_riders_tells_of_nobody_however_often_they_ride() -> None:
    commuters = asked(BALZERS, riders=4, times=100)
    made = forecast({cell_of(VADUZ): 6.0, cell_of(TRIESEN): 2.0}, commuters, weeks=8)

    assert cell_of(BALZERS) not in made.cells
    # Their rides count for the whole city, spread as the guess is.
    assert made.expected.sum() == pytest.approx((3 * 8.0 + 400 / 3) / 11)
    assert made.expected[0] == pytest.approx(3 * made.expected[1])
    assert not made.is_own.any()


def test_a_cell_of_enough_riders_counts_though_nobody_guessed_it() -> None:
    expected, based_on = expected_in(BALZERS, asked(BALZERS, riders=5, times=2), weeks=8)

    assert expected == pytest.approx(10 / 3 / 11)
    assert based_on is Basis.HISTORY


def test_earlier_weeks_are_the_same_time_by_the_clock_on_the_wall() -> None:
    # Summer time began on 29 March 2026.
    now = datetime(2026, 4, 10, 17, 0, tzinfo=ZONE)
    weeks = earlier_weeks(now, time_zone=ZONE, since=LONG_AGO)

    assert len(weeks) == 8
    for ago, week in enumerate(weeks, start=1):
        begin = week.start.astimezone(ZONE)
        assert (begin.weekday(), begin.hour, begin.minute) == (4, 16, 30)
        assert begin.date() == now.date() - timedelta(weeks=ago)
        assert week.end - week.start == 3 * AHEAD
    assert weeks[0].start.hour != weeks[-1].start.hour


def test_weeks_before_the_first_price_are_no_record() -> None:
    since = FRIDAY_EVENING - timedelta(weeks=3)

    assert len(earlier_weeks(FRIDAY_EVENING, time_zone=ZONE, since=since)) == 2
    assert earlier_weeks(FRIDAY_EVENING, time_zone=ZONE, since=None) == []


def test_the_guess_follows_the_week_and_adds_up_to_the_citys_requests(places: Places) -> None:
    guess = guess_city(load_city(BUILT_IN_CITY), places.rows)
    monday = datetime(2026, 5, 18, tzinfo=ZONE)
    hours = [
        sum(guess.expected(monday + timedelta(hours=hour), time_zone=ZONE).values())
        for hour in range(168)
    ]

    assert sum(guess.share.values()) == pytest.approx(1)
    assert 2 * sum(hours) == pytest.approx(168 * 90)
    assert hours[4 * 24 + 17] > 10 * hours[3]


def test_a_recorded_citys_guess_is_where_and_how_often_riders_asked(
    places: Places, tmp_path: Any
) -> None:
    trips = tmp_path / "trips.csv"
    lines = [
        f"a,{int((FRIDAY_EVENING + timedelta(hours=hour)).timestamp())},x,"
        f"{place['lat']},{place['lng']},47.1,9.5,300,2000"
        for hour, place in ((0, VADUZ), (1, VADUZ), (2, VADUZ), (4, BALZERS))
    ]
    header = "cab,pickup_ts,local,pickup_lat,pickup_lon,dropoff_lat,dropoff_lon,duration_s,trace_m"
    trips.write_text("\n".join([header, *lines]) + "\n")
    city = load_city(BUILT_IN_CITY).model_copy(update={"demand": None, "trips": trips})

    guess = guess_city(city, places.rows)

    assert guess.share == {cell_of(VADUZ): 0.75, cell_of(BALZERS): 0.25}
    assert guess.requests_per_hour == 1.0


async def test_rides_of_the_last_weeks_at_this_time_make_the_live_forecast(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    riders = [await make_member(owner, now=FRIDAY_EVENING) for _ in range(12)]
    await book(client, riders[11], pickup=BALZERS, dropoff=VADUZ)
    clock.pass_time(2 * 3600)
    for rider in riders[:10]:
        await book(client, rider, pickup=BALZERS, dropoff=VADUZ)
    clock.pass_time(2 * 3600)
    await book(client, riders[10], pickup=BALZERS, dropoff=VADUZ)
    clock.moment = FRIDAY_EVENING + timedelta(weeks=1, hours=2, minutes=20)
    advisor = app.state.advisor

    outlook = await advisor._look_ahead(clock.now())
    at_balzers = outlook.forecast.cells.tolist().index(cell_of(BALZERS))
    guessed = advisor._guess.expected(clock.now(), time_zone=ZONE)[cell_of(BALZERS)]

    assert outlook.forecast.expected[at_balzers] == pytest.approx((3 * guessed + 10 / 3) / 4)
    assert outlook.forecast.basis(at_balzers) is Basis.CITY


async def test_the_forecast_is_worked_out_anew_every_few_minutes_and_not_each_time(
    app: FastAPI, clock: StandingClock
) -> None:
    seen = []
    for pass_s in (0, 60, 240, 0):
        clock.pass_time(pass_s)
        seen.append(await app.state.advisor._look_ahead(clock.now()))

    assert seen[0] is seen[1]
    assert seen[1] is not seen[2]
    assert seen[2] is seen[3]
    assert seen[0].corners
    assert len(seen[0].corners) == len(seen[0].forecast.cells)
