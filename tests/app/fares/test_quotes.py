"""A quote is an itemised price that says who gets what, and locks it for a while."""

from collections.abc import Mapping

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from app.fares.rules import itemise, shared_discount
from app.tariff import Tariff
from governance.commission import split_fare
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import make_driver, make_member
from tests.steps import BALZERS, IN_THE_ALPS, VADUZ, ask_price, slug

LIECHTENSTEIN = Tariff(
    base_minor=600,
    per_km_minor=320,
    per_minute_minor=70,
    minimum_minor=1000,
    free_wait_s=180,
    wait_per_minute_minor=70,
)


def test_a_price_is_its_lines_added_up() -> None:
    items = itemise(LIECHTENSTEIN, distance_m=8820, duration_s=894)

    lines = {item.code: item.amount_minor for item in items}
    assert lines == {"base": 600, "distance": 2822, "time": 1043}


def test_a_short_ride_is_filled_up_to_the_minimum() -> None:
    items = itemise(LIECHTENSTEIN, distance_m=100, duration_s=30)

    assert sum(item.amount_minor for item in items) == 1000
    assert items[-1].code == "minimum"


def test_a_ride_of_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="no ride of -1 m"):
        itemise(LIECHTENSTEIN, distance_m=-1, duration_s=0)


@given(solo_fare_minor=st.integers(1, 10**9), shared_discount_bp=st.integers(0, 9_000))
def test_sharing_never_costs_more_than_alone_and_rounding_favours_the_rider(
    solo_fare_minor: int, shared_discount_bp: int
) -> None:
    tariff = LIECHTENSTEIN.model_copy(update={"shared_discount_bp": shared_discount_bp})

    line = shared_discount(tariff, solo_fare_minor=solo_fare_minor)

    fare_minor = solo_fare_minor + line.amount_minor
    exact_minor = solo_fare_minor * (10_000 - shared_discount_bp) / 10_000
    assert 1 <= fare_minor <= solo_fare_minor
    assert fare_minor <= max(exact_minor, 1)


@given(fare_minor=st.integers(1, 10**9), commission_bp=st.integers(0, 10_000))
def test_a_fare_is_split_to_the_cent_and_rounding_favours_the_driver(
    fare_minor: int, commission_bp: int
) -> None:
    split = split_fare(fare_minor, commission_bp=commission_bp)

    assert split.driver_net_minor + split.commission_minor == fare_minor
    assert 0 <= fare_minor * commission_bp - split.commission_minor * 10_000 < 10_000


@pytest.mark.parametrize(
    ("fare_minor", "commission_bp"), [(0, 1500), (-1, 1500), (1, -1), (1, 10_001)]
)
def test_a_split_of_nothing_or_of_more_than_all_is_refused(
    fare_minor: int, commission_bp: int
) -> None:
    with pytest.raises(ValueError, match="must be"):
        split_fare(fare_minor, commission_bp=commission_bp)


async def test_a_quote_names_the_parts_the_share_and_the_decision_behind_it(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)

    quote = await ask_price(client, rider)

    assert 7_000 < quote["distance_m"] < 11_000
    assert sum(item["amount_minor"] for item in quote["items"]) == quote["fare_minor"]
    assert quote["commission_minor"] == quote["fare_minor"] * 1500 // 10_000
    assert quote["driver_net_minor"] == quote["fare_minor"] - quote["commission_minor"]
    policies = (await client.get("/v1/policies")).json()["items"]
    [share] = [policy for policy in policies if policy["key"] == "commission_bp"]
    assert quote["policy_version_id"] == share["id"]
    assert share["source"] == "founding"


@pytest.mark.parametrize(
    ("pickup", "dropoff", "problem"),
    [
        (IN_THE_ALPS, BALZERS, "outside-service-area"),
        (VADUZ, {"lat": 52.37, "lng": 4.90}, "outside-service-area"),
        (VADUZ, VADUZ, "ride-too-short"),
        ({"lat": 91, "lng": 0}, BALZERS, "invalid-request"),
        ({**VADUZ, "altitude": 3}, BALZERS, "invalid-request"),
    ],
)
async def test_a_place_that_cannot_be_driven_is_refused(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    pickup: Mapping[str, float],
    dropoff: Mapping[str, float],
    problem: str,
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)

    answer = await client.post(
        "/v1/quotes", json={"pickup": pickup, "dropoff": dropoff}, headers=rider.act
    )

    assert (answer.status_code, slug(answer)) == (422, problem)
    assert await owner.fetchval("select count(*) from quote") == 0


async def test_the_pickup_time_is_told_in_whole_minutes_where_a_driver_is_near(
    app: FastAPI, client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    driver = await make_driver(owner, now=FRIDAY_EVENING)
    assert (await ask_price(client, rider))["pickup_eta_s"] is None

    await owner.execute(
        "insert into driver_position (driver_id, lat, lng, at) values ($1, $2, $3, $4)",
        driver.id,
        VADUZ["lat"],
        VADUZ["lng"],
        clock.now(),
    )

    assert (await ask_price(client, rider))["pickup_eta_s"] in (60, 120)


async def test_a_quote_of_somebody_else_does_not_exist(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    stranger = await make_member(owner, now=FRIDAY_EVENING)
    quote = await ask_price(client, rider)

    assert (await client.get(f"/v1/quotes/{quote['id']}", headers=rider.headers)).json() == quote
    foreign = await client.get(f"/v1/quotes/{quote['id']}", headers=stranger.headers)

    assert (foreign.status_code, slug(foreign)) == (404, "not-found")
