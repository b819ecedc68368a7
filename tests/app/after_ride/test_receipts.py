"""One ride with everything that may happen to its money: its receipt is what the books say."""

from typing import Any

import pytest

from tests.app.after_ride.road import Road
from tests.app.after_ride.test_disputes import decide, disputed
from tests.app.after_ride.test_splits import friends, invite, settle
from tests.app.fares.acts import put_in_force
from tests.steps import ask_price, offered, stand, take

PASSING = [
    {"name": "Tunnel", "code": "toll", "amount_minor": 310},
    {"name": "Levy", "code": "tax", "amount_minor": 95},
]


async def assigned(road: Road, **wish: Any) -> str:
    """A ride that the driver accepted, booked and paid as wished; return its id."""
    method = wish.pop("payment_method")
    quote = await ask_price(road.client, road.rider, **wish)
    body = {"quote_id": quote["id"], "payment_method": method}
    ride = (await take(road.client, road.rider, "/v1/rides", **body)).json()
    await stand(road.app, road.driver, now=road.clock.now())
    offer = await offered(road.app, road.client, road.driver)
    answer = await take(road.client, road.driver, f"/v1/offers/{offer['id']}/accept")
    assert answer.is_success, answer.text
    return str(ride["id"])


@pytest.mark.parametrize("remitted_by", ["driver", "cooperative"])
@pytest.mark.parametrize("wish", [{"payment_method": "cash"}, {"payment_method": "balance"}])
@pytest.mark.parametrize("shared", [False, True])
async def test_a_split_tipped_and_partly_refunded_ride_is_split_as_the_books_say(
    road: Road, wish: dict[str, Any], remitted_by: str, *, shared: bool
) -> None:
    vat = {"rate_bp": 810, "remitted_by": remitted_by}
    await put_in_force(road.client, road.owner, road.clock, charges=PASSING, vat=vat)
    ride_id = await assigned(road, **wish, shared=shared)
    [friend] = await friends(road, 1)
    assert (await invite(road, ride_id, {"phone": friend.phone})).status_code == 201
    await road.do(friend, f"/v1/rides/{ride_id}/split/accept")
    # The driver is at the door, and the rider comes after the free minutes.
    await road.do(road.driver, f"/v1/rides/{ride_id}/arrive")
    road.clock.pass_time(400)
    for step in ("start", "complete"):
        answer = await road.do(road.driver, f"/v1/rides/{ride_id}/{step}")
        assert answer.is_success, answer.text
    assert await settle(road) == 1
    tip = await road.do(road.rider, f"/v1/rides/{ride_id}/tips", amount_minor=333)
    assert tip.is_success, tip.text
    dispute_id = await disputed(road, ride_id=ride_id)
    decided = await decide(
        road, dispute_id, from_driver_minor=201, from_commission_minor=102, from_costs_minor=53
    )
    assert decided.is_success, decided.text

    path = f"/v1/rides/{ride_id}/receipt"
    receipt = (await road.client.get(path, headers=road.rider.headers)).json()

    # There is no other ride: each account holds what this one brought it.
    cash_minor = answer.json()["cash_minor"]
    split = receipt["split"]
    house = [await road.house(kind) for kind in ("commission_income", "platform_costs")]
    assert split["driver_minor"] == await road.stands(road.driver, "driver") + cash_minor
    assert split["cooperative_minor"] == sum(house)
    assert split["passed_on_minor"] == await road.house("pass_through")
    assert split["others_paid_minor"] == -await road.stands(friend, "rider") > 0
    assert receipt["total_minor"] == cash_minor - await road.stands(road.rider, "rider")
    assert sum(item["amount_minor"] for item in receipt["items"]) == receipt["fare_minor"]
    assert receipt["items"][-1]["code"] == "waiting"
    assert receipt["tips_minor"] == 333
    back = {one["kind"]: one["amount_minor"] for one in receipt["refunds"]}
    assert back == {"fare_share": split["others_paid_minor"], "adjustment": 201 + 102 + 53}
    await road.audited()
