"""How long each part of the demo's assembly lasts: its own short windows, which fit into the hour.

A real city's statutes speak of days. Here every window is a part of the hour that is played, and
never shorter in real time than the machine needs for the work in it.
"""

from dataclasses import asdict, dataclass
from math import ceil

# Rides go on after what was voted is in force: the windows leave that much of the hour.
LATEST_SHARE = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Whole seconds of the city's time; `joining` is the demo's, the others are the statutes'."""

    joining: int  # the members-to-be apply, one after the other
    support: int
    deliberation: int
    signing: int
    credentials: int
    voting: int
    counting: int
    objection: int
    notice: int

    def as_dict(self) -> dict[str, int]:
        """The windows by their names, in their order."""
        return asdict(self)

    @property
    def total_s(self) -> int:
        """The longest that all of it may take."""
        return sum(self.as_dict().values())

    @property
    def statutes(self) -> dict[str, int]:
        """The windows as the statutes name them, in seconds."""
        return {f"{name}_s": s for name, s in self.as_dict().items() if name != "joining"}


@dataclass(frozen=True, slots=True)
class _Least:
    """A window's share of the hour, and the real seconds that its work needs."""

    share: float
    real_s: float


# Signing holds the making of four RSA keys, counting the check of every stamp in the box.
_WINDOWS = {
    "joining": _Least(0.10, 6),
    "support": _Least(0.05, 3),
    "deliberation": _Least(0.025, 1.5),
    "signing": _Least(0.075, 6),
    "credentials": _Least(0.075, 4),
    "voting": _Least(0.125, 6),
    "counting": _Least(0.075, 6),
    "objection": _Least(0.05, 2),
    "notice": _Least(0.025, 1),
}


def plan_windows(*, minutes: float, speed: float) -> Windows | None:
    """Return the windows of an hour of so many minutes at a speed; None where none fit into it."""
    hour_s = minutes * 60
    windows = Windows(
        **{
            name: ceil(max(least.share * hour_s, least.real_s * speed))
            for name, least in _WINDOWS.items()
        }
    )
    return windows if windows.total_s <= LATEST_SHARE * hour_s else None


def least_real_s() -> int:
    """Return the real seconds that an hour must last to hold an assembly."""
    # At the pace of life: what a window lasts depends on real seconds alone then.
    real_s = 1
    while plan_windows(minutes=real_s / 60, speed=1) is None:
        real_s += 1
    return real_s


def in_words(windows: Windows) -> str:
    """Return the windows for people: "support 2 min, deliberation 1 min"."""
    return ", ".join(f"{name} {_minutes(s)}" for name, s in windows.as_dict().items())


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f}".removesuffix(".0") + " min"
