"""Promises about one's own year before a vote: exact to the cent, whole, and nobody else's."""

import random
from collections import defaultdict
from datetime import timedelta
from fractions import Fraction
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.forecast.service import ballot_grid
from app.members.roles import Role
from app.tables import metadata
from tests.app.fares.acts import put_in_force
from tests.app.forecast.year import POTS, Town, book_rides, make_year_driver, worked_year
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import make_driver, make_member
from tests.steps import assigned_ride, take


@pytest.fixture
async def town(client: httpx.AsyncClient, owner: asyncpg.Connection) -> Town:
    staff = await make_member(owner, Role.STAFF, now=FRIDAY_EVENING)
    return Town(client, owner, staff, await make_member(owner, now=FRIDAY_EVENING))


async def test_the_published_year_comes_out_to_the_cent_through_the_real_books(
    town: Town,
) -> None:
    people = await worked_year(town)

    ada, eli = await town.ask(people["ada"]), await town.at_shares(people["eli"])
    by_share = {share["commission_bp"]: share for share in ada["shares"]}

    assert (ada["break_even_bp"], ada["floor_bp"], ada["ceiling_bp"]) == (984, 1000, 2000)
    assert list(by_share) == list(range(1000, 2001, 50))
    assert (ada["rides_driven"], ada["status_quo_bp"]) == (100, 1500)
    assert {bp: share["surplus_minor"] for bp, share in by_share.items() if bp % 300 == 0} == {
        1200: 260_000,
        1500: 620_000,
        1800: 980_000,
    }
    assert by_share[1000]["surplus_minor"] == 20_000
    assert by_share[1200]["as_driver"] == {
        "fares_minor": 4_200_000,
        "net_minor": 3_696_000,
        "refund_minor": 17_942,
        "keeps_minor": 3_696_000 + 17_942,
    }
    for bp, net, refund in ((1500, 3_570_000, 50_237), (1800, 3_444_000, 82_532)):
        mine = by_share[bp]["as_driver"]
        assert (mine["net_minor"], mine["refund_minor"]) == (net, refund)
    for bp, net, refund in ((1200, 396_000, 2_359), (1500, 382_500, 6_606)):
        mine = eli[bp]["as_driver"]
        assert (mine["net_minor"], mine["refund_minor"]) == (net, refund)
    # 98,000 + 98,000 + 130,000 of the surplus pay 1,240,000 a year for some three months.
    assert by_share[1500]["reserve_months"] == round(326_000 * 12 / 1_240_000, 1)
    assert by_share[1500]["solidarity_minor"] == 73_500
    assert by_share[1500]["solidarity_months"] is None


async def test_all_drivers_together_keep_what_was_published(town: Town) -> None:
    people = await worked_year(town)
    del people["guest"]

    years = [await town.at_shares(person) for person in people.values()]

    for bp, together in (
        (1000, 9_450_000),
        (1200, 9_286_667),
        (1500, 9_055_667),
        (1800, 8_824_667),
    ):
        assert sum(year[bp]["as_driver"]["keeps_minor"] for year in years) == together


async def test_who_is_on_no_register_keeps_the_net_and_no_refund(town: Town) -> None:
    people = await worked_year(town)

    guest = await town.at_shares(people["guest"])

    assert guest[1500]["as_driver"] == {
        "fares_minor": 1_500_000,
        "net_minor": 1_275_000,
        "refund_minor": 0,
        "keeps_minor": 1_275_000,
    }


async def test_a_rider_sees_what_the_same_fares_contained(town: Town) -> None:
    driver = await make_year_driver(town.owner)
    await book_rides(
        town.owner,
        driver=driver,
        rider=town.rider,
        fares_minor=[1_999, 1_234],
        engaged=timedelta(hours=1),
    )

    year = await town.ask(town.rider)

    assert (year["rides_taken"], year["rides_driven"]) == (2, 0)
    [now] = [share for share in year["shares"] if share["commission_bp"] == 1500]
    # 299.85 and 185.1, each rounded down as when it was paid.
    assert now["as_rider"] == {
        "fares_minor": 3_233,
        "commission_minor": 299 + 185,
        "to_drivers_minor": 3_233 - 299 - 185,
    }
    assert now["as_driver"] is None


async def test_the_share_is_taken_of_fares_and_fees_as_booked_and_not_of_what_passes_through(
    app: FastAPI, town: Town, clock: StandingClock
) -> None:
    """Of tolls and tax the cooperative keeps nothing, so they do not pay for it; fees do."""
    charges = [{"name": "Tunnel", "code": "toll", "amount_minor": 250}]
    vat = {"rate_bp": 810, "remitted_by": "cooperative"}
    await put_in_force(town.client, town.owner, clock, charges=charges, vat=vat)
    driver = await make_driver(town.owner, now=clock.now())
    rider = await make_member(town.owner, now=clock.now())
    ride = await assigned_ride(app, town.client, rider=rider, driver=driver, now=clock.now())
    for step in ("arrive", "start", "complete"):
        await take(town.client, driver, f"/v1/rides/{ride}/{step}")
    missed = await assigned_ride(app, town.client, rider=rider, driver=driver, now=clock.now())
    clock.pass_time(120)
    cancelled = await take(town.client, rider, f"/v1/rides/{missed}/cancel", reason="")
    assert cancelled.json()["fee_minor"] == 600
    booked = await town.owner.fetchrow(
        "select sum(fare_minor)::int as fare_minor, sum(commission_minor)::int as commission_minor,"
        " sum(pass_through_minor)::int as pass_through_minor from ride_settlement"
    )
    clock.pass_time(12 * 3600)
    await town.pay(booked["commission_minor"], day="2026-05-22")

    year = await town.ask(driver)

    [now] = [share for share in year["shares"] if share["commission_bp"] == 1500]
    assert booked["pass_through_minor"] > 250
    assert now["as_driver"]["fares_minor"] == booked["fare_minor"] - booked["pass_through_minor"]
    kept = now["as_driver"]["fares_minor"] - now["as_driver"]["net_minor"]
    assert kept == booked["commission_minor"]
    assert (year["rides_driven"], now["surplus_minor"]) == (1, 0)
    assert 1490 <= year["break_even_bp"] <= 1500
    assert year["floor_bp"] == 1500


def largest_remainder(total: int, weights: dict[Any, Fraction]) -> dict[Any, int]:
    whole = sum(weights.values())
    exact = {key: total * weight / whole for key, weight in weights.items()}
    parts = {key: int(quota) for key, quota in exact.items()}
    order = sorted(exact, key=lambda key: (parts[key] - exact[key], -exact[key], key))
    for key in order[: total - sum(parts.values())]:
        parts[key] += 1
    return parts


async def recompute(
    owner: asyncpg.Connection, *, bp: int, members: set[str], pots: dict[str, Fraction]
) -> dict[str, tuple[int, int]]:
    """Net and refund of each member, from the bare lines of the books: another program's way."""
    lines = await owner.fetch(
        "select c.kind, c.member_id::text as who, d.kind as paid_by, t.amount_minor,"
        " r.ended_at - r.assigned_at as engaged"
        " from transfer t join account c on c.id = t.credit_id join account d on d.id = t.debit_id"
        " join journal j on j.id = t.journal_id left join ride r on r.id = j.subject_id"
    )
    net: defaultdict[str, int] = defaultdict(int)
    paid: defaultdict[str, int] = defaultdict(int)
    engaged: defaultdict[str, timedelta] = defaultdict(timedelta)
    others, costs, income = 0, 0, 0
    for line in lines:
        amount = line["amount_minor"]
        if line["paid_by"] == "platform_costs":
            costs += amount
        elif line["kind"] == "platform_costs":  # a cost that was taken back
            costs -= amount
        elif line["kind"] == "other_income":
            income += amount
        elif line["kind"] == "driver":
            cut = amount * bp // 10_000
            if line["who"] in members:
                net[line["who"]] += amount - cut
                paid[line["who"]] += cut
                engaged[line["who"]] += line["engaged"]
            else:
                others += cut
    ours = sum(paid.values())
    left = max(0, ours + others - costs)
    mine = largest_remainder(left, {"ours": Fraction(ours), "theirs": Fraction(others)})["ours"]
    weights = {"reserve": Fraction(20), "education": Fraction(5), "votable": Fraction(75)}
    votable = largest_remainder(mine, weights)["votable"]
    dividend = largest_remainder(votable, pots)["dividend"]
    seconds = {who: round(time.total_seconds()) for who, time in engaged.items()}
    refunds = largest_remainder(
        dividend,
        {
            who: (Fraction(paid[who], ours) + Fraction(seconds[who], sum(seconds.values()))) / 2
            for who in net
        },
    )
    return {who: (net[who], refunds[who]) for who in net}


@pytest.mark.parametrize("has_voted", [False, True])
async def test_the_forecast_equals_a_recomputation_from_the_books_to_the_cent(
    town: Town, *, has_voted: bool
) -> None:
    rng = random.Random(20)
    people = await town.drivers(
        **{
            name: ([rng.randint(900, 9_999) for _ in range(rng.randint(5, 40))], hours)
            for name, hours in (("ada", 31), ("bo", 7.5), ("cem", 22), ("guest", 12))
        }
    )
    await town.pay(31_337)
    await town.pay(777, kind="other_income")
    taken_back = await town.pay(5_000_000)
    await town.client.post(
        f"/v1/costs/{taken_back}/reverse", json={"reason": "a typo"}, headers=town.staff.act
    )
    if has_voted:
        await town.vote_pots()
    members = {str(person.id) for name, person in people.items() if name != "guest"}
    pots = POTS if has_voted else {"dividend": Fraction(1)}

    seen = {name: await town.at_shares(person) for name, person in people.items()}

    compared = 0
    for bp in seen["ada"]:
        expected = await recompute(town.owner, bp=bp, members=members, pots=pots)
        for name in ("ada", "bo", "cem"):
            mine = seen[name][bp]["as_driver"]
            assert (mine["net_minor"], mine["refund_minor"]) == expected[str(people[name].id)]
            compared += mine["refund_minor"] > 0
    assert compared > 10


async def test_every_share_is_answered_whatever_is_asked(town: Town) -> None:
    people = await worked_year(town)
    whole = await town.client.get("/v1/me/forecast", headers=people["bo"].headers)
    narrow = await town.client.get(
        "/v1/me/forecast?commission_bp=1200", headers=people["bo"].headers
    )

    assert whole.headers["Cache-Control"] == "no-store"
    assert narrow.json() == whole.json()
    document = (await town.client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/me/forecast"]["get"]
    assert [p["in"] for p in operation.get("parameters", [])] in ([], ["header"])


async def test_asking_leaves_no_trace_in_any_table(town: Town) -> None:
    people = await worked_year(town)

    async def marks() -> dict[str, tuple[int, int]]:
        """Of each table the rows and the newest transaction that wrote one."""
        return {
            table.name: tuple(
                await town.owner.fetchrow(
                    f"select count(*), coalesce(max(xmin::text::bigint), 0) from {table.name}"
                )
            )
            for table in metadata.sorted_tables
        }

    before = await marks()
    for person in (people["ada"], people["eli"], town.rider):
        await town.ask(person)

    assert await marks() == before


async def test_of_others_there_are_only_sums(town: Town) -> None:
    people = await worked_year(town)

    asked = await town.client.get("/v1/me/forecast", headers=people["ada"].headers)

    bo = await town.at_shares(people["bo"])
    theirs = {
        str(value) for share in bo.values() for value in share["as_driver"].values() if value > 999
    }
    assert theirs
    assert not {figure for figure in theirs if f": {figure}," in asked.text.replace(":", ": ")}
    assert all(str(person.id) not in asked.text for person in people.values())


async def test_a_cost_booked_now_shows_at_once_and_rides_of_today_tomorrow(
    town: Town, clock: StandingClock
) -> None:
    [ada] = (await town.drivers(ada=([2_000] * 10, 5))).values()
    assert (await town.at_shares(ada))[1500]["surplus_minor"] == 3_000
    await town.pay(1_000)
    assert (await town.at_shares(ada))[1500]["surplus_minor"] == 2_000

    await book_rides(
        town.owner,
        driver=ada,
        rider=town.rider,
        fares_minor=[1_000],
        engaged=timedelta(hours=1),
        first_at=FRIDAY_EVENING - timedelta(hours=2),
    )
    assert (await town.ask(ada))["rides_driven"] == 10
    clock.pass_time(8 * 3600)  # after midnight in the city, and still signed in for a while
    await town.owner.execute(
        "update session set access_expires_at = access_expires_at + interval '1 day'"
    )
    tomorrow = await town.ask(ada)
    assert tomorrow["rides_driven"] == 11
    assert (tomorrow["since"], tomorrow["until"]) == (
        "2025-05-22T22:00:00Z",
        "2026-05-22T22:00:00Z",
    )


async def test_time_of_several_rides_at_once_counts_once(town: Town) -> None:
    """Two drivers with equal fares; one drove hers two at a time, so in half the time."""
    people = {name: await make_year_driver(town.owner) for name in ("ada", "bo")}
    for name, apart in (("ada", timedelta(hours=1)), ("bo", timedelta(minutes=30))):
        await book_rides(
            town.owner,
            driver=people[name],
            rider=town.rider,
            fares_minor=[10_000] * 3,
            engaged=timedelta(hours=3),
            apart=apart,
        )

    shares = {name: await town.at_shares(person) for name, person in people.items()}

    # 9,000 less 20 % and 5 % are 6,750: one half by commission, the other by three hours and two.
    refunds = {name: share[1500]["as_driver"]["refund_minor"] for name, share in shares.items()}
    assert refunds == {"ada": 3_713, "bo": 3_037}  # the half cents to the larger part


async def test_without_a_ride_there_is_a_year_of_nothing(town: Town) -> None:
    year = await town.ask(town.rider)

    assert (year["break_even_bp"], year["floor_bp"], year["first_ride_at"]) == (None, None, None)
    assert [share["commission_bp"] for share in year["shares"]] == list(range(0, 2001, 50))
    for share in year["shares"]:
        assert (share["as_driver"], share["as_rider"], share["surplus_minor"]) == (None, None, 0)


async def test_a_year_is_for_who_is_signed_in(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/me/forecast")).status_code == 401


async def test_it_is_said_in_one_sentence_what_is_assumed(town: Town) -> None:
    assumption = (await town.ask(town.rider))["assumption"]

    assert assumption.count(".") == 1
    assert "same rides" in assumption


def test_the_grid_holds_every_share_that_a_ballot_can_name() -> None:
    assert ballot_grid(floor_bp=1000, ceiling_bp=1200, status_quo_bp=1100) == [
        1000,
        1050,
        1100,
        1150,
        1200,
    ]
    assert ballot_grid(floor_bp=None, ceiling_bp=120, status_quo_bp=75) == [0, 50, 75, 100, 120]
    assert ballot_grid(floor_bp=2500, ceiling_bp=2000, status_quo_bp=1500) == [1500, 2000]
