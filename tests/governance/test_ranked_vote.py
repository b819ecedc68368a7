"""One of several options is chosen by orders of preference, against no change."""

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.ranked_vote import NO_CHANGE, ChoiceGround, ChoiceResult, tally_choice
from governance.tally import TWO_THIRDS
from governance.text_vote import tally_text

# Schulze's example of 45 voters (2011, §3), which no option wins against each other one.
FORTY_FIVE = {
    "acbed": 5,
    "adecb": 5,
    "bedac": 8,
    "cabed": 3,
    "caebd": 7,
    "cbade": 2,
    "dceba": 7,
    "ebadc": 8,
}


def cast(groups: dict[str, int]) -> list[tuple[str, ...]]:
    """Ballots from words of one letter per option; `.` is no change."""
    return [
        tuple(NO_CHANGE if letter == "." else letter for letter in order)
        for order, voters in groups.items()
        for _ in range(voters)
    ]


def test_the_published_example_is_won_by_its_strongest_paths() -> None:
    result = tally_choice(cast(FORTY_FIVE), options="abcde")
    assert (result.winner, result.ground) == ("e", ChoiceGround.STRONGEST_PATHS)
    a, b, c, d, e = range(5)
    counts = result.preferred
    published = [counts[a][b], counts[a][c], counts[b][d], counts[c][b], counts[d][c], counts[e][d]]
    assert published == [20, 26, 33, 29, 28, 31]


@pytest.mark.parametrize(
    ("groups", "quorum", "winner", "ground"),
    [
        ({"ab.": 3, "b.a": 2, ".ab": 2}, 0, "b", ChoiceGround.BEATS_ALL),
        ({"ab.": 3, "ba.": 2, ".ab": 2}, 0, "a", ChoiceGround.BEATS_ALL),
        ({"a.b": 2, "b.a": 2, ".": 1}, 0, NO_CHANGE, ChoiceGround.MAJORITY),
        ({"ab": 3}, 7, NO_CHANGE, ChoiceGround.QUORUM),
        ({"ab": 4}, 7, "a", ChoiceGround.BEATS_ALL),
        ({"ab": 2, "ba": 2}, 0, "a", ChoiceGround.FILED_FIRST),
        ({}, 0, NO_CHANGE, ChoiceGround.MAJORITY),
        ({}, 9, NO_CHANGE, ChoiceGround.MAJORITY),
    ],
)
def test_an_option_wins_only_if_preferred_to_no_change(
    groups: dict[str, int], quorum: int, winner: str, ground: ChoiceGround
) -> None:
    result = tally_choice(cast(groups), options="ab", quorum=quorum)
    assert (result.winner, result.ground) == (winner, ground)


@pytest.mark.parametrize(
    ("groups", "quorum", "winner"),
    [
        ({"ab.": 4, ".": 2}, 0, "a"),
        ({"ab.": 5, ".": 3}, 0, NO_CHANGE),
        ({"ab.": 4, ".": 2}, 7, NO_CHANGE),  # An empty chair is one more against.
        ({"a.b": 3, "ba.": 2, ".b": 2}, 0, "a"),  # All but two want a, all but five want b.
        ({"a.b": 2, "ba.": 2, "b.a": 2}, 0, "b"),
        ({"ab.": 4, ".": 2, "": 9}, 0, "a"),  # Who names nothing takes no side.
    ],
)
def test_rival_texts_need_the_majority_that_a_text_needs(
    groups: dict[str, int], quorum: int, winner: str
) -> None:
    result = tally_choice(cast(groups), options="ab", quorum=quorum, majority=TWO_THIRDS)
    assert result.winner == winner


@given(yes=st.integers(0, 12), no=st.integers(0, 12), quorum=st.integers(0, 20))
def test_a_lone_option_wins_exactly_where_a_text_carries(yes: int, no: int, quorum: int) -> None:
    ballots = cast({"a.": yes, ".a": no})
    choice = tally_choice(ballots, options="a", quorum=quorum, majority=TWO_THIRDS)
    text = tally_text(yes=yes, no=no, majority=TWO_THIRDS, quorum=quorum)
    assert (choice.winner == "a") == text.carried


def test_options_left_out_stand_equal_behind_those_named() -> None:
    named = tally_choice(cast({"a": 3, "b": 2}), options="abc")
    assert named.wanted == ("a", "b")
    assert named.preferred[2] == (0, 0, 0, 0)


ORDERS = ["".join(order) for order in permutations("ab.")]


def test_the_winner_raised_on_one_ballot_stays_the_winner_in_every_small_election() -> None:
    for ballots in product(ORDERS, repeat=4):
        before = tally_choice(cast_each(ballots), options="ab").winner
        letter = "." if before == NO_CHANGE else before
        raised = letter + ballots[0].replace(letter, "")
        after = tally_choice(cast_each((raised, *ballots[1:])), options="ab").winner
        assert after == before, ballots


def cast_each(orders: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [ballot for order in orders for ballot in cast({order: 1})]


elections = st.lists(st.permutations("abcd."), min_size=1, max_size=9).map(
    lambda orders: cast_each(tuple("".join(order) for order in orders))
)


def beats(result: ChoiceResult, one: str, other: str) -> bool:
    i, j = result.options.index(one), result.options.index(other)
    return result.preferred[i][j] > result.preferred[j][i]


@given(elections, st.integers(0, 12))
def test_who_beats_all_wins_and_only_the_wanted_win(
    ballots: list[tuple[str, ...]], quorum: int
) -> None:
    result = tally_choice(ballots, options="abcd", quorum=quorum)
    for option in result.options:
        if all(beats(result, option, other) for other in result.options if other != option):
            assert result.winner == option
            assert option == NO_CHANGE or result.ground is ChoiceGround.BEATS_ALL
    assert result.winner == NO_CHANGE or beats(result, result.winner, NO_CHANGE)
    assert (result.winner == NO_CHANGE) == (not result.wanted)


@given(elections)
def test_a_second_wording_of_an_idea_takes_nothing_from_it(
    ballots: list[tuple[str, ...]],
) -> None:
    twice = [
        tuple(copy for option in ballot for copy in (("a", "z") if option == "a" else (option,)))
        for ballot in ballots
    ]
    alone = tally_choice(ballots, options="abcd").winner
    beside = tally_choice(twice, options="abcdz").winner
    assert beside == alone


@pytest.mark.parametrize("ballot", [("a", "a"), ("x",), ("a", "b", "x")])
def test_a_ballot_with_an_unknown_or_repeated_option_is_refused(ballot: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="every ballot"):
        tally_choice([ballot], options="ab")


@pytest.mark.parametrize("options", [(), ("a", "a"), ("a", NO_CHANGE)])
def test_options_that_are_no_choice_are_refused(options: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="options must be"):
        tally_choice([], options=options)
