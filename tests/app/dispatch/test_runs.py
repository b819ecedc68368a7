"""The order of a run's stops outlasts whatever is done, called off or added meanwhile."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.dispatch.runs import RunStop, planned_stops, stops_left, stored_stops
from app.foundation.ids import new_id
from app.rides.lifecycle import DRIVING_STATES, RideState
from matching.pooling.words import StopKind

A, B, C = sorted(new_id() for _ in range(3))
IN, OUT = StopKind.PICKUP, StopKind.DROPOFF
PLANNED = (RunStop(A, IN), RunStop(B, IN), RunStop(A, OUT), RunStop(B, OUT))


def test_what_an_offer_keeps_is_what_was_planned() -> None:
    assert planned_stops(stored_stops(PLANNED)) == PLANNED
    assert planned_stops(None) == ()


def test_who_got_in_is_not_picked_up_again() -> None:
    left = stops_left(PLANNED, {A: RideState.UNDER_WAY, B: RideState.ASSIGNED})

    assert left == (RunStop(B, IN), RunStop(A, OUT), RunStop(B, OUT))


def test_who_called_off_or_arrived_is_forgotten() -> None:
    assert stops_left(PLANNED, {B: RideState.UNDER_WAY}) == (RunStop(B, OUT),)


def test_where_the_car_stands_already_comes_first() -> None:
    left = stops_left(PLANNED, {A: RideState.ASSIGNED, B: RideState.ARRIVED})

    assert left[:2] == (RunStop(B, IN), RunStop(A, IN))


def test_who_is_in_no_plan_comes_last() -> None:
    left = stops_left(PLANNED, {A: RideState.UNDER_WAY, C: RideState.ASSIGNED})

    assert left == (RunStop(A, OUT), RunStop(C, IN), RunStop(C, OUT))


@given(
    planned=st.permutations(PLANNED),
    states=st.dictionaries(st.sampled_from([A, B, C]), st.sampled_from(DRIVING_STATES)),
)
def test_every_open_ride_is_brought_to_its_end_once(
    planned: list[RunStop], states: dict[UUID, RideState]
) -> None:
    in_order = sorted(planned, key=lambda stop: stop.kind is OUT)

    left = stops_left(in_order, states)

    assert len(set(left)) == len(left)
    for ride_id, state in states.items():
        kinds = [stop.kind for stop in left if stop.ride_id == ride_id]
        assert kinds == ([OUT] if state is RideState.UNDER_WAY else [IN, OUT])
    assert {stop.ride_id for stop in left} == set(states)
