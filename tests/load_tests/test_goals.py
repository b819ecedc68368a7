import math

import pytest

from load_tests.goals import Goal


@pytest.mark.parametrize(
    ("value", "met"), [(15.0, True), (14.99, False), (math.nan, False), (math.inf, True)]
)
def test_a_goal_with_a_least_value_is_met_from_there_on(value: float, *, met: bool) -> None:
    assert Goal(what="times faster", value=value, at_least=15).is_met is met


@pytest.mark.parametrize(("value", "met"), [(0.85, True), (0.851, False), (math.nan, False)])
def test_a_goal_with_a_greatest_value_is_met_up_to_there(value: float, *, met: bool) -> None:
    assert Goal(what="mean wait", value=value, at_most=0.85).is_met is met


@pytest.mark.parametrize("limits", [{}, {"at_least": 1.0, "at_most": 2.0}])
def test_a_goal_has_exactly_one_limit(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="mean wait: a goal has one limit"):
        Goal(what="mean wait", value=1, **limits)


def test_a_goal_is_kept_with_its_verdict() -> None:
    assert Goal(what="mean wait", value=0.9, at_most=0.85).as_json() == {
        "what": "mean wait",
        "value": 0.9,
        "at_least": None,
        "at_most": 0.85,
        "met": False,
    }
