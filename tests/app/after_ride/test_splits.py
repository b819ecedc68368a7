"""Shared fares: equal to the cent, never more than was accepted, settled once."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.after_ride.rules import equal_parts
from app.after_ride.service.splits import settle_splits
from tests.app.after_ride.road import Road
from tests.factories import Person, make_member
from tests.steps import slug


@given(st.integers(0, 10**9), st.integers(1, 3))
def test_parts_add_up_to_the_fare_and_differ_by_a_cent(fare_minor: int, invited: int) -> None:
    parts = equal_parts(fare_minor, invited=invited)

    assert len(parts) == invited + 1
    assert sum(parts) == fare_minor
    assert max(parts) - min(parts) <= 1
    assert parts[0] == max(parts)  # what is left over stays with who booked first of all


@pytest.mark.parametrize("invited", [0, 4])
def test_a_fare_is_shared_by_two_to_four(invited: int) -> None:
    with pytest.raises(ValueError, match="1 to 3"):
        equal_parts(1000, invited=invited)


async def friends(road: Road, many: int) -> list[Person]:
    """Other riders, with numbers that exist."""
    people = []
    for number in range(many):
        person = await make_member(road.owner, now=road.clock.now())
        phone = f"+42379100{number:02}"
        await road.owner.execute("update member set phone = $2 where id = $1", person.id, phone)
        people.append(replace(person, phone=phone))
    return people


async def invite(road: Road, ride_id: str, *invited: dict[str, Any]) -> Any:
    return await road.do(road.rider, f"/v1/rides/{ride_id}/split", invited=list(invited))


async def settle(road: Road) -> int:
    return await settle_splits(road.app.state.database, now=road.clock.now())


async def test_who_accepts_pays_an_equal_part_and_the_rest_stays_with_who_booked(
    road: Road,
) -> None:
    ride_id = await road.assigned()
    yes, no, silent = await friends(road, 3)
    answer = await invite(
        road, ride_id, {"phone": yes.phone}, {"member_id": str(no.id)}, {"phone": silent.phone}
    )
    assert answer.status_code == 201, answer.text
    path = f"/v1/rides/{ride_id}/split"

    accepted = await road.do(yes, f"{path}/accept")
    declined = await road.do(no, f"{path}/decline")
    assert (accepted.status_code, declined.status_code) == (200, 200)
    assert await road.held(yes) == accepted.json()["most_minor"] > 0
    assert await settle(road) == 0
    await road.finish(ride_id)
    assert await settle(road) == 1
    assert await settle(road) == 0

    fare_minor = (await road.settled(ride_id))["fare_minor"]
    part = equal_parts(fare_minor, invited=3)[1]
    assert await road.stands(yes, "rider") == -part
    assert await road.held(yes) == 0
    assert [await road.stands(person, "rider") for person in (no, silent)] == [0, 0]
    assert await road.stands(road.rider, "rider") == part - fare_minor
    seen = await road.client.get(path, headers=road.rider.headers)
    assert [one["state"] for one in seen.json()["parts"]] == ["paid", "declined", "lapsed"]
    [told] = await road.told(yes, "fare_split.part_ended")
    assert told["amount_minor"] == part
    await road.audited()


async def test_an_answer_tells_nothing_about_whose_a_number_is(road: Road) -> None:
    ride_id = await road.assigned()
    [friend] = await friends(road, 1)

    answer = await invite(
        road, ride_id, {"phone": friend.phone}, {"phone": "+4232345678"}, {"phone": friend.phone}
    )

    assert answer.json()["parts"] == [
        {"position": position, "state": "invited", "amount_minor": None} for position in (1, 2, 3)
    ]
    assert len(await road.told(friend, "fare_split.invited")) == 1


async def test_co_riders_see_their_own_part_alone(road: Road) -> None:
    ride_id = await road.assigned()
    one, other = await friends(road, 2)
    await invite(road, ride_id, {"phone": one.phone}, {"phone": other.phone})

    seen = await road.client.get("/v1/me/fare-splits", headers=one.headers)
    [own] = seen.json()["items"]
    assert set(own) == {
        "ride_id",
        "rider_name",
        "state",
        "most_minor",
        "amount_minor",
        "currency",
    }
    whole = await road.client.get(f"/v1/rides/{ride_id}/split", headers=one.headers)
    assert slug(whole) == "not-found"
    ride = await road.client.get(f"/v1/rides/{ride_id}", headers=one.headers)
    assert slug(ride) == "not-found"


async def test_a_fare_is_shared_once_by_who_booked_and_before_the_end(road: Road) -> None:
    ride_id = await road.assigned()
    one, other = await friends(road, 2)
    path = f"/v1/rides/{ride_id}/split"

    own = await invite(road, ride_id, {"member_id": str(road.rider.id)})
    assert slug(own) == "invited-yourself"
    foreign = await road.do(other, path, invited=[{"phone": one.phone}])
    assert slug(foreign) == "not-found"
    assert (await invite(road, ride_id, {"phone": one.phone})).status_code == 201
    assert slug(await invite(road, ride_id, {"phone": other.phone})) == "fare-split-before"
    assert slug(await road.do(other, f"{path}/accept")) == "not-found"
    await road.finish(ride_id)
    assert slug(await road.do(one, f"{path}/accept")) == "split-over"
    late = await road.ride()
    assert slug(await invite(road, late, {"phone": one.phone})) == "split-over"


async def test_what_was_held_is_free_where_the_ride_cost_no_fare(road: Road) -> None:
    ride_id = await road.booked()
    [friend] = await friends(road, 1)
    await invite(road, ride_id, {"phone": friend.phone})
    await road.do(friend, f"/v1/rides/{ride_id}/split/accept")
    assert await road.held(friend) > 0

    await road.do(road.rider, f"/v1/rides/{ride_id}/cancel", reason="I walk")
    await settle(road)

    assert (await road.held(friend), await road.stands(friend, "rider")) == (0, 0)
    await road.audited()


async def test_who_cannot_pay_a_part_cannot_accept_it(road: Road) -> None:
    ride_id = await road.assigned()
    [friend] = await friends(road, 1)
    await invite(road, ride_id, {"phone": friend.phone})
    await road.owner.execute(
        "update balance set lowest_minor = 0 where account_id ="
        " (select id from account where member_id = $1)",
        friend.id,
    )

    refused = await road.do(friend, f"/v1/rides/{ride_id}/split/accept")

    assert slug(refused) == "credit-limit-reached"
    assert (await road.do(friend, f"/v1/rides/{ride_id}/split/decline")).status_code == 200


async def test_twenty_workers_and_answers_at_once_settle_a_split_once(road: Road) -> None:
    ride_id = await road.assigned()
    people = await friends(road, 3)
    await invite(road, ride_id, *({"phone": person.phone} for person in people))
    answers = await asyncio.gather(
        *(
            road.do(person, f"/v1/rides/{ride_id}/split/accept")
            for person in people
            for _ in range(7)
        )
    )
    assert sum(answer.status_code == 200 for answer in answers) == 3
    await road.finish(ride_id)

    settled = await asyncio.gather(*(settle(road) for _ in range(20)))

    assert sum(settled) == 1
    fare_minor = (await road.settled(ride_id))["fare_minor"]
    parts = equal_parts(fare_minor, invited=3)
    assert [await road.stands(person, "rider") for person in people] == [
        -part for part in parts[1:]
    ]
    assert await road.stands(road.rider, "rider") == -parts[0]
    await road.audited()
