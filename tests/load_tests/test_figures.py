import os
import time
from itertools import pairwise

import pytest

from load_tests.cpu import family_cpu_us, parse_stat
from load_tests.figures import arrivals, percentile, rate_without


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.5, 5), (0.51, 6), (0.9, 9), (0.99, 10), (1.0, 10)]
)
def test_a_percentile_is_a_value_that_was_seen(share: float, expected: float) -> None:
    assert percentile([7, 3, 10, 1, 9, 2, 8, 4, 6, 5], share) == expected


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="values"):
        percentile([], 0.5)


def test_arrivals_come_at_the_asked_rate_at_uneven_moments() -> None:
    moments = list(arrivals(per_s=500, seconds=20, seed=1))

    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert len(moments) == pytest.approx(10_000, rel=0.05)
    assert min(gaps) >= 0
    assert max(moments) < 20
    # The spread of a Poisson stream's gaps is as large as their mean; of an even beat's, zero.
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert spread == pytest.approx(mean, rel=0.1)


def test_the_time_of_a_part_is_taken_out_of_a_rate() -> None:
    # 10 ms a round of which 2 ms are the part: 8 ms are left.
    assert rate_without(100, part_per_s=500) == pytest.approx(125)


def test_a_part_that_takes_longer_than_the_whole_is_refused() -> None:
    with pytest.raises(ValueError, match="part"):
        rate_without(500, part_per_s=400)


def test_a_process_is_read_whatever_its_name_holds() -> None:
    fields = "S 41 1 1 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 5"

    assert parse_stat(f"42 (we ird) name) {fields}") == (41, 127)


def test_work_of_this_process_shows_as_cpu_time() -> None:
    before_us = family_cpu_us(os.getpid())
    end_s = time.process_time() + 0.1
    while time.process_time() < end_s:
        pass

    assert 80_000 <= family_cpu_us(os.getpid()) - before_us <= 1_000_000
