"""Whole units are divided in proportion, to a unit, and add up."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.apportionment import apportion
from governance.inequality import gini


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, {"a": 1, "b": 1, "c": 1}, {"a": 34, "b": 33, "c": 33}),
        (1000, {"a": 3, "b": 3, "c": 1}, {"a": 429, "b": 428, "c": 143}),
        (1, {"b": 5, "a": 5}, {"b": 0, "a": 1}),
        (
            560_000,
            {"members": 1_575_000, "others": 225_000},
            {"members": 490_000, "others": 70_000},
        ),
        (
            490_000,
            {"reserve": 20, "education": 5, "vote": 75},
            {"reserve": 98_000, "education": 24_500, "vote": 367_500},
        ),
        (
            367_500,
            {
                "reserve": Fraction(4, 15),
                "dividend": Fraction(16, 45),
                "solidarity": Fraction(1, 5),
                "investment": Fraction(8, 45),
            },
            {"reserve": 98_000, "dividend": 130_667, "solidarity": 73_500, "investment": 65_333},
        ),
    ],
)
def test_the_published_divisions_come_out_to_the_cent(
    total: int, weights: dict[str, int | Fraction], parts: dict[str, int]
) -> None:
    assert apportion(total, weights=weights) == parts


YEAR = {
    "ada": (630_000, 1900),
    "bo": (472_500, 1500),
    "cem": (270_000, 1000),
    "dia": (135_000, 450),
    "eli": (67_500, 300),
}


@pytest.mark.parametrize(
    ("commission_part", "refunds"),
    [
        (Fraction(1), (52_267, 39_200, 22_400, 11_200, 5_600)),
        (Fraction(0), (48_207, 38_058, 25_372, 11_418, 7_612)),
        (Fraction(1, 2), (50_237, 38_629, 23_886, 11_309, 6_606)),
    ],
)
def test_the_worked_years_refunds_come_out_to_the_cent(
    commission_part: Fraction, refunds: tuple[int, ...]
) -> None:
    commission = sum(paid for paid, _ in YEAR.values())
    hours = sum(logged for _, logged in YEAR.values())
    weights: dict[str, int | Fraction] = {
        driver: commission_part * Fraction(paid, commission)
        + (1 - commission_part) * Fraction(logged, hours)
        for driver, (paid, logged) in YEAR.items()
    }
    assert tuple(apportion(130_667, weights=weights).values()) == refunds


weights_by_key = st.dictionaries(
    st.integers(0, 99), st.integers(0, 50) | st.fractions(0, 50), min_size=1, max_size=12
).filter(lambda weights: any(weights.values()))


@given(st.integers(0, 10**9), weights_by_key)
def test_parts_add_up_and_stay_within_a_unit_of_their_quota(
    total: int, weights: dict[int, int | Fraction]
) -> None:
    parts = apportion(total, weights=weights)
    whole = sum(map(Fraction, weights.values()))
    assert sum(parts.values()) == total
    assert all(abs(parts[key] - total * Fraction(weights[key]) / whole) < 1 for key in weights)


@given(st.integers(0, 1000), weights_by_key)
def test_the_order_in_which_members_are_listed_decides_nothing(
    total: int, weights: dict[int, int | Fraction]
) -> None:
    assert apportion(total, weights=dict(reversed(weights.items()))) == apportion(
        total, weights=weights
    )


@pytest.mark.parametrize(
    ("total", "weights"),
    [(-1, {"a": 1}), (1, {"a": -1, "b": 2}), (1, {"a": 0}), (1, {}), (1, {"a": 0.5})],
)
def test_what_cannot_be_divided_is_refused(total: int, weights: dict[str, int | Fraction]) -> None:
    with pytest.raises(ValueError, match=r"total|weight"):
        apportion(total, weights=weights)


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ((1, 1, 1, 1), Fraction(0)),
        ((0, 0, 0, 1), Fraction(3, 4)),
        ((1, 2, 3, 4), Fraction(1, 4)),
        ((), Fraction(0)),
        ((0, 0), Fraction(0)),
    ],
)
def test_inequality_is_measured_as_published(amounts: tuple[int, ...], expected: Fraction) -> None:
    assert gini(amounts) == expected


def test_inequality_of_a_debt_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        gini((-1, 2))
