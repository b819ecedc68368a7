"""A ride costs its quote and the waiting; one that does not take place, only by whose fault."""

import runpy
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.audit.report import audit
from app.members.roles import Role
from tests.app.fares.acts import put_in_force
from tests.conftest import FRIDAY_EVENING, PROJECT, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import assigned_ride, book, slug, take


@pytest.fixture
async def rider(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def driver(owner: asyncpg.Connection) -> Person:
    return await make_driver(owner, now=FRIDAY_EVENING)


@pytest.fixture
async def ride_id(
    app: FastAPI, client: httpx.AsyncClient, clock: StandingClock, rider: Person, driver: Person
) -> str:
    return await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())


async def settled(owner: asyncpg.Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in await owner.fetch("select * from ride_settlement")]


async def account(owner: asyncpg.Connection, person: Person, kind: str) -> tuple[int, int]:
    row = await owner.fetchrow(
        "select b.posted_minor, b.held_minor from balance b join account a on a.id = b.account_id"
        " where a.member_id = $1 and a.kind = $2",
        person.id,
        kind,
    )
    assert row is not None
    return row["posted_minor"], row["held_minor"]


async def drive(client: httpx.AsyncClient, driver: Person, ride_id: str) -> dict[str, Any]:
    for step in ("start", "complete"):
        answer = await take(client, driver, f"/v1/rides/{ride_id}/{step}")
        assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize(
    ("after_s", "why", "fee_minor"),
    [(119, "within_grace", 0), (120, "cancelled_late", 600), (420, "driver_late", 0)],
)
async def test_cancelling_costs_what_was_said_before_and_by_whose_fault(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    ride_id: str,
    after_s: float,
    why: str,
    fee_minor: int,
) -> None:
    clock.pass_time(after_s)
    said = (await client.get(f"/v1/rides/{ride_id}/cancellation", headers=rider.headers)).json()
    ride = (await client.get(f"/v1/rides/{ride_id}", headers=rider.headers)).json()
    late_by = clock.now() - datetime.fromisoformat(ride["promised_at"])
    assert (late_by > timedelta(seconds=300)) is (why == "driver_late")

    done = await take(client, rider, f"/v1/rides/{ride_id}/cancel", reason="the train came")

    assert (said["why"], said["fee_minor"]) == (why, fee_minor)
    assert (done.json()["state"], done.json()["fee_minor"]) == ("cancelled", fee_minor)
    assert await account(owner, rider, "rider") == (-fee_minor, 0)
    assert await account(owner, driver, "driver") == (said["driver_gets_minor"], 0)
    assert said["driver_gets_minor"] + said["cooperative_gets_minor"] == fee_minor
    assert [(s["kind"], s["fare_minor"]) for s in await settled(owner)] == (
        [("fee", fee_minor)] if fee_minor else []
    )


async def test_while_nobody_is_on_the_way_cancelling_costs_nothing(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, rider: Person
) -> None:
    ride = await book(client, rider)
    clock.pass_time(500)
    path = f"/v1/rides/{ride['id']}"
    said = (await client.get(f"{path}/cancellation", headers=rider.headers)).json()

    done = await take(client, rider, f"{path}/cancel", reason="")

    assert (said["why"], done.json()["fee_minor"]) == ("nobody_on_the_way", 0)
    assert await account(owner, rider, "rider") == (0, 0)


async def test_nothing_is_cancelled_for_more_than_the_rider_said(
    client: httpx.AsyncClient, clock: StandingClock, rider: Person, ride_id: str
) -> None:
    clock.pass_time(200)
    path = f"/v1/rides/{ride_id}/cancel"

    refused = await take(client, rider, path, reason="", most_fee_minor=599)
    accepted = await take(client, rider, path, reason="", most_fee_minor=600)

    assert (refused.status_code, slug(refused)) == (409, "cancellation-costs")
    assert refused.json()["fee_minor"] == 600
    assert accepted.json()["fee_minor"] == 600


async def test_a_dispatcher_cancels_for_nothing(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, ride_id: str
) -> None:
    dispatcher = await make_member(owner, Role.DISPATCHER, now=clock.now())
    clock.pass_time(200)

    done = await take(client, dispatcher, f"/v1/rides/{ride_id}/cancel", reason="a closed road")

    assert done.json()["fee_minor"] == 0


async def test_a_no_show_costs_nothing_when_the_driver_came_later_than_promised(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    driver: Person,
    ride_id: str,
) -> None:
    clock.pass_time(1_000)
    await take(client, driver, f"/v1/rides/{ride_id}/arrive")
    clock.pass_time(180)

    done = await take(client, driver, f"/v1/rides/{ride_id}/no-show")

    assert (done.json()["state"], done.json()["fee_minor"]) == ("no_show", 0)
    assert await settled(owner) == []


async def test_waiting_beyond_the_free_time_is_a_line_of_the_settlement(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    ride_id: str,
) -> None:
    await take(client, driver, f"/v1/rides/{ride_id}/arrive")
    clock.pass_time(180 + 90)
    done = await drive(client, driver, ride_id)

    shown = (await client.get(f"/v1/rides/{ride_id}", headers=rider.headers)).json()
    assert done["fare_minor"] == shown["settlement"]["fare_minor"] == shown["fare_minor"] + 105
    assert shown["settlement"]["items"][-1] == {"code": "waiting", "amount_minor": 105}
    assert await account(owner, rider, "rider") == (-done["fare_minor"], 0)
    assert await account(owner, driver, "driver") == (done["driver_net_minor"], 0)
    assert (await audit(owner)).first_violation is None


async def test_the_audit_names_waiting_beyond_the_terms_of_the_quote(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    driver: Person,
    ride_id: str,
) -> None:
    await take(client, driver, f"/v1/rides/{ride_id}/arrive")
    clock.pass_time(180 + 90)
    await drive(client, driver, ride_id)

    await owner.execute("update ride set started_at = started_at - interval '2 seconds'")

    assert "was charged 105 for waiting, its terms allow 102" in str(await audit(owner))


async def test_waiting_that_the_riders_account_does_not_reach_keeps_no_driver_from_finishing(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
    ride_id: str,
) -> None:
    await owner.execute(
        "update balance b set lowest_minor = posted_minor - held_minor - 40 from account a"
        " where a.id = b.account_id and a.member_id = $1 and a.kind = 'rider'",
        rider.id,
    )
    await take(client, driver, f"/v1/rides/{ride_id}/arrive")
    clock.pass_time(180 + 90)

    done = await drive(client, driver, ride_id)

    quoted = (await client.get(f"/v1/rides/{ride_id}", headers=rider.headers)).json()["fare_minor"]
    assert done["fare_minor"] == quoted + 40


async def test_tolls_go_whole_to_the_driver_and_taxes_through_the_house(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    rider: Person,
    driver: Person,
) -> None:
    charges = [
        {"name": "Tunnel", "code": "toll", "amount_minor": 300},
        {"name": "Levy", "code": "tax", "amount_minor": 100},
    ]
    await put_in_force(
        client, owner, clock, charges=charges, vat={"rate_bp": 810, "remitted_by": "cooperative"}
    )
    ride_id = await assigned_ride(app, client, rider=rider, driver=driver, now=clock.now())
    await take(client, driver, f"/v1/rides/{ride_id}/arrive")

    done = await drive(client, driver, ride_id)

    [s] = await settled(owner)
    own_minor = s["fare_minor"] - 400
    assert s["vat_minor"] == round(own_minor * 810 / 10_810)
    assert s["remitted_minor"] == 100 + s["vat_minor"]
    assert s["commission_minor"] == (own_minor - s["vat_minor"]) * 1500 // 10_000
    assert done["pass_through_minor"] == 400 + s["vat_minor"]
    passed = await owner.fetchval(
        "select sum(t.amount_minor) from transfer t join account a on a.id = t.credit_id"
        " where a.kind = 'pass_through'"
    )
    assert passed == s["remitted_minor"]


async def test_rides_of_before_are_settled_at_their_quote(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    driver: Person,
    ride_id: str,
) -> None:
    await take(client, driver, f"/v1/rides/{ride_id}/arrive")
    await drive(client, driver, ride_id)
    [before] = await settled(owner)
    path = PROJECT / "migrations" / "versions" / "2026_11_23_0710_price_by_rules.py"
    back_fill = runpy.run_path(str(path))["BACK_FILL"]

    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("set local session_replication_role = replica")
    await owner.execute("delete from ride_settlement")
    await owner.execute(back_fill)
    [after] = await settled(owner)
    await transaction.rollback()

    assert after == before
