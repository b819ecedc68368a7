"""What a benchmark promises: a measured ratio, and the least or most that it may be."""

from dataclasses import dataclass
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One measured `value` beside its limit; exactly one of `at_least` and `at_most` is given."""

    what: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    def __post_init__(self) -> None:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"{self.what}: a goal has one limit, at_least or at_most")

    @property
    def is_met(self) -> bool:
        """Whether the value keeps to its limit; what is not a number keeps to none."""
        if self.at_least is not None:
            return self.value >= self.at_least
        assert self.at_most is not None
        return self.value <= self.at_most

    @property
    def limit(self) -> str:
        """The limit as a table shows it."""
        return f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"

    def as_json(self) -> dict[str, Any]:
        """The goal as the report files hold it."""
        return {
            "what": self.what,
            "value": self.value,
            "at_least": self.at_least,
            "at_most": self.at_most,
            "met": self.is_met,
        }


def goals_table(goals: list[Goal], *, title: str) -> Table:
    """One line per goal: what was measured, the value, its limit, and whether it was met."""
    table = Table("goal", "measured", "asked", "", title=title, title_justify="left")
    for goal in goals:
        met = "met" if goal.is_met else "[bold]not met[/bold]"
        table.add_row(goal.what, f"{goal.value:.3g}", goal.limit, met)
    return table
