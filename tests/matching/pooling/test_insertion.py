from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings

from matching.pooling.check import check_plan
from matching.pooling.insertion import (
    Insertion,
    Quotes,
    WhyNot,
    insert_by_regret,
    insert_in_order,
)
from matching.pooling.plan import Plan, orders_of, plan_of, promised
from matching.pooling.words import Pool, Rules, Stop
from tests.matching.pooling.instances import DROPOFF, PICKUP, asking, on_a_line, pools


def every_insertion(pool: Pool, plan: Plan, request: int) -> list[tuple[int, int, int, int]]:
    """All that break no promise, tried one by one: added deciseconds, car, both places."""
    orders, found = orders_of(plan), []
    for car, order in enumerate(orders):
        for before in combinations_with_replacement(range(len(order) + 1), 2):
            longer = list(order)
            longer.insert(before[1], Stop(request, DROPOFF))
            longer.insert(before[0], Stop(request, PICKUP))
            tried = plan_of(pool, [*orders[:car], longer, *orders[car + 1 :]])
            if not check_plan(pool, tried):
                found.append((tried.busy_ds - plan.busy_ds, car, *before))
    return found


def test_a_quote_says_who_comes_when_and_what_it_adds() -> None:
    # The car drives 0 to 400 with one party; another wants to go from 200 to 300.
    pool = on_a_line([(100.0, 400.0), (200.0, 300.0)], [0.0, 1000.0])
    plan = plan_of(pool, [[Stop(0, PICKUP), Stop(0, DROPOFF)], []])

    quote = Quotes(pool, plan).of(1)

    assert isinstance(quote, Insertion)
    assert (quote.vehicle, quote.stops_before_pickup, quote.stops_before_dropoff) == (0, 1, 1)
    assert quote.added_s == 0
    assert (quote.ride.pickup_s, quote.ride.arrival_s, quote.ride.detour_s) == (200, 300, 0)


@settings(max_examples=150, deadline=None)
@given(pools())
def test_a_quote_is_the_cheapest_of_all_insertions_that_break_no_promise(pool: Pool) -> None:
    plan = insert_in_order(pool, order=np.arange(len(pool.requests) // 2))
    quotes = Quotes(pool, plan)

    for request in plan.unserved:
        possible = every_insertion(pool, plan, request)
        quote = quotes.of(request)
        if isinstance(quote, WhyNot):
            assert possible == []
            continue
        chosen = (quote.vehicle, quote.stops_before_pickup, quote.stops_before_dropoff)
        assert (round(quote.added_s * 10), *chosen) in possible
        assert round(quote.added_s * 10) == min(possible)[0]


WHY_NOT = {
    WhyNot.NO_WAY: on_a_line([(0.0, 100.0)], [0.0]),
    WhyNot.NO_CAR_WITH_SEATS: on_a_line([(0.0, 100.0)], [0.0], party=[5]),
    WhyNot.NO_CAR_IN_TIME: on_a_line([(0.0, 100.0)], [601.0]),
    WhyNot.PROMISES_TO_OTHERS: on_a_line(
        [(0.0, 100.0), (0.0, 100.0)],
        [0.0],
        rules=Rules(wait_s=0, detour_s=0, boarding_s=0),
        party=[4, 1],
        committed=((Stop(0, PICKUP), Stop(0, DROPOFF)),),
    ),
}


@pytest.mark.parametrize("why", WhyNot)
def test_who_cannot_share_is_told_why(why: WhyNot) -> None:
    pool = WHY_NOT[why]
    if why is WhyNot.NO_WAY:
        # Even the direct drive takes longer than the party agreed to.
        hurried = replace(pool.requests, latest_arrival_s=np.array([99.0]))
        pool = asking(pool, hurried)

    assert Quotes(pool, promised(pool)).of(len(pool.requests) - 1) is why


def test_a_quote_for_who_rides_already_or_is_nobody_is_refused() -> None:
    pool = on_a_line([(0.0, 100.0)], [0.0])
    quotes = Quotes(pool, insert_in_order(pool))

    with pytest.raises(ValueError, match="carried already"):
        quotes.of(0)
    with pytest.raises(ValueError, match="1 requests"):
        quotes.of(1)


def test_the_next_stop_under_way_comes_first_whatever_lies_nearer() -> None:
    # The car at 0 is on its way to 300; somebody at 100 asks to go to 200.
    under_way = (Stop(0, PICKUP), Stop(0, DROPOFF))
    trips = [(300.0, 400.0), (100.0, 200.0)]

    locked = insert_in_order(on_a_line(trips, [0.0], committed=(under_way,)))
    unlocked = insert_in_order(on_a_line(trips, [0.0], committed=(under_way,), locked=[0]))

    assert orders_of(locked)[0][0] == Stop(0, PICKUP)
    assert orders_of(unlocked)[0] == (Stop(1, PICKUP), Stop(1, DROPOFF), *under_way)


def test_regret_serves_first_who_has_no_second_choice() -> None:
    # Each car can do one ride. The first rider could take either, the second only the car at 0.
    rules = Rules(wait_s=100, detour_s=100, boarding_s=0)
    pool = on_a_line([(40.0, 900.0), (-50.0, -900.0)], [0.0, 100.0], rules=rules)

    assert insert_in_order(pool).unserved == (1,)
    assert insert_by_regret(pool).unserved == ()


def test_a_ride_dearer_than_not_serving_is_left() -> None:
    cheap = Rules(wait_s=600, detour_s=600, boarding_s=0, unserved_s=99)

    assert insert_in_order(on_a_line([(0.0, 100.0)], [0.0], rules=cheap)).unserved == (0,)
    assert insert_by_regret(on_a_line([(0.0, 100.0)], [0.0], rules=cheap)).unserved == (0,)


@settings(max_examples=100, deadline=None)
@given(pools(most_requests=12, most_cars=4))
def test_both_kinds_of_insertion_break_no_promise(pool: Pool) -> None:
    for plan in (insert_in_order(pool), insert_by_regret(pool)):
        assert check_plan(pool, plan) == ()
