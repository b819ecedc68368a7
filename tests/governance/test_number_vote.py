"""One number is decided by all, and neither a lie nor an empty chair gains anything."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import product
from random import Random
from statistics import median_high
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.number_vote import Held, Limit, NumberTerms, floor_from_costs, tally_number
from governance.tally import THREE_QUARTERS, TWO_THIRDS, Majority, empty_chairs
from governance.two_houses import Accord, tally_in_two_houses

GRID = range(5)
TERMS = NumberTerms(status_quo=1500, floor=500, ceiling=2000, grid=50)
STEPWISE = NumberTerms(status_quo=1500, floor=500, ceiling=2000, grid=50, largest_step=300)
GUARDED = NumberTerms(status_quo=1500, floor=500, ceiling=2000, grid=50, to_raise=TWO_THIRDS)

type Rule = Callable[[tuple[int, ...]], int]


@pytest.mark.parametrize(
    ("ballots", "quorum", "terms", "value", "held"),
    [
        ([1000, 1200, 1500], 0, TERMS, 1200, ()),
        ([1000, 1200, 1500, 1800], 0, TERMS, 1500, ()),
        ([1000, 1200], 0, TERMS, 1200, ()),
        ([800] * 4, 9, TERMS, 1500, (Held(Limit.QUORUM, 800),)),
        ([800] * 5, 9, TERMS, 800, ()),
        ([800] * 5, 9, STEPWISE, 1200, (Held(Limit.STEP, 800),)),
        ([3000] * 3, 0, TERMS, 2000, (Held(Limit.CEILING, 3000),)),
        ([100] * 3, 0, TERMS, 500, (Held(Limit.FLOOR, 100),)),
        ([], 0, TERMS, 1500, ()),
        ([1800] * 6 + [1200] * 3, 0, GUARDED, 1800, ()),
        ([1800] * 5 + [1200] * 4, 0, GUARDED, 1500, (Held(Limit.MAJORITY, 1800),)),
        ([1200] * 5 + [1800] * 4, 0, GUARDED, 1200, ()),
    ],
)
def test_the_published_votes_come_out_as_published_and_say_why(
    ballots: list[int], quorum: int, terms: NumberTerms, value: int, held: tuple[Held, ...]
) -> None:
    result = tally_number(ballots, terms=terms, quorum=quorum)
    assert result.value == value
    assert result.held == held
    assert (result.ballots, result.empty_chairs) == (len(ballots), max(0, quorum - len(ballots)))


def test_limits_are_named_in_the_order_in_which_they_spoke() -> None:
    result = tally_number([3000] * 5, terms=STEPWISE)
    assert result.value == 1800
    assert result.held == (Held(Limit.CEILING, 3000), Held(Limit.STEP, 2000))


def test_a_status_quo_below_what_costs_ask_is_lifted_to_the_floor_without_a_vote() -> None:
    overtaken = NumberTerms(status_quo=300, floor=500, ceiling=2000, largest_step=100)
    result = tally_number([], terms=overtaken)
    assert (result.value, result.held) == (500, (Held(Limit.FLOOR, 300),))
    assert tally_number([900], terms=overtaken).value == 600


def test_empty_chairs_count_against_the_two_thirds_of_a_raise() -> None:
    ballots = [1800] * 6
    assert tally_number(ballots, terms=GUARDED, quorum=9).value == 1800
    assert tally_number(ballots, terms=GUARDED, quorum=11).value == 1500


def elections(sizes: range, *, rule: Callable[..., int]) -> Iterator[tuple[tuple[int, ...], Rule]]:
    """Every election of up to four voters on five values, with its rule of one argument.

    The order of ballots decides nothing (its own test), so each multiset is counted once.
    """
    for now, quorum, step in product(GRID, (0, 1, 3, 5), (None, 1)):
        terms = NumberTerms(status_quo=now, floor=0, ceiling=4, largest_step=step)

        @cache
        def sorted_rule(
            ballots: tuple[int, ...], terms: NumberTerms = terms, quorum: int = quorum
        ) -> int:
            return rule(ballots, terms, quorum)

        for size in sizes:
            for ballots in product(GRID, repeat=size):
                yield ballots, lambda cast, rule=sorted_rule: rule(tuple(sorted(cast)))  # type: ignore[misc]


def better(instead: int, *, truth: int, peak: int) -> bool:
    """Whether everybody with this peak, however shaped, prefers one outcome to the other."""
    return peak <= instead < truth or truth < instead <= peak


def faults(ballots: tuple[int, ...], rule: Rule) -> list[str]:
    """Name each way in which some voter of an election gains by lying or by staying home."""
    found = []
    truth = rule(ballots)
    for voter, peak in enumerate(ballots):
        others = ballots[:voter] + ballots[voter + 1 :]
        if better(rule(others), truth=truth, peak=peak):
            found.append("participation")
        for lie in GRID:
            outcome = rule((*others, lie))
            if better(outcome, truth=truth, peak=peak):
                found.append("strategy")
            if lie > peak and outcome < truth:
                found.append("monotonicity")
    return found


def by_rule(ballots: tuple[int, ...], terms: NumberTerms, quorum: int) -> int:
    return tally_number(ballots, terms=terms, quorum=quorum).value


def test_no_lie_and_no_absence_gains_in_any_of_31_200_elections() -> None:
    checked = 0
    for ballots, rule in elections(range(1, 5), rule=by_rule):
        assert not faults(ballots, rule), ballots
        checked += 1
    assert checked == 31_200


def by_mean(ballots: tuple[int, ...], terms: NumberTerms, quorum: int) -> int:
    return sum(ballots) // len(ballots) if ballots else terms.status_quo


def by_hard_quorum(ballots: tuple[int, ...], terms: NumberTerms, quorum: int) -> int:
    if len(ballots) < quorum or not ballots:
        return terms.status_quo
    return median_high(ballots)


@pytest.mark.parametrize(
    ("rule", "fault"), [(by_mean, "strategy"), (by_hard_quorum, "participation")]
)
def test_the_same_check_finds_fault_with_the_mean_and_with_a_hard_quorum(
    rule: Callable[..., int], fault: str
) -> None:
    assert any(fault in faults(*election) for election in elections(range(2, 4), rule=rule))


@pytest.mark.parametrize("to_raise", [TWO_THIRDS, THREE_QUARTERS])
def test_no_lie_gains_where_a_raise_needs_more_with_and_without_empty_chairs(
    to_raise: Majority,
) -> None:
    def guarded(ballots: tuple[int, ...], terms: NumberTerms, quorum: int) -> int:
        asking = NumberTerms(
            terms.status_quo, 0, 4, largest_step=terms.largest_step, to_raise=to_raise
        )
        return tally_number(ballots, terms=asking, quorum=quorum).value

    for ballots, rule in elections(range(1, 5), rule=guarded):
        assert not faults(ballots, rule), ballots


ballot_lists = st.lists(st.integers(-10, 30), max_size=30)


@given(ballot_lists, st.integers(-5, 25), st.integers(0, 40), st.none() | st.integers(1, 9))
def test_it_is_the_textbook_median_with_phantoms(
    ballots: list[int], status_quo: int, quorum: int, step: int | None
) -> None:
    def clamp(value: int, low: int, high: int) -> int:
        return max(low, min(high, value))

    now = clamp(status_quo, 0, 20)
    line = [clamp(ballot, 0, 20) for ballot in ballots] + [now] * (quorum - len(ballots))
    line += [now] * (len(line) % 2 == 0)
    middle = sorted(line)[len(line) // 2]
    expected = middle if step is None else clamp(clamp(middle, now - step, now + step), 0, 20)
    terms = NumberTerms(status_quo, 0, 20, largest_step=step)
    assert tally_number(ballots, terms=terms, quorum=quorum).value == expected


@given(ballot_lists, st.randoms())
def test_who_cast_which_ballot_decides_nothing(ballots: list[int], random: Random) -> None:
    shuffled = sorted(ballots, key=lambda _: random.random())
    assert tally_number(shuffled, terms=GUARDED) == tally_number(ballots, terms=GUARDED)


@given(ballot_lists, st.integers(0, 40))
def test_the_chain_of_limits_leads_from_the_wish_to_the_value(
    ballots: list[int], quorum: int
) -> None:
    terms = NumberTerms(8, 2, 15, largest_step=3, to_raise=TWO_THIRDS)
    result = tally_number(ballots, terms=terms, quorum=quorum)
    agreed = tally_number(ballots, terms=NumberTerms(8, -10, 30)).value
    assert (result.held[0].instead_of if result.held else result.value) == agreed


def test_a_ballot_is_admitted_on_the_grid_and_in_the_range_only() -> None:
    admitted = [ballot for ballot in range(400, 2200, 10) if TERMS.admits(ballot)]
    assert admitted == list(range(500, 2001, 50))
    odd = NumberTerms(status_quo=1530, floor=500, ceiling=2000, grid=50)
    assert odd.admits(1530)


@pytest.mark.parametrize("ballot", [12.5, True, "12"])
def test_a_ballot_that_is_no_whole_number_is_refused(ballot: object) -> None:
    with pytest.raises(ValueError, match="whole number"):
        tally_number([1000, ballot], terms=TERMS)  # type: ignore[list-item]


@pytest.mark.parametrize(
    "terms",
    [
        {"status_quo": 5, "floor": 9, "ceiling": 8},
        {"status_quo": 5, "floor": 0, "ceiling": 8, "largest_step": 0},
        {"status_quo": 5, "floor": 0, "ceiling": 8, "grid": 0},
    ],
)
def test_terms_that_leave_no_room_are_refused(terms: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"floor|grid"):
        NumberTerms(**terms)


@pytest.mark.parametrize(
    ("majority", "of", "seats"),
    [
        (Majority(1, 2, more_than=True), 8, 5),
        (Majority(1, 2, more_than=True), 9, 5),
        (Majority(1, 2, more_than=True), 0, 1),
        (TWO_THIRDS, 9, 6),
        (TWO_THIRDS, 10, 7),
        (TWO_THIRDS, 0, 1),
        (Majority(1, 1), 7, 7),
    ],
)
def test_a_majority_takes_the_least_seats_that_reach_it(
    majority: Majority, of: int, seats: int
) -> None:
    assert majority.seats(of=of) == seats


@pytest.mark.parametrize(
    ("numerator", "denominator", "more_than"),
    [(1, 2, False), (1, 3, True), (1, 1, True), (3, 2, False), (1, 0, False), (-2, -3, False)],
)
def test_what_two_camps_or_nobody_could_reach_is_no_majority(
    numerator: int,
    denominator: int,
    more_than: bool,  # noqa: FBT001  pytest names what it gives
) -> None:
    with pytest.raises(ValueError, match="no majority"):
        Majority(numerator, denominator, more_than=more_than)


def test_a_negative_quorum_is_refused() -> None:
    with pytest.raises(ValueError, match="quorum"):
        empty_chairs(quorum=-1, cast=0)


@pytest.mark.parametrize(
    ("riders", "value", "accord"),
    [
        ([1300, 1400, 1600], 1400, Accord.NEARER),
        ([1600, 1700, 1800], 1500, Accord.OPPOSED),
        ([1100, 1100, 1100], 1100, Accord.EQUAL),
        ([], 1500, Accord.UNWILLING),
    ],
)
def test_two_houses_go_only_as_far_as_both_agree(
    riders: list[int], value: int, accord: Accord
) -> None:
    result = tally_in_two_houses(TERMS, drivers=[1000, 1100, 1200], riders=riders)
    assert (result.value, result.accord) == (value, accord)
    assert result.drivers.value == 1100


def house_rule(
    decide: Callable[..., int],
    others: tuple[int, ...],
    cast: tuple[int, ...],
    *,
    own: str,
    other: str,
) -> int:
    """What two houses decide, seen from one of them."""
    return decide(**{own: tuple(sorted(cast)), other: others})


def test_no_lie_gains_in_either_house_in_any_of_15_625_elections() -> None:
    checked = 0
    for now in GRID:
        terms = NumberTerms(status_quo=now, floor=0, ceiling=4)

        @cache
        def decide(
            *, drivers: tuple[int, ...], riders: tuple[int, ...], terms: NumberTerms = terms
        ) -> int:
            return tally_in_two_houses(terms, drivers=drivers, riders=riders).value

        for drivers, riders in product(product(GRID, repeat=3), product(GRID, repeat=2)):
            driving, riding = tuple(sorted(drivers)), tuple(sorted(riders))
            among_drivers = partial(house_rule, decide, riding, own="drivers", other="riders")
            among_riders = partial(house_rule, decide, driving, own="riders", other="drivers")
            assert not faults(drivers, among_drivers), (drivers, riders)
            assert not faults(riders, among_riders), (drivers, riders)
            checked += 1
    assert checked == 15_625


def test_an_absent_house_keeps_everything_as_it_is() -> None:
    result = tally_in_two_houses(
        TERMS, drivers=[800] * 9, riders=[800] * 2, driver_quorum=5, rider_quorum=5
    )
    assert (result.value, result.accord) == (1500, Accord.UNWILLING)
    assert result.riders.held == (Held(Limit.QUORUM, 800),)


def test_the_floor_is_what_the_planned_year_costs_rounded_up_to_the_grid() -> None:
    def floor(**changed: int) -> int:
        year = {
            "planned_costs_minor": 1_240_000,
            "other_income_minor": 60_000,
            "reserve_target_minor": 0,
            "planned_fares_minor": 12_000_000,
        }
        return floor_from_costs(**{**year, **changed})

    # Break-even of the worked year is 2950/3 basis points.
    assert floor(grid_bp=1) == 984
    assert floor() == 1000
    assert floor(reserve_target_minor=240_000) == 1200
    assert floor(other_income_minor=2_000_000) == 0
    with pytest.raises(ValueError, match="do not pay"):
        floor(planned_fares_minor=1_000_000)
    with pytest.raises(ValueError, match="above 0"):
        floor(planned_fares_minor=0)
