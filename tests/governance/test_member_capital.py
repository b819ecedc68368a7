"""Capital is paid back oldest first, as far as free money reaches, never out of the reserve."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.member_capital import Lot, Means, redeem

LOTS = (Lot("2024", 100, 40), Lot("2025", 50), Lot("2026", 30))


def test_the_oldest_lot_is_paid_first_and_the_rest_waits() -> None:
    assert redeem(LOTS, means=Means(75, 0, 0, 0)) == {"2024": 60, "2025": 15}


def test_all_is_paid_where_the_means_reach() -> None:
    assert redeem(LOTS, means=Means(140, 0, 0, 0)) == {"2024": 60, "2025": 50, "2026": 30}


@pytest.mark.parametrize("means", [Means(90, 30, 30, 30), Means(0, 0, 0, 0), Means(50, 0, 0, 80)])
def test_pay_funds_and_the_reserve_are_no_means(means: Means) -> None:
    assert redeem(LOTS, means=means) == {}


def test_a_lot_never_pays_back_more_than_it_has() -> None:
    with pytest.raises(ValueError, match="2026"):
        Lot("2026", 30, 31)


@given(
    lots=st.lists(st.integers(1, 1000), max_size=6), bank=st.integers(0, 5000), kept=st.integers(0)
)
def test_what_is_paid_never_touches_what_is_kept(lots: list[int], bank: int, kept: int) -> None:
    owned = [Lot(str(at), amount) for at, amount in enumerate(lots)]

    paid = sum(redeem(owned, means=Means(bank, 0, 0, kept)).values())

    assert paid == min(sum(lots), max(0, bank - kept))
