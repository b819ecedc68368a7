import numpy as np
import pytest

from load_tests.assignment import clustered_city
from load_tests.search import FOLLOWED, REACH_M, STEP_M, made_pings, recall, true_nearest
from load_tests.search import textbook_nearest as by_rings
from matching.candidates import find_candidates
from matching.travel import great_circle_m


def test_ours_finds_exactly_the_true_nearest() -> None:
    problem = clustered_city(300, 600, seed=3)
    truth, farthest_m = true_nearest(problem, k=20)
    edges = find_candidates(problem, per_rider=20, per_driver=0)
    found = [part.tolist() for part in np.split(edges.driver, edges.starts[1:-1])]
    assert recall(found, truth=truth) == 1
    assert [len(own) for own in found] == [len(own) for own in truth]
    assert 0 < farthest_m.max() <= REACH_M


def test_the_textbook_index_finds_nearly_all_of_the_nearest() -> None:
    problem = clustered_city(300, 600, seed=3)
    truth, _ = true_nearest(problem, k=20)
    assert recall(by_rings(problem, k=20), truth=truth) > 0.98


@pytest.mark.parametrize(
    ("found", "share"), [([["1", "2"], ["3"]], 1.0), ([[2], [4, 3]], 2 / 3), ([[], []], 0.0)]
)
def test_recall_is_the_share_of_the_true_nearest_found(
    found: list[list[int]], share: float
) -> None:
    assert recall(found, truth=[[1, 2], [3]]) == share


def test_each_driver_reports_again_one_step_farther() -> None:
    pings = made_pings(seed=1, turns=2)
    first, second = slice(0, FOLLOWED), slice(FOLLOWED, 2 * FOLLOWED)
    assert pings.ids[first] == pings.ids[second]
    moved_m = great_circle_m(
        from_lat=pings.lat[first],
        from_lng=pings.lng[first],
        to_lat=pings.lat[second],
        to_lng=pings.lng[second],
    )
    assert np.quantile(moved_m, [0, 1]) == pytest.approx([STEP_M, STEP_M], rel=0.02)
    assert (np.diff(pings.at_s) > 0).all()
