import pytest

from matching.assignment import Limits, solve
from tests.matching.instances import candidates, problem

ROOMY = Limits()


def test_pairings_are_read_like_any_sequence() -> None:
    asked = problem(3, 4)
    table = candidates([[60, 120, 300, 400], [90, 50, 70, 400], [10, 20, 40, None]])
    pairings = solve(asked, table, limits=ROOMY, seed=7).pairings
    every = tuple(pairings)
    assert [one.rider for one in every] == [0, 1, 2]
    assert pairings == every
    assert pairings != every[:2]
    assert (pairings[0], pairings[-1], pairings[1:]) == (every[0], every[2], every[1:])
    assert every[1] in pairings
    with pytest.raises(IndexError):
        pairings[3]
