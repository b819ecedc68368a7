"""The day as an SVG: demand, drivers, riders who wait and how long; no library needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

import numpy as np

from matching.arrays import FloatArray
from matching.replay.day import Day
from matching.replay.figures import hourly
from matching.replay.income import online_s
from matching.replay.simulation import Outcome

WIDTH, PANEL_HEIGHT, GAP = 960, 150, 46
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 74, 40
AXIS = 26
MOST_BINS = 144
STEPS_S = (300.0, 900.0, 1800.0, 3600.0, 7200.0)
TICKS_H = (1, 2, 3, 6, 12, 24)
# Told apart by dashes too, for eyes and printers without colours.
STYLES = (
    ("#d98a1f", "7 3"),
    ("#c0568f", "2 3"),
    ("#2f9e77", "10 3 2 3"),
    ("#3d86d0", "none"),
    ("#8b6fd0", "4 2"),
)
STYLE_SHEET = """
text { font: 12px system-ui, sans-serif; fill: #333; }
.title { font-size: 15px; font-weight: 600; }
.axis { stroke: #999; fill: none; } .grid { stroke: #ddd; }
.area { fill: #9aa5b1; opacity: .45; } .fleet { stroke: #777; fill: none; }
.page { fill: #fff; }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd; } .page { fill: #16191d; } .grid { stroke: #333; } .fleet { stroke: #aaa; }
}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel: its values, one per bin (nan: none), and how it is drawn."""

    values: FloatArray
    style: str


def draw(start: datetime, day: Day, outcomes: Mapping[str, Outcome], *, title: str) -> str:
    """Return the picture as SVG text; it is readable on a light and on a dark page."""
    length_s = float(max(day.requests.requested_s.max(), 1.0))
    step_s = next((step for step in STEPS_S if length_s / step <= MOST_BINS), STEPS_S[-1])
    edges_s = np.arange(0, length_s + step_s, step_s)
    asked_s = day.requests.requested_s
    per_hour = np.histogram(asked_s, edges_s)[0] * 3600 / step_s
    middle_s = (edges_s[:-1] + edges_s[1:]) / 2
    colours = {name: STYLES[at % len(STYLES)] for at, name in enumerate(outcomes)}
    lines = {
        name: f'stroke="{colour}" stroke-dasharray="{dash}"'
        for name, (colour, dash) in colours.items()
    }
    on_shift = _counted(middle_s, begin_s=day.shifts.start_s, end_s=day.shifts.end_s)
    panels: tuple[tuple[str, FloatArray | None, list[Line]], ...] = (
        ("requests an hour", per_hour, []),
        (
            "drivers: on shift (grey), with a ride",
            None,
            [Line(on_shift, 'class="fleet"')]
            + [Line(_busy(one, middle_s), lines[name]) for name, one in outcomes.items()],
        ),
        (
            "riders waiting for a driver to be sent",
            None,
            [
                Line(_counted(middle_s, begin_s=asked_s, end_s=one.ended_waiting_s), lines[name])
                for name, one in outcomes.items()
            ],
        ),
        (
            "mean wait until picked up, in minutes, by time of request",
            None,
            [Line(_waits(day, one, edges_s) / 60, lines[name]) for name, one in outcomes.items()],
        ),
    )
    # Below the panels along the day one along the drivers, under an axis of its own.
    income_top = TOP + len(panels) * (PANEL_HEIGHT + GAP) + AXIS
    height = income_top + PANEL_HEIGHT + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE_SHEET}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="{LEFT}" y="24">{escape(title)}</text>',
        *_legend(lines),
    ]
    for number, (name, area, drawn) in enumerate(panels):
        top = TOP + number * (PANEL_HEIGHT + GAP)
        parts += _panel(name, area, drawn, top=top)
        parts += _hours(start, float(edges_s[-1]), top=top, labelled=number == len(panels) - 1)
    parts += _panel(
        "income per hour online, lowest to highest paid driver",
        None,
        [Line(_incomes(day, one), lines[name]) for name, one in outcomes.items()],
        top=income_top,
    )
    parts += _shares(top=income_top)
    return "\n".join([*parts, "</svg>", ""])


def _counted(moments_s: FloatArray, *, begin_s: FloatArray, end_s: FloatArray) -> FloatArray:
    """How many of the stretches [begin, end) hold each moment."""
    begun = np.searchsorted(np.sort(begin_s), moments_s, side="right")
    ended = np.searchsorted(np.sort(end_s), moments_s, side="right")
    return (begun - ended).astype(np.float64)


def _busy(outcome: Outcome, moments_s: FloatArray) -> FloatArray:
    served = outcome.served
    return _counted(
        moments_s, begin_s=outcome.ended_waiting_s[served], end_s=outcome.dropped_off_s[served]
    )


def _waits(day: Day, outcome: Outcome, edges_s: FloatArray) -> FloatArray:
    """Mean seconds from request to pickup per bin; nan where nobody asked and was served."""
    served = outcome.served
    asked_s = day.requests.requested_s[served]
    many, _ = np.histogram(asked_s, edges_s)
    total, _ = np.histogram(asked_s, edges_s, weights=outcome.picked_up_s[served] - asked_s)
    mean_s = np.full(len(many), np.nan)
    np.divide(total, many, out=mean_s, where=many > 0)
    return mean_s


def _incomes(day: Day, outcome: Outcome) -> FloatArray:
    """What the drivers kept per hour online, at each hundredth of them from the lowest paid on."""
    online = online_s(day.shifts, end_s=outcome.ended_s, until_s=np.inf)
    major = hourly(outcome.kept_minor, online_s=online) / 100
    # A debt has no place on an axis from 0.
    return (
        np.maximum(np.percentile(major, np.arange(101)), 0) if len(major) else np.full(101, np.nan)
    )


def _legend(lines: Mapping[str, str]) -> list[str]:
    parts = []
    x = LEFT
    for name, style in lines.items():
        parts.append(
            f'<line x1="{x}" y1="44" x2="{x + 26}" y2="44" stroke-width="2" {style}/>'
            f'<text x="{x + 32}" y="48">{escape(name)}</text>'
        )
        x += 60 + 7 * len(name)
    return parts


def _panel(name: str, area: FloatArray | None, drawn: Sequence[Line], *, top: float) -> list[str]:
    bottom = top + PANEL_HEIGHT
    series = [line.values for line in drawn] + ([] if area is None else [area])
    highest = _round_up(max((float(np.nanmax(v, initial=0.0)) for v in series), default=0.0))
    parts = [f'<text x="{LEFT}" y="{top - 8}">{escape(name)}</text>']
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * PANEL_HEIGHT
        parts.append(
            f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>'
            f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{share * highest:g}</text>'
        )
    if area is not None:
        steps = " ".join(_steps(area, highest, bottom))
        parts.append(f'<path class="area" d="M{LEFT} {bottom} {steps} V{bottom} Z"/>')
    for line in drawn:
        path = _path(line.values, highest, bottom)
        parts.append(f'<path d="{path}" fill="none" stroke-width="1.8" {line.style}/>')
    return parts


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _steps(values: FloatArray, highest: float, bottom: float) -> list[str]:
    many = len(values)
    return [
        f"V{bottom - value / highest * PANEL_HEIGHT:.1f} H{_x((place + 1) / many)}"
        for place, value in enumerate(values.tolist())
    ]


def _path(values: FloatArray, highest: float, bottom: float) -> str:
    many, parts, pen = len(values), [], "M"
    for place, value in enumerate(values.tolist()):
        if np.isnan(value):
            pen = "M"
            continue
        y = bottom - value / highest * PANEL_HEIGHT
        parts.append(f"{pen}{_x((place + 0.5) / many)} {y:.1f}")
        pen = "L"
    return " ".join(parts)


def _hours(start: datetime, length_s: float, *, top: float, labelled: bool) -> list[str]:
    bottom = top + PANEL_HEIGHT
    every = next((h for h in TICKS_H if length_s / 3600 / h <= 14), TICKS_H[-1])
    parts = [f'<path class="axis" d="M{LEFT} {top} V{bottom} H{WIDTH - RIGHT}"/>']
    for hour in range(0, int(length_s / 3600) + 1, every):
        x = _x(hour * 3600 / length_s)
        parts.append(f'<line class="axis" x1="{x}" y1="{bottom}" x2="{x}" y2="{bottom + 4}"/>')
        if labelled:
            at = start + timedelta(hours=hour)
            form = "%a %d" if every >= 12 else "%H:%M"
            parts.append(
                f'<text x="{x}" y="{bottom + 20}" text-anchor="middle">{at.strftime(form)}</text>'
            )
    return parts


def _shares(*, top: float) -> list[str]:
    bottom = top + PANEL_HEIGHT
    parts = [f'<path class="axis" d="M{LEFT} {top} V{bottom} H{WIDTH - RIGHT}"/>']
    for percent in range(0, 101, 25):
        x = _x(percent / 100)
        parts.append(
            f'<line class="axis" x1="{x}" y1="{bottom}" x2="{x}" y2="{bottom + 4}"/>'
            f'<text x="{x}" y="{bottom + 20}" text-anchor="middle">{percent} %</text>'
        )
    return parts


def _round_up(value: float) -> float:
    """The next of a few round numbers times a power of ten, so that half of it can be read too."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step for step in (1, 2, 4, 5, 6, 8, 10) if step * power >= value) * power)
