"""Tips: whole to the driver, sensible, and each once."""

import asyncio

from app.audit.report import audit
from tests.app.after_ride.road import Road
from tests.factories import make_member
from tests.steps import slug


async def test_a_tip_reaches_the_driver_whole_and_they_hear_of_it(road: Road) -> None:
    ride_id = await road.ride()
    before = await road.stands(road.driver, "driver"), await road.house("commission_income")

    answer = await road.do(road.rider, f"/v1/rides/{ride_id}/tips", amount_minor=305)

    assert answer.status_code == 201
    assert answer.json()["amount_minor"] == 305
    after = await road.stands(road.driver, "driver"), await road.house("commission_income")
    assert after == (before[0] + 305, before[1])
    settled = await road.settled(ride_id)
    assert await road.stands(road.rider, "rider") == -settled["fare_minor"] - 305
    [told] = await road.told(road.driver, "ride.tipped")
    assert (told["ride_id"], told["amount_minor"]) == (ride_id, 305)
    seen = await road.client.get(f"/v1/rides/{ride_id}/tips", headers=road.driver.headers)
    assert [tip["amount_minor"] for tip in seen.json()["items"]] == [305]
    await road.audited()


async def test_a_ride_is_tipped_again_for_30_days(road: Road) -> None:
    ride_id = await road.ride()
    path = f"/v1/rides/{ride_id}/tips"
    await road.do(road.rider, path, amount_minor=100)

    await road.pass_days(30)
    assert (await road.do(road.rider, path, amount_minor=200)).status_code == 201
    road.clock.pass_time(1)
    late = await road.do(road.rider, path, amount_minor=300)

    assert slug(late) == "too-late-to-tip"
    assert await road.owner.fetchval("select sum(amount_minor) from tip") == 300


async def test_only_the_rider_tips_and_only_a_ride_that_took_place(road: Road) -> None:
    ride_id = await road.assigned()
    path = f"/v1/rides/{ride_id}/tips"
    other = await make_member(road.owner, now=road.clock.now())

    assert slug(await road.do(road.rider, path, amount_minor=100)) == "ride-not-taken"
    assert slug(await road.do(other, path, amount_minor=100)) == "not-found"
    assert slug(await road.do(road.driver, path, amount_minor=100)) == "not-found"
    assert (await road.do(road.rider, path, amount_minor=0)).status_code == 422
    seen = await road.client.get(path, headers=other.headers)
    assert slug(seen) == "not-found"


async def test_a_repeat_tips_once(road: Road) -> None:
    ride_id = await road.ride()
    headers = road.rider.act

    answers = [
        await road.client.post(
            f"/v1/rides/{ride_id}/tips", json={"amount_minor": 100}, headers=headers
        )
        for _ in range(2)
    ]

    assert answers[0].json() == answers[1].json()
    assert await road.owner.fetchval("select count(*) from tip") == 1


async def test_of_twenty_tips_at_once_those_win_that_make_three_fares(road: Road) -> None:
    ride_id = await road.ride()
    fare_minor = (await road.settled(ride_id))["fare_minor"]
    await road.owner.execute("update balance set lowest_minor = -10000000 where lowest_minor < 0")
    before = await road.stands(road.driver, "driver")

    answers = await asyncio.gather(
        *(
            road.do(road.rider, f"/v1/rides/{ride_id}/tips", amount_minor=fare_minor)
            for _ in range(20)
        )
    )

    refused = {slug(answer) for answer in answers if answer.status_code != 201}
    assert sum(answer.status_code == 201 for answer in answers) == 3
    assert refused == {"tip-too-large"}
    assert await road.stands(road.driver, "driver") == before + 3 * fare_minor
    await road.audited()


async def test_the_audit_names_a_tip_that_did_not_reach_its_driver(road: Road) -> None:
    ride_id = await road.ride()
    await road.do(road.rider, f"/v1/rides/{ride_id}/tips", amount_minor=305)
    await road.owner.execute(
        "set session_replication_role = replica; update tip set amount_minor = 304;"
        " set session_replication_role = origin"
    )

    assert "tips reach drivers whole" in str((await audit(road.owner)).first_violation)
