"""Disputes: a person decides with a reason, who bears it is said, and nothing is invented."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from tests.app.after_ride.road import Road
from tests.factories import Person
from tests.steps import slug

WHY = "The car stood at the wrong entrance."


async def disputed(road: Road, person: Person | None = None, *, ride_id: str | None = None) -> str:
    """A dispute about a completed ride; return its id."""
    ride_id = ride_id or await road.ride()
    answer = await road.do(
        person or road.rider, f"/v1/rides/{ride_id}/disputes", kind="wrong_fare", text="Too much."
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def decide(
    road: Road, dispute_id: str, *, by: Person | None = None, outcome: str = "refund", **bears: int
) -> httpx.Response:
    body: dict[str, Any] = {"outcome": outcome, "reason": WHY, **bears}
    return await road.do(by or road.first, f"/v1/disputes/{dispute_id}/decide", **body)


async def test_a_refund_is_borne_as_was_said_and_both_are_told_why(road: Road) -> None:
    ride_id = await road.ride()
    dispute_id = await disputed(road, ride_id=ride_id)
    before = {
        "rider": await road.stands(road.rider, "rider"),
        "driver": await road.stands(road.driver, "driver"),
        "commission": await road.house("commission_income"),
        "costs": await road.house("platform_costs"),
    }

    answer = await decide(
        road, dispute_id, from_driver_minor=200, from_commission_minor=100, from_costs_minor=50
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "decided"
    assert await road.stands(road.rider, "rider") == before["rider"] + 350
    assert await road.stands(road.driver, "driver") == before["driver"] - 200
    assert await road.house("commission_income") == before["commission"] - 100
    assert await road.house("platform_costs") == before["costs"] - 50
    for person in (road.rider, road.driver):
        [told] = await road.told(person, "dispute.decided")
        assert (told["reason"], told["amount_minor"]) == (WHY, 350)
        seen = await road.client.get("/v1/me/disputes", headers=person.headers)
        [own] = seen.json()["items"]
        assert own["decisions"][0]["reason"] == WHY
        assert "decided_by" not in own["decisions"][0]
    await road.audited()


async def test_a_driver_is_paid_more_and_a_refusal_moves_nothing(road: Road) -> None:
    ride_id = await road.ride()
    before = await road.stands(road.driver, "driver")

    more = await disputed(road, road.driver, ride_id=ride_id)
    paid = await decide(
        road, more, outcome="pay_driver", from_commission_minor=10, from_costs_minor=300
    )
    none = await disputed(road, road.driver, ride_id=ride_id)
    refused = await decide(road, none, outcome="refuse")

    assert (paid.status_code, refused.status_code) == (200, 200)
    assert await road.stands(road.driver, "driver") == before + 310
    await road.audited()


async def test_much_waits_for_a_second_person(road: Road) -> None:
    dispute_id = await disputed(road, road.driver)
    before = await road.stands(road.driver, "driver")
    path = f"/v1/disputes/{dispute_id}"

    waits = await decide(road, dispute_id, outcome="pay_driver", from_costs_minor=5001)
    assert waits.json()["state"] == "open"
    assert await road.stands(road.driver, "driver") == before
    seen = await road.client.get("/v1/me/disputes", headers=road.driver.headers)
    assert seen.json()["items"][0]["decisions"] == []
    again = await decide(road, dispute_id, by=road.second, outcome="refuse")
    assert slug(again) == "dispute-decided"
    assert slug(await road.do(road.first, f"{path}/release")) == "another-person-decides"

    released = await road.do(road.second, f"{path}/release")

    assert released.json()["state"] == "decided"
    assert await road.stands(road.driver, "driver") == before + 5001
    assert slug(await road.do(road.second, f"{path}/release")) == "nothing-to-release"
    await road.audited()


async def test_what_the_second_person_does_not_release_is_withdrawn_and_decided_anew(
    road: Road,
) -> None:
    dispute_id = await disputed(road, road.driver)
    await decide(road, dispute_id, outcome="pay_driver", from_costs_minor=9000)

    path = f"/v1/disputes/{dispute_id}"
    await road.do(road.second, f"{path}/withdraw", reason="Ten times too much.")
    anew = await decide(road, dispute_id, outcome="pay_driver", from_costs_minor=900)

    assert anew.json()["state"] == "decided"
    assert [one["amount_minor"] for one in anew.json()["decisions"]] == [900]
    await road.audited()


async def test_an_appeal_goes_to_another_person_and_takes_the_place_of_the_first(
    road: Road,
) -> None:
    dispute_id = await disputed(road)
    owed = await road.stands(road.rider, "rider")
    await decide(road, dispute_id, from_driver_minor=400)
    path = f"/v1/disputes/{dispute_id}"

    appealed = await road.do(road.driver, f"{path}/appeal", text="I stood at the right one.")
    assert appealed.json()["state"] == "appealed"
    by_the_same = await decide(road, dispute_id, outcome="uphold")
    assert slug(by_the_same) == "another-person-decides"
    anew = await decide(road, dispute_id, by=road.second, from_costs_minor=300)

    assert anew.json()["state"] == "final"
    assert await road.stands(road.rider, "rider") == owed + 300
    settled = await road.settled(anew.json()["ride_id"])
    assert await road.stands(road.driver, "driver") == settled["driver_net_minor"]
    assert slug(await road.do(road.rider, f"{path}/appeal", text="Again.")) == "nothing-to-appeal"
    await road.audited()


async def test_an_appeal_that_upholds_leaves_the_money_where_it_is(road: Road) -> None:
    dispute_id = await disputed(road)
    await decide(road, dispute_id, from_costs_minor=400)
    stands = await road.stands(road.rider, "rider")

    early = await decide(road, await disputed(road, road.driver), outcome="uphold")
    await road.do(road.rider, f"/v1/disputes/{dispute_id}/appeal", text="More.")
    upheld = await decide(road, dispute_id, by=road.second, outcome="uphold")

    assert slug(early) == "nothing-to-uphold"
    assert upheld.json()["state"] == "final"
    assert (
        await road.stands(road.rider, "rider")
        == stands - (await road.settled(await _last_ride(road)))["fare_minor"]
    )
    await road.audited()


async def _last_ride(road: Road) -> str:
    return str(await road.owner.fetchval("select id from ride order by id desc limit 1"))


async def test_a_decision_is_appealed_for_30_days_and_a_ride_disputed_for_90(road: Road) -> None:
    ride_id = await road.ride()
    dispute_id = await disputed(road, ride_id=ride_id)
    await decide(road, dispute_id, outcome="refuse")

    await road.pass_days(30)
    road.clock.pass_time(1)
    late = await road.do(road.rider, f"/v1/disputes/{dispute_id}/appeal", text="Late.")
    await road.pass_days(60)
    too_late = await road.do(
        road.rider, f"/v1/rides/{ride_id}/disputes", kind="other", text="Very late."
    )

    assert slug(late) == "nothing-to-appeal"
    assert slug(too_late) == "too-late-to-dispute"


async def test_only_the_people_of_a_settled_ride_dispute_it_once_at_a_time(road: Road) -> None:
    ride_id = await road.assigned()
    path = f"/v1/rides/{ride_id}/disputes"
    body = {"kind": "lost_time", "text": "I waited."}

    assert slug(await road.do(road.driver, path, **body)) == "ride-not-settled"
    await road.finish(ride_id)
    assert slug(await road.do(road.first, path, **body)) == "not-found"
    assert (await road.do(road.driver, path, **body)).status_code == 201
    assert slug(await road.do(road.driver, path, **body)) == "dispute-is-open"
    assert (await road.do(road.rider, path, **body)).status_code == 201


async def test_nobody_decides_on_their_own_ride_not_even_past_the_program(road: Road) -> None:
    await road.owner.execute(
        "insert into member_role (member_id, role, granted_at) values ($1, 'staff', $2)",
        road.rider.id,
        road.clock.now(),
    )
    dispute_id = await disputed(road)

    own = await decide(road, dispute_id, by=road.rider, from_costs_minor=100)
    assert slug(own) == "own-ride"
    with pytest.raises(asyncpg.PostgresError, match="own ride"):
        await road.owner.execute(
            "insert into dispute_decision (id, dispute_id, round, outcome, from_driver_minor,"
            " from_commission_minor, from_costs_minor, amount_minor, reason, decided_by,"
            " decided_at) values (uuidv7(), $1::uuid, 1, 'refuse', 0, 0, 0, 0, 'so', $2, $3)",
            dispute_id,
            road.rider.id,
            road.clock.now(),
        )


async def test_each_bears_up_to_what_they_got(road: Road) -> None:
    ride_id = await road.ride()
    dispute_id = await disputed(road, ride_id=ride_id)
    settled = await road.settled(ride_id)
    too_much = {
        "from_driver_minor": settled["driver_net_minor"] + 1,
        "from_commission_minor": settled["commission_minor"] + 1,
        "from_costs_minor": settled["fare_minor"] + 1,
    }
    await road.owner.execute("update balance set lowest_minor = -20000 where lowest_minor = 0")

    for bearer, amount_minor in too_much.items():
        answer = await decide(road, dispute_id, **{bearer: amount_minor})
        assert slug(answer) == "more-than-was-paid", bearer
    assert (await decide(road, dispute_id)).status_code == 422
    both = await decide(road, dispute_id, outcome="refuse", from_costs_minor=1)
    assert both.status_code == 422
    whole = await decide(
        road,
        dispute_id,
        from_driver_minor=settled["driver_net_minor"],
        from_commission_minor=settled["commission_minor"],
    )
    assert whole.status_code == 200, whole.text
    await road.audited()


async def test_a_tip_is_given_back_by_a_dispute_and_by_nothing_else(road: Road) -> None:
    ride_id = await road.ride()
    await road.do(road.rider, f"/v1/rides/{ride_id}/tips", amount_minor=500)
    settled = await road.settled(ride_id)
    before = await road.stands(road.rider, "rider")

    dispute_id = await disputed(road, ride_id=ride_id)
    await decide(
        road,
        dispute_id,
        from_driver_minor=settled["driver_net_minor"] + 500,
        from_commission_minor=settled["commission_minor"],
    )
    answer = await road.do(road.second, f"/v1/disputes/{dispute_id}/release")

    assert answer.status_code == 200, answer.text
    assert await road.stands(road.rider, "rider") == before + settled["fare_minor"] + 500
    await road.audited()


async def test_of_twenty_decisions_at_once_one_stands(road: Road) -> None:
    ride_id = await road.ride()
    fare_minor = (await road.settled(ride_id))["fare_minor"]
    owed = await road.stands(road.rider, "rider")
    # Two disputes about one ride, ten decisions on each, and all of them of more than the half.
    both = [
        await disputed(road, road.rider, ride_id=ride_id),
        await disputed(road, road.driver, ride_id=ride_id),
    ]
    part = fare_minor * 6 // 10
    assert part <= 5000

    answers = await asyncio.gather(
        *(decide(road, both[n % 2], from_costs_minor=part) for n in range(20))
    )

    assert sum(answer.status_code == 200 for answer in answers) == 1
    assert {slug(answer) for answer in answers if answer.status_code != 200} <= {
        "dispute-decided",
        "more-than-was-paid",
    }
    assert await road.stands(road.rider, "rider") == owed + part
    await road.audited()


async def test_only_staff_reads_all_disputes(road: Road) -> None:
    dispute_id = await disputed(road)

    for path in ("/v1/disputes", f"/v1/disputes/{dispute_id}"):
        assert slug(await road.client.get(path, headers=road.rider.headers)) == "role-missing"
        assert (await road.client.get(path, headers=road.first.headers)).status_code == 200
    waiting = await road.client.get("/v1/disputes?state=open", headers=road.first.headers)
    assert [one["id"] for one in waiting.json()["items"]] == [dispute_id]
