from dataclasses import replace

import pytest
from hypothesis import given, settings

from matching.pooling.check import check_plan
from matching.pooling.insertion import insert_in_order
from matching.pooling.plan import Plan, orders_of, plan_of, promised
from matching.pooling.words import Pool, Rules, Stop
from tests.matching.pooling.instances import DROPOFF, PICKUP, on_a_line, pools

# Two along the same street: one from 100 to 400, one from 200 to 300; a car at 0.
TRIPS = [(100.0, 400.0), (200.0, 300.0)]
NESTED = [Stop(0, PICKUP), Stop(1, PICKUP), Stop(1, DROPOFF), Stop(0, DROPOFF)]


def street(**more: object) -> Pool:
    rules = Rules(wait_s=600, detour_s=600, boarding_s=10, unserved_s=1000)
    return on_a_line(TRIPS, [0.0], rules=rules, **more)  # type: ignore[arg-type]


def test_a_plan_says_when_each_party_boards_and_arrives_and_what_sharing_costs_it() -> None:
    plan = plan_of(street(waited_s=[5.0, 0.0]), [NESTED])

    outer, inner = plan.carried
    assert [stop.at_s for stop in plan.routes[0].stops] == [100, 210, 320, 430]
    assert (outer.wait_s, outer.ride_s, outer.solo_s, outer.detour_s) == (105, 330, 310, 20)
    assert (inner.wait_s, inner.ride_s, inner.solo_s, inner.detour_s) == (210, 110, 110, 0)
    assert (outer.shared_s, inner.shared_s) == (110, 110)


def test_the_objective_is_busy_time_and_the_price_of_the_unserved() -> None:
    pool = street()

    assert plan_of(pool, [NESTED]).objective_ds == 10 * (400 + 4 * 10)
    assert plan_of(pool, [NESTED[1:3]]).objective_ds == 10 * (300 + 2 * 10 + 1000)
    assert plan_of(pool, [[]]).unserved == (0, 1)


def test_standing_to_wait_for_a_booked_pickup_is_not_busy_time() -> None:
    plan = plan_of(street(earliest_s=[1000.0, 0.0]), [NESTED[:1] + NESTED[3:]])

    assert plan.carried[0].pickup_s == 1000
    assert plan.carried[0].wait_s == 0
    assert plan.busy_ds == 10 * (400 + 2 * 10)


def test_who_is_on_board_shares_from_now_on() -> None:
    on_board = (Stop(0, DROPOFF),)
    pool = street(committed=(on_board,), locked=[0], earliest_s=[-50.0, 0.0])

    plan = plan_of(pool, [NESTED[1:]])

    assert plan.carried[0].pickup_s == -50
    assert plan.carried[0].ride_s == 420 + 50
    assert plan.carried[0].shared_s == 110


def test_another_number_of_orders_than_cars_is_refused() -> None:
    with pytest.raises(ValueError, match="1 vehicles"):
        plan_of(street(), [])


WRONG = {
    "out of turn": [NESTED[2], NESTED[1]],
    "never dropped off": NESTED[:1],
    "made twice": [*NESTED[1:3], *NESTED[1:3]],
    "too many inside": NESTED,
}


@pytest.mark.parametrize(("fault", "order"), WRONG.items(), ids=WRONG)
def test_the_check_finds(fault: str, order: list[Stop]) -> None:
    pool = street(party=[2, 2], seats=3)

    assert any(fault in found for found in check_plan(pool, plan_of(pool, [order])))


def test_the_check_finds_a_party_in_two_cars() -> None:
    pool = on_a_line(TRIPS, [0.0, 0.0])

    assert "request 1 is in two cars" in check_plan(pool, plan_of(pool, [NESTED, NESTED[1:3]]))


def test_the_check_finds_a_pickup_and_an_arrival_that_come_too_late() -> None:
    pool = on_a_line(TRIPS, [0.0], rules=Rules(wait_s=150, detour_s=150, boarding_s=0))

    late = check_plan(pool, plan_of(pool, [[*NESTED[:1], NESTED[3], *NESTED[1:3]]]))

    assert late == (
        "vehicle 0: request 1: pickup at 600.0 s, 150.0 s at most",
        "vehicle 0: request 1: dropoff at 700.0 s, 250.0 s at most",
    )


def test_the_check_finds_a_promise_that_was_moved_dropped_or_overtaken() -> None:
    first = (Stop(0, PICKUP), Stop(0, DROPOFF))
    pool = street(committed=(first,))

    assert any("gone" in fault for fault in check_plan(pool, plan_of(pool, [[]])))
    before_the_locked = [*NESTED[1:3], *first]
    assert any("locked" in fault for fault in check_plan(pool, plan_of(pool, [before_the_locked])))
    assert check_plan(pool, plan_of(pool, [NESTED])) == ()


def untrue(plan: Plan) -> list[Plan]:
    route = plan.routes[0]
    stop = replace(route.stops[0], at_s=route.stops[0].at_s + 1)
    return [
        replace(plan, objective_ds=plan.objective_ds - 1),
        replace(plan, unserved=(1,)),
        replace(plan, carried=plan.carried[:1]),
        replace(plan, routes=(replace(route, stops=(stop, *route.stops[1:])),)),
        replace(plan, routes=(replace(route, busy_s=0.0),)),
        replace(plan, routes=()),
    ]


def test_the_check_believes_no_figure() -> None:
    pool = street()
    plan = plan_of(pool, [NESTED])

    assert check_plan(pool, plan) == ()
    assert all(check_plan(pool, other) for other in untrue(plan))


def test_a_promise_that_is_late_anyway_is_kept_but_made_no_later() -> None:
    # The car is 1,000 s away from whom it promised to fetch within 600.
    late = (Stop(0, PICKUP), Stop(0, DROPOFF))
    pool = on_a_line([(1000.0, 1100.0), (500.0, 600.0)], [0.0], committed=(late,), locked=[0])
    on_the_way = [Stop(1, PICKUP), Stop(1, DROPOFF), *late]

    assert check_plan(pool, promised(pool)) == ()
    assert orders_of(insert_in_order(pool)) == (tuple(on_the_way),)
    slower = on_a_line(
        [(1000.0, 1100.0), (500.0, 600.0)],
        [0.0],
        rules=Rules(wait_s=600, detour_s=600, boarding_s=1),
        committed=(late,),
        locked=[0],
    )
    assert check_plan(slower, plan_of(slower, [on_the_way]))
    assert insert_in_order(slower).unserved == (1,)


@settings(max_examples=50, deadline=None)
@given(pools())
def test_doing_what_was_promised_and_nothing_else_breaks_no_promise(pool: Pool) -> None:
    assert check_plan(pool, promised(pool)) == ()
