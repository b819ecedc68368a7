"""Chooses one of several options, or no change, from everybody's order of preference."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from governance.tally import MORE_THAN_HALF, Majority, empty_chairs

# The option that is always there: leave it as it is.
NO_CHANGE = "no_change"

type Counts = tuple[tuple[int, ...], ...]


class ChoiceGround(StrEnum):
    """Why the winner won."""

    BEATS_ALL = "beats_all"  # preferred to each other wanted option, one against one
    STRONGEST_PATHS = "strongest_paths"  # preferences run in a circle; cut at its weakest link
    FILED_FIRST = "filed_first"  # equal in everything; the one proposed first
    QUORUM = "quorum"  # no change, since too many chairs stayed empty
    MAJORITY = "majority"  # no change, since no option is preferred to it


@dataclass(frozen=True, slots=True)
class ChoiceResult:
    """The winner, why, and the counts behind it.

    `wanted` are the options that the majority asked prefers to no change. `preferred[i][j]` is how
    many seats prefer `options[i]` to `options[j]`; no change stands last in `options`, empty
    chairs included.
    """

    winner: str
    ground: ChoiceGround
    options: tuple[str, ...]
    wanted: tuple[str, ...]
    preferred: Counts
    ballots: int
    empty_chairs: int


def admits(ballot: Sequence[str], *, options: Sequence[str]) -> bool:
    """Whether a ballot may be cast: known options or no change, each once, best first."""
    return len(set(ballot)) == len(ballot) and set(ballot) <= {*options, NO_CHANGE}


def tally_choice(
    ballots: Sequence[Sequence[str]],
    *,
    options: Sequence[str],
    quorum: int = 0,
    majority: Majority = MORE_THAN_HALF,
) -> ChoiceResult:
    """Choose among the options that are preferred to no change, by Schulze's method.

    A ballot names options, best first; what it leaves out stands equal behind what it names.
    Seats missing to the quorum count as ballots for no change alone. An option is wanted if of the
    seats that tell it from no change a `majority` prefers it: where the statutes ask two thirds for
    a text, they ask them for each of its rival wordings too. Among the wanted ones Schulze's
    strongest paths decide, measured by the seats that prefer; `options` is the order of filing
    and breaks what is equal then. Rival wordings of one idea do not take votes from each other.

    Source: M. Schulze, "A new monotonic, clone-independent, reversal symmetric, and
    Condorcet-consistent single-winner election method", Social Choice and Welfare 36 (2011). No
    rule for three or more options is free of useful lies (Gibbard 1973, Satterthwaite 1975), and
    none that elects who beats all is free of better staying home (Moulin 1988): a question that
    can be asked as a number should be. Refused (ValueError): no option, an option twice or named
    no change, a ballot that is not admitted.
    """
    if not options or len({*options, NO_CHANGE}) != len(options) + 1:
        raise ValueError("options must be different from each other and from no change")
    if not all(admits(ballot, options=options) for ballot in ballots):
        raise ValueError("every ballot must name known options, each once")
    everything = (*options, NO_CHANGE)
    missing = empty_chairs(quorum=quorum, cast=len(ballots))
    cast = _counts(ballots, everything)
    counts = _counts([*ballots, *[(NO_CHANGE,)] * missing], everything)
    wanted = _wanted(counts, majority)
    if wanted:
        first, ground = _strongest(counts, wanted)
        winner = everything[first]
    else:
        winner = NO_CHANGE
        ground = ChoiceGround.QUORUM if _wanted(cast, majority) else ChoiceGround.MAJORITY
    named = tuple(everything[option] for option in wanted)
    return ChoiceResult(winner, ground, everything, named, counts, len(ballots), missing)


def _counts(ballots: Sequence[Sequence[str]], options: Sequence[str]) -> Counts:
    """Return how many ballots prefer each option to each other one."""
    counts = [[0] * len(options) for _ in options]
    for ballot in ballots:
        rank = {option: place for place, option in enumerate(ballot)}
        places = [rank.get(option, len(ballot)) for option in options]
        for i, mine in enumerate(places):
            for j, other in enumerate(places):
                counts[i][j] += mine < other
    return tuple(map(tuple, counts))


def _wanted(counts: Counts, majority: Majority) -> list[int]:
    """Return the options that a majority prefers to no change, which is last."""
    last = len(counts) - 1
    return [
        option
        for option in range(last)
        if counts[option][last] >= majority.seats(of=counts[option][last] + counts[last][option])
    ]


def _strongest(counts: Counts, wanted: Sequence[int]) -> tuple[int, ChoiceGround]:
    """Return the first wanted option that no other has a stronger path against, and why."""
    for one in wanted:
        if all(counts[one][other] > counts[other][one] for other in wanted if other != one):
            return one, ChoiceGround.BEATS_ALL
    # A path is as strong as its weakest link, and only a won comparison is a link.
    path = {
        (i, j): counts[i][j] if counts[i][j] > counts[j][i] else 0 for i in wanted for j in wanted
    }
    for via in wanted:
        for i in wanted:
            for j in wanted:
                path[i, j] = max(path[i, j], min(path[i, via], path[via, j]))
    unbeaten = [
        one for one in wanted if all(path[one, other] >= path[other, one] for other in wanted)
    ]
    assert unbeaten, "Schulze's relation always has an unbeaten option"
    ground = ChoiceGround.STRONGEST_PATHS if len(unbeaten) == 1 else ChoiceGround.FILED_FIRST
    return unbeaten[0], ground
