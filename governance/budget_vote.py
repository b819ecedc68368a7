"""Divides a surplus over pots from everybody's own division, by independent markets."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from governance.tally import empty_chairs


@dataclass(frozen=True, slots=True)
class BudgetTerms:
    """What the manifest fixes about a division before anybody votes.

    `present` is how the pots are divided now, in points that add up to `points`; a ballot has the
    same form. Few points, since a fine division is a fingerprint of its ballot. Refused
    (ValueError): fewer than two pots, a pot twice, a present division that does not add up.
    """

    pots: tuple[str, ...]
    present: tuple[int, ...]
    points: int = 10

    def __post_init__(self) -> None:
        if len(self.pots) < 2 or len(set(self.pots)) != len(self.pots):
            raise ValueError("a division needs two or more different pots")
        if self.points < 1 or not self.admits(self.present):
            raise ValueError(f"the present division must give {self.points} points to the pots")

    def admits(self, ballot: Sequence[int]) -> bool:
        """Whether a ballot may be cast: whole points for each pot, all points given away."""
        whole = all(type(asked) is int and asked >= 0 for asked in ballot)
        return whole and len(ballot) == len(self.pots) and sum(ballot) == self.points


@dataclass(frozen=True, slots=True)
class PotShare:
    """One pot's share of the whole, and how many seats asked for that much or more."""

    pot: str
    share: Fraction
    backers: int


@dataclass(frozen=True, slots=True)
class BudgetResult:
    """Shares that add up to exactly 1, and how loud everybody's equal voice became.

    `voice` is the part of the whole that each seat lent to every pot it asked for.
    `held_by_quorum` says that without the empty chairs the shares would have been others.
    """

    shares: tuple[PotShare, ...]
    voice: Fraction
    ballots: int
    empty_chairs: int
    held_by_quorum: bool


def tally_budget(
    ballots: Sequence[Sequence[int]], *, terms: BudgetTerms, quorum: int = 0
) -> BudgetResult:
    """Divide the whole over the pots by the independent-markets mechanism, exactly.

    Everybody has the same voice t. A pot's share is the largest x for which t times the number
    of seats that asked for x or more reaches x; t grows until the shares add up to 1. Seats
    missing to the quorum count as ballots for the present division, as do all when none is cast.

    Source: R. Freeman, D. M. Pennock, D. Peters, J. Wortman Vaughan, "Truthful aggregation of
    budget proposals", EC 2019 (arXiv 1905.00457): nobody who measures a division by its total
    distance from her own gains by a lie, and camps that want one pot each get their proportion.
    Refused (ValueError): a ballot that the terms do not admit.
    """
    if not all(terms.admits(ballot) for ballot in ballots):
        raise ValueError(f"every ballot must give {terms.points} whole points to the pots")
    missing = empty_chairs(quorum=quorum, cast=len(ballots))
    seats = [*ballots, *[terms.present] * missing] or [terms.present]
    columns = _columns(seats)
    voice, shares = _clear(columns, terms.points)
    alone = _clear(_columns(ballots), terms.points)[1] if missing and ballots else shares
    named = tuple(
        PotShare(pot, share, sum(asked >= share * terms.points for asked in column))
        for pot, share, column in zip(terms.pots, shares, columns, strict=True)
    )
    return BudgetResult(named, voice, len(ballots), missing, held_by_quorum=alone != shares)


def _columns(seats: Sequence[Sequence[int]]) -> list[list[int]]:
    """Per pot, what the seats asked for it, largest first."""
    return [sorted(asked, reverse=True) for asked in zip(*seats, strict=True)]


def _clear(columns: list[list[int]], points: int) -> tuple[Fraction, tuple[Fraction, ...]]:
    """Return the least voice at which all shares add up to 1, and the shares.

    Every share is a continuous function of the voice, made of straight pieces which end where
    k voices reach what the k-th or the next seat asked. Between two ends the sum is a straight
    line, so the voice is found without rounding.
    """
    ends = {Fraction(0)}
    for column in columns:
        for k, asked in enumerate(column, start=1):
            ends.add(Fraction(asked, k))
            if k < len(column):
                ends.add(Fraction(column[k], k))
    voices = sorted(ends)
    at = bisect_left(voices, Fraction(points), key=lambda voice: _sum(columns, voice))
    below, above = _sum(columns, voices[at - 1]), _sum(columns, voices[at])
    rest = (points - below) / (above - below)
    voice = voices[at - 1] + rest * (voices[at] - voices[at - 1])
    shares = tuple(_price(column, voice) / points for column in columns)
    assert sum(shares) == 1, "independent markets clear exactly"
    return voice / points, shares


def _sum(columns: list[list[int]], voice: Fraction) -> Fraction:
    return sum((_price(column, voice) for column in columns), Fraction())


def _price(column: list[int], voice: Fraction) -> Fraction:
    """Return the largest x, in points, for which the voices of those who asked x reach x."""
    # As k grows, the k-th largest ask falls and k voices rise: the price is where they cross.
    reached = bisect_left(range(1, len(column) + 1), True, key=lambda k: column[k - 1] < voice * k)
    after = column[reached] if reached < len(column) else 0
    return max(voice * reached, Fraction(after))
