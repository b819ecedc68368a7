"""What a driver took in cash and what a client took over: no more than was, whatever happened."""

from typing import Any
from uuid import UUID

import pytest

from app.audit.report import audit
from app.members.roles import Role
from tests.app.payments.acts import CARD, CLIENT
from tests.app.payments.street import WHOLE, Street, drive, request
from tests.factories import make_member
from tests.steps import BALZERS, TRIESEN, slug, take

BEGUN = ("arrive", "start")
BESIDE_BALZERS = {"lat": 47.0672, "lng": 9.5042}
RUGGELL = {"lat": 47.2400, "lng": 9.5270}


async def limit_cash(s: Street, limit_minor: int) -> None:
    staff = await make_member(s.owner, Role.STAFF, now=s.now)
    put = {"json": {"limit_minor": limit_minor}, "headers": staff.act}
    assert (await s.client.put("/v1/cash-limit", **put)).status_code == 200


async def client_of_ours(s: Street, limit_minor: int) -> None:
    staff = await make_member(s.owner, Role.STAFF, now=s.now)
    body = CLIENT | {"limit_minor": limit_minor}
    client = (await take(s.client, staff, "/v1/contract-clients", **body)).json()
    path = f"/v1/contract-clients/{client['id']}/riders"
    assert (await take(s.client, staff, path, rider_id=str(s.rider.id))).is_success


async def drive_on(s: Street, ride: dict[str, Any], *, to: Any) -> int:
    """Under way the rider asks for another drop-off and accepts its price; return it."""
    await s.owner.execute(
        "insert into driver_position (driver_id, lat, lng, at) select $1, pickup_lat, pickup_lng,"
        " $2 from quote join ride on ride.quote_id = quote.id where ride.id = $3"
        " on conflict (driver_id) do update set at = excluded.at, lat = excluded.lat,"
        " lng = excluded.lng",
        s.driver.id,
        s.now,
        UUID(ride["id"]),
    )
    path = f"/v1/rides/{ride['id']}/changes"
    change = (await take(s.client, s.rider, path, dropoff=to)).json()
    accepted = await take(s.client, s.rider, f"{path}/{change['id']}/accept")
    assert accepted.is_success, accepted.text
    return int(change["quote"]["fare_minor"])


@pytest.mark.parametrize("ending", ["no-show", "cancel"])
async def test_nobody_took_a_fee_in_cash_from_who_never_sat_in_the_car(
    road: Street, ending: str
) -> None:
    ride = (await request(road, "cash")).json()
    await drive(road, ride, "arrive")
    road.clock.pass_time(200)

    who = road.driver if ending == "no-show" else road.rider
    answer = await take(road.client, who, f"/v1/rides/{ride['id']}/{ending}", reason="late")
    fee_minor = answer.json()["fee_minor"]

    payment = await road.payment(UUID(ride["id"]))
    share_minor = fee_minor * 1500 // 10_000
    assert fee_minor > 0
    assert (payment["state"], payment["amount_minor"]) == ("on_account", fee_minor)
    assert await road.standing("rider", road.rider.id) == -fee_minor
    assert await road.standing("driver", road.driver.id) == fee_minor - share_minor
    assert await road.owner.fetchval("select sum(held_minor) from balance") == 0
    assert (await audit(road.owner)).first_violation is None


async def test_what_stands_on_the_account_is_paid_by_card_once(road: Street) -> None:
    ride = (await request(road, "balance")).json()
    fare_minor = (await drive(road, ride, *WHOLE)).json()["fare_minor"]
    payment = await road.payment(UUID(ride["id"]))
    path = f"/v1/me/payments/{payment['id']}/retry"
    no_card = await take(road.client, road.rider, path)
    await take(road.client, road.rider, "/v1/me/payment-methods", **CARD)
    stranger = await make_member(road.owner, now=road.now)

    of_another = await take(road.client, stranger, path)
    first, at_once = [await take(road.client, road.rider, path) for _ in range(2)]
    await road.work()
    later = await take(road.client, road.rider, path)

    assert [slug(answer) for answer in (no_card, of_another)] == ["no-card", "not-found"]
    assert first.status_code == 201, first.text
    assert [slug(answer) for answer in (at_once, later)] == ["payment-not-open"] * 2
    assert await road.standing("rider", road.rider.id) == 0
    receipt = await road.client.get(f"/v1/rides/{ride['id']}/receipt", headers=road.rider.headers)
    paid = {"method": "card", "state": "captured", "amount_minor": fare_minor}
    assert receipt.json()["payments"] == [paid]
    assert (await audit(road.owner)).first_violation is None


async def test_a_card_that_is_being_asked_already_is_not_asked_for_it_again(road: Street) -> None:
    ride = (await request(road, "balance")).json()
    fare_minor = (await drive(road, ride, *WHOLE)).json()["fare_minor"]
    path = f"/v1/rides/{ride['id']}/tips"
    assert (await take(road.client, road.rider, path, amount_minor=700)).is_success
    await take(road.client, road.rider, "/v1/me/payment-methods", **CARD)
    async with road.database.transaction() as tx:
        await road.owe(tx, -500, ride_id=UUID(ride["id"]))

    owed = [await road.payment(UUID(ride["id"]), kind) for kind in ("ride", "extra")]
    for payment in owed:
        answer = await take(road.client, road.rider, f"/v1/me/payments/{payment['id']}/retry")
        assert answer.status_code == 201, answer.text
    await road.work()

    # The first asks for the fare, the second for what is left of the tip.
    assert await road.standing("rider", road.rider.id) == 0
    assert await road.standing("card_clearing") == -(fare_minor + 700 - 500)


async def test_cash_beyond_the_limit_in_the_middle_of_a_ride_is_not_taken_but_owed(
    road: Street,
) -> None:
    ride = (await request(road, "cash", pickup=BALZERS, dropoff=BESIDE_BALZERS)).json()
    await limit_cash(road, ride["fare_minor"])
    await drive(road, ride, *BEGUN)
    fare_minor = await drive_on(road, ride, to=RUGGELL)

    done = (await take(road.client, road.driver, f"/v1/rides/{ride['id']}/complete")).json()

    # The commission alone is above the limit: the driver takes what was set aside by accepting.
    payment = await road.payment(UUID(ride["id"]))
    assert done["fare_minor"] == fare_minor > ride["fare_minor"]
    assert done["cash_minor"] == ride["fare_minor"]
    assert (payment["state"], payment["captured_minor"]) == ("captured", ride["fare_minor"])
    above = await road.payment(UUID(ride["id"]), "extra")
    above_minor = fare_minor - ride["fare_minor"]
    assert (above["state"], above["amount_minor"]) == ("on_account", above_minor)
    assert await road.standing("rider", road.rider.id) == -above_minor
    assert (await audit(road.owner)).first_violation is None


async def test_cash_within_the_limit_is_taken_whole_though_the_price_rose(road: Street) -> None:
    ride = (await request(road, "cash", dropoff=TRIESEN)).json()
    await drive(road, ride, *BEGUN)
    fare_minor = await drive_on(road, ride, to=BALZERS)

    done = (await take(road.client, road.driver, f"/v1/rides/{ride['id']}/complete")).json()

    assert done["cash_minor"] == fare_minor
    assert await road.standing("rider", road.rider.id) == 0
    assert (await audit(road.owner)).first_violation is None


async def test_a_ride_that_is_paid_otherwise_asks_for_no_cash(road: Street) -> None:
    ride = (await request(road, "balance")).json()

    assert (await drive(road, ride, *WHOLE)).json()["cash_minor"] == 0


async def test_a_client_takes_over_what_was_set_aside_and_the_rest_stays_the_riders(
    road: Street,
) -> None:
    await client_of_ours(road, 5000)
    ride = (await request(road, "invoice", dropoff=TRIESEN)).json()
    await road.owner.execute(
        "update balance set lowest_minor = -$1::bigint where account_id in"
        " (select id from account where kind = 'contract_client')",
        ride["fare_minor"],
    )
    await drive(road, ride, *BEGUN)
    fare_minor = await drive_on(road, ride, to=BALZERS)

    await take(road.client, road.driver, f"/v1/rides/{ride['id']}/complete")

    above_minor = fare_minor - ride["fare_minor"]
    above = await road.payment(UUID(ride["id"]), "extra")
    assert (above["state"], above["failure"]) == ("failed", "limit_reached")
    assert await road.standing("contract_client") == -ride["fare_minor"]
    assert await road.standing("rider", road.rider.id) == -above_minor
    assert (await audit(road.owner)).first_violation is None
