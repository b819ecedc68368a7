"""Promises about the replayed month: its own riders and shifts, and called a simulation."""

import json
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from app.city import load_city
from app.foundation.database import Database
from app.foundation.ids import new_id
from app.replay.last_month import (
    InForce,
    Month,
    read_month,
    replay_month,
    show,
    store_forecast,
    values_of,
)
from app.replay.plan import ReplayError
from app.settings import BUILT_IN_CITY
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import slug

# The city is two hours ahead: its April is this.
APRIL = datetime(2026, 3, 31, 22, tzinfo=UTC)
MAY = datetime(2026, 4, 30, 22, tzinfo=UTC)
CITY = load_city(BUILT_IN_CITY)
IN_FORCE = InForce(fairness_weight_s=120, offer_time_s=15)


async def ask_rides(
    owner: asyncpg.Connection, rider: Person, *, at: datetime, many: int, driver: Person
) -> None:
    """Rides from Vaduz to Triesen, one every ten minutes, every second one driven."""
    await owner.execute("set session_replication_role = replica")
    for number in range(many):
        ids = {"quote": new_id(), "ride": new_id()}
        asked = at + timedelta(minutes=10 * number)
        await owner.execute(
            "insert into quote (id, rider_id, pickup_lat, pickup_lng, pickup_name, dropoff_lat,"
            " dropoff_lng, dropoff_name, distance_m, duration_s, is_estimate, items, currency,"
            " fare_minor, commission_bp, commission_minor, driver_net_minor, policy_version_id,"
            " tariff_version_id, seats, is_shared, quoted_at, expires_at) values ($1, $2, 47.1410,"
            " 9.5209, 'a', 47.1067, 9.5282, 'b', 4400, 720, false, '[]', 'CHF', 4000, 1500, 600,"
            " 3400, uuidv7(), uuidv7(), 1, false, $3, $4)",
            ids["quote"],
            rider.id,
            asked,
            asked + timedelta(minutes=2),
        )
        driven = number % 2 == 0
        await owner.execute(
            "insert into ride (id, rider_id, driver_id, quote_id, hold_id, state, seats,"
            " is_shared, requested_at, search_until, assigned_at, started_at, ended_at) values"
            " ($1, $2, $3, $4, uuidv7(), $5, 1, false, $6, $6, $6, $6, $7)",
            ids["ride"],
            rider.id,
            driver.id if driven else None,
            ids["quote"],
            "completed" if driven else "no_driver",
            asked,
            asked + timedelta(minutes=15),
        )
    await owner.execute("set session_replication_role = origin")


@pytest.fixture
async def month(owner: asyncpg.Connection, database: Database) -> Month:
    """April with two drivers, and what lies on either side of it."""
    rider = await make_member(owner, now=FRIDAY_EVENING)
    drivers = [await make_driver(owner, now=FRIDAY_EVENING, on_shift=False) for _ in range(2)]
    for driver in drivers:
        for began, ended in (
            (APRIL - timedelta(hours=1), APRIL + timedelta(hours=5)),
            (MAY - timedelta(hours=1), MAY + timedelta(hours=5)),
        ):
            await owner.execute(
                "insert into shift (id, driver_id, vehicle_id, started_at, ended_at)"
                " values ($1, $2, $3, $4, $5)",
                new_id(),
                driver.id,
                driver.vehicle_id,
                began,
                ended,
            )
    await ask_rides(owner, rider, at=APRIL - timedelta(minutes=30), many=21, driver=drivers[0])
    await ask_rides(owner, rider, at=MAY, many=3, driver=drivers[0])
    return await read_month(database, now=FRIDAY_EVENING)


async def test_the_month_is_the_last_whole_one_of_the_city(month: Month) -> None:
    assert (month.since, month.until) == (APRIL, MAY)
    assert len(month.asked) == 18  # three asked before it began, three after it was over
    assert {row["ride_s"] for row in month.asked} == {900.0, None}
    hours = [(row["ended_at"] - row["started_at"]) / timedelta(hours=1) for row in month.shifts]
    assert hours == [5, 1, 5, 1]


async def test_a_replay_is_the_same_each_time_and_serves_riders(month: Month) -> None:
    once, again = (
        replay_month(CITY, month, key="fairness_weight_s", values=[0, 120], in_force=IN_FORCE)
        for _ in range(2)
    )

    assert once == again
    for at_value in once.values():
        assert at_value["requests"] == 18
        assert 0.7 < at_value["served_share"] <= 1
        assert 0 < at_value["wait_mean_s"] < 1800


async def test_incomes_of_few_drivers_are_not_shown(month: Month) -> None:
    many = replace(
        month, shifts=[dict(month.shifts[0]) | {"driver_id": new_id()} for _ in range(10)]
    )
    [shown], [of_many] = (
        replay_month(CITY, it, key="fairness_weight_s", values=[0], in_force=IN_FORCE).values()
        for it in (month, many)
    )

    incomes = [name for name in shown if "income" in name]
    assert len(incomes) == 3
    assert [shown[name] for name in incomes] == [None] * 3
    assert None not in [of_many[name] for name in incomes]


async def test_what_was_replayed_is_shown_to_members_with_what_it_is(
    month: Month,
    database: Database,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    path = "/v1/policies/fairness_weight_s/forecast"
    assert slug(await client.get(path, headers=rider.headers)) == "not-found"
    told: dict[int, list[float]] = defaultdict(list)

    stored = await store_forecast(
        database,
        CITY,
        key="fairness_weight_s",
        now=FRIDAY_EVENING,
        tell=lambda value, part: told[value].append(part),
        every=60,
    )

    answer: dict[str, Any] = (await client.get(path, headers=rider.headers)).json()
    assert list(told) == [0, 120, 3600]  # 120 s are in force
    for parts in told.values():
        assert parts == sorted(parts)
        assert (parts[0], parts[-1] > 0, parts[-1] <= 1) == (0, True, True)
    assert {shown.pop("value"): shown for shown in answer["values"]} == stored
    assert (answer["since"], answer["until"]) == ("2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z")
    assert answer["assumption"].startswith("This is a simulation")
    assert (await client.get(path)).status_code == 401


async def test_what_the_simulation_knows_nothing_of_is_refused(
    month: Month, database: Database, clock: StandingClock
) -> None:
    for key in ("surge_cap_bp", "commission_bp", "nonsense"):
        with pytest.raises(ReplayError, match="knows nothing of it"):
            await store_forecast(database, CITY, key=key, now=clock.now(), tell=lambda *_: None)


async def answer_offers(
    owner: asyncpg.Connection, *, at: datetime, answers: list[tuple[str, float]]
) -> None:
    """Offers of 15 seconds, each with what became of it and after how long."""
    await owner.execute("set session_replication_role = replica")
    for number, (state, stood_s) in enumerate(answers):
        offered = at + timedelta(minutes=number)
        await owner.execute(
            "insert into offer (id, tick_id, ride_id, driver_id, state, offered_at, expires_at,"
            " decided_at, pickup_s, pickup_m, explanation)"
            " values ($1, $1, $1, $1, $2, $3, $4, $5, 60, 400, '{}')",
            new_id(),
            state,
            offered,
            offered + timedelta(seconds=15),
            offered + timedelta(seconds=stood_s),
        )
    await owner.execute("set session_replication_role = origin")


async def test_an_offers_time_is_tried_with_the_answers_that_drivers_gave(
    month: Month, database: Database, owner: asyncpg.Connection
) -> None:
    given = [("accepted", 8.0), ("declined", 12.0), ("expired", 15.0), ("withdrawn", 2.0)]
    await answer_offers(owner, at=APRIL + timedelta(hours=1), answers=given)
    await answer_offers(owner, at=MAY, answers=[("expired", 15.0)])
    month = await read_month(database, now=FRIDAY_EVENING)
    assert [(row["state"], row["stood_s"], row["offer_time_s"]) for row in month.offers] == [
        (state, stood_s, 15.0) for state, stood_s in given[:3]
    ]

    at_value = replay_month(CITY, month, key="offer_time_s", values=[5, 15, 120], in_force=IN_FORCE)

    # In five seconds nobody had answered; with more time riders wait for an answer, and are served.
    assert at_value[5]["served_share"] == 0
    assert 0 < at_value[15]["served_share"] <= at_value[120]["served_share"]
    stored = await store_forecast(
        database, CITY, key="offer_time_s", now=FRIDAY_EVENING, tell=lambda *_: None, every=12
    )
    assert list(stored) == [5, 15, 65]
    assert stored[15] == at_value[15]


async def test_where_no_driver_was_asked_there_is_no_saying_how_they_answer(
    month: Month, database: Database
) -> None:
    with pytest.raises(ReplayError, match="no driver was asked"):
        await store_forecast(
            database, CITY, key="offer_time_s", now=FRIDAY_EVENING, tell=lambda *_: None
        )


async def test_a_month_without_rides_is_refused(database: Database) -> None:
    with pytest.raises(ReplayError, match="nothing to replay"):
        await read_month(database, now=FRIDAY_EVENING)


async def test_replays_are_never_edited(
    month: Month, database: Database, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "insert into forecast_replay values ('fairness_weight_s', $1, 0, $2, $3, '{}')",
        FRIDAY_EVENING,
        APRIL,
        MAY,
    )

    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await owner.execute("update forecast_replay set figures = '{\"a\": 1}'")


def test_every_tenth_value_and_the_one_in_force_are_replayed() -> None:
    assert values_of("fairness_weight_s", status_quo=120) == [0, 120, *range(600, 3601, 600)]
    assert values_of("offer_time_s", status_quo=15) == [5, 15, *range(20, 111, 15)]


def test_the_command_prints_a_line_per_value_and_says_what_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show({0: {"served_share": 0.9, "gini_income_per_hour": None}}, key="k", as_json=False)
    said = capsys.readouterr()
    assert "served_share" in said.out
    assert "0.9" in said.out
    assert "This is a simulation" in said.err

    show({0: {"served_share": 0.9}}, key="k", as_json=True)
    printed = json.loads(capsys.readouterr().out)
    assert printed == {"key": "k", "values": {"0": {"served_share": 0.9}}}
