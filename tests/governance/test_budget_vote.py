"""A surplus is divided by everybody's own division, in proportion and without a useful lie."""

from fractions import Fraction
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.apportionment import apportion
from governance.budget_vote import BudgetResult, BudgetTerms, tally_budget

POTS = ("reserve", "dividend", "solidarity", "investment")
PERCENT = BudgetTerms(POTS, (25, 25, 25, 25), points=100)
SEVEN = (
    (40, 30, 20, 10),
    (20, 60, 10, 10),
    (30, 40, 10, 20),
    (10, 70, 10, 10),
    (25, 25, 25, 25),
    (50, 20, 20, 10),
    (0, 100, 0, 0),
)

type Ballot = tuple[int, ...]


def shares(result: BudgetResult) -> tuple[Fraction, ...]:
    return tuple(pot.share for pot in result.shares)


def test_the_seven_published_ballots_divide_as_published() -> None:
    result = tally_budget(SEVEN, terms=PERCENT)
    assert shares(result) == (Fraction(4, 15), Fraction(16, 45), Fraction(1, 5), Fraction(8, 45))
    assert result.voice == Fraction(4, 45)
    assert [pot.backers for pot in result.shares] == [3, 4, 3, 2]
    cents = apportion(1_000_000, weights={pot.pot: pot.share for pot in result.shares})
    assert list(cents.values()) == [266_667, 355_555, 200_000, 177_778]


def test_camps_that_want_one_pot_each_get_their_proportion() -> None:
    terms = BudgetTerms(("a", "b", "c"), (1, 0, 0), points=1)
    ballots = [(1, 0, 0)] * 3 + [(0, 1, 0)] * 2 + [(0, 0, 1)]
    result = tally_budget(ballots, terms=terms)
    assert shares(result) == (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6))


def test_unanimous_members_get_what_they_ask() -> None:
    result = tally_budget([SEVEN[0]] * 4, terms=PERCENT)
    assert shares(result) == tuple(Fraction(points, 100) for points in SEVEN[0])
    assert not result.held_by_quorum


def test_empty_chairs_speak_for_the_present_division_and_the_result_says_so() -> None:
    terms = BudgetTerms(("a", "b"), (10, 0), points=10)
    result = tally_budget([(0, 10)] * 2, terms=terms, quorum=8)
    assert shares(result) == (Fraction(3, 4), Fraction(1, 4))
    assert (result.ballots, result.empty_chairs, result.held_by_quorum) == (2, 6, True)


@pytest.mark.parametrize("quorum", [0, 5])
def test_without_ballots_the_present_division_stays(quorum: int) -> None:
    result = tally_budget([], terms=PERCENT, quorum=quorum)
    assert shares(result) == (Fraction(1, 4),) * 4
    assert not result.held_by_quorum


def divisions(points: int, pots: int) -> list[Ballot]:
    """Every way to give points to pots."""
    return [cut for cut in product(range(points + 1), repeat=pots) if sum(cut) == points]


def distance(result: BudgetResult, *, wish: Ballot, points: int) -> Fraction:
    """How far a division is from a wish, summed over the pots."""
    pairs = zip(shares(result), wish, strict=True)
    return sum((abs(share - Fraction(asked, points)) for share, asked in pairs), Fraction())


@pytest.mark.parametrize(("points", "pots", "voters"), [(4, 2, 3), (3, 3, 2), (2, 4, 2)])
def test_no_lie_brings_the_division_nearer_in_any_small_election(
    points: int, pots: int, voters: int
) -> None:
    every = divisions(points, pots)
    terms = BudgetTerms(POTS[:pots], every[0], points=points)
    outcomes = {
        ballots: tally_budget(ballots, terms=terms) for ballots in product(every, repeat=voters)
    }
    for ballots, honest in outcomes.items():
        wish, others = ballots[0], ballots[1:]
        nearest = distance(honest, wish=wish, points=points)
        for lie in every:
            lied = outcomes[(lie, *others)]
            assert distance(lied, wish=wish, points=points) >= nearest, (ballots, lie)


def test_the_same_check_finds_a_useful_lie_against_the_mean() -> None:
    wish, other = (6, 4), (0, 10)
    mean = [Fraction(a + b, 20) for a, b in zip(wish, other, strict=True)]
    lied = [Fraction(a + b, 20) for a, b in zip((10, 0), other, strict=True)]
    wanted = [Fraction(points, 10) for points in wish]

    def off(division: list[Fraction]) -> Fraction:
        return sum((abs(a - b) for a, b in zip(division, wanted, strict=True)), Fraction())

    assert off(lied) < off(mean)


@st.composite
def ballots_of(draw: st.DrawFn, *, pots: int = 4, points: int = 20) -> Ballot:
    cuts = sorted(draw(st.lists(st.integers(0, points), min_size=pots - 1, max_size=pots - 1)))
    return tuple(high - low for low, high in pairwise((0, *cuts, points)))


TWENTY = BudgetTerms(POTS, (5, 5, 5, 5), points=20)


@given(st.lists(ballots_of(), min_size=1, max_size=7), ballots_of(), st.integers(0, 9))
def test_no_lie_of_any_voter_brings_the_division_nearer(
    ballots: list[Ballot], lie: Ballot, quorum: int
) -> None:
    honest = tally_budget(ballots, terms=TWENTY, quorum=quorum)
    lied = tally_budget([lie, *ballots[1:]], terms=TWENTY, quorum=quorum)
    assert distance(lied, wish=ballots[0], points=20) >= distance(
        honest, wish=ballots[0], points=20
    )


@given(st.lists(ballots_of(), min_size=1, max_size=9))
def test_shares_are_what_the_voices_reach_and_add_up_to_one(ballots: list[Ballot]) -> None:
    result = tally_budget(ballots, terms=TWENTY)
    assert sum(shares(result)) == 1
    for pot, asked in zip(result.shares, zip(*ballots, strict=True), strict=True):
        # By definition: the largest x whose supporters' voices reach it, tried at every x.
        tried = {Fraction(points, 20) for points in asked}
        tried |= {result.voice * k for k in range(len(ballots) + 1)}
        reached = [x for x in tried if result.voice * sum(Fraction(p, 20) >= x for p in asked) >= x]
        assert pot.share == max(reached)
        assert pot.backers == sum(Fraction(points, 20) >= pot.share for points in asked)


@given(st.lists(ballots_of(), min_size=1, max_size=6), st.permutations(range(4)))
def test_pots_and_voters_are_treated_alike(ballots: list[Ballot], order: list[int]) -> None:
    renamed = [tuple(ballot[pot] for pot in order) for ballot in reversed(ballots)]
    expected = shares(tally_budget(ballots, terms=TWENTY))
    turned = shares(tally_budget(renamed, terms=TWENTY))
    assert turned == tuple(expected[pot] for pot in order)


@pytest.mark.parametrize("ballot", [(5, 5, 5), (5, 5, 5, 4), (25, -5, 0, 0), (5.0, 5, 5, 5)])
def test_a_ballot_that_does_not_give_all_points_away_is_refused(ballot: Ballot) -> None:
    with pytest.raises(ValueError, match="every ballot must give 20"):
        tally_budget([ballot], terms=TWENTY)


@pytest.mark.parametrize(
    ("pots", "present", "points"),
    [(("a",), (1,), 1), (("a", "a"), (1, 0), 1), (("a", "b"), (1, 1), 1), (("a", "b"), (0, 0), 0)],
)
def test_terms_that_divide_nothing_are_refused(
    pots: tuple[str, ...], present: Ballot, points: int
) -> None:
    with pytest.raises(ValueError, match="division"):
        BudgetTerms(pots, present, points=points)
