"""The simulated fund as an SVG: what is in it month by month, and what is contributed."""

from html import escape

import numpy as np
from numpy.typing import NDArray

from governance.solidarity.ruin import RuinReport

WIDTH, PANEL_HEIGHT = 960, 220
LEFT, RIGHT, TOP, GAP = 84, 24, 76, 64
STYLE_SHEET = """
text { font: 12px system-ui, sans-serif; fill: #333; }
.title { font-size: 15px; font-weight: 600; }
.grid { stroke: #ddd; } .band { fill: #3d86d0; opacity: .22; }
.middle { stroke: #3d86d0; fill: none; stroke-width: 2; }
.rate { stroke: #c0568f; fill: none; stroke-width: 2; } .page { fill: #fff; }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd; } .page { fill: #16191d; } .grid { stroke: #333; }
}
"""

type Values = NDArray[np.float64]


def draw(report: RuinReport, *, title: str) -> str:
    """Return the picture as SVG text; it is readable on a light and on a dark page."""
    height = TOP + 2 * (PANEL_HEIGHT + GAP)
    low, middle, high = report.fund_minor / 100
    rate = report.rate_bp / 100
    said = (
        f"The fund ran dry in {report.ruined} of {report.seeds} simulated stretches of"
        f" {report.scenario.months} months."
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE_SHEET}</style>",
        f'<rect class="page" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="{LEFT}" y="24">{escape(title)}</text>',
        f'<text x="{LEFT}" y="44">{escape(said)}</text>',
    ]
    parts += _panel("in the fund: the middle case, and nine of ten cases", high.max(), top=TOP)
    most = _round_up(float(high.max()))
    band = [*_points(high, most, top=TOP), *reversed(_points(low, most, top=TOP))]
    parts.append(f'<polygon class="band" points="{" ".join(band)}"/>')
    parts.append(f'<polyline class="middle" points="{" ".join(_points(middle, most, top=TOP))}"/>')
    below = TOP + PANEL_HEIGHT + GAP
    parts += _panel("contributed a month, in % of the chosen gift, mean", rate.max(), top=below)
    line = _points(rate, _round_up(float(rate.max())), top=below)
    parts.append(f'<polyline class="rate" points="{" ".join(line)}"/>')
    parts += _years(report.scenario.months, top=below)
    return "\n".join([*parts, "</svg>", ""])


def _panel(name: str, highest: float, *, top: int) -> list[str]:
    bottom, most = top + PANEL_HEIGHT, _round_up(highest)
    parts = [f'<text x="{LEFT}" y="{top - 8}">{escape(name)}</text>']
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * PANEL_HEIGHT
        parts.append(
            f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}"/>'
            f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{share * most:,.10g}</text>'
        )
    return parts


def _points(values: Values, most: float, *, top: int) -> list[str]:
    bottom, step = top + PANEL_HEIGHT, (WIDTH - LEFT - RIGHT) / max(len(values) - 1, 1)
    return [
        f"{LEFT + at * step:.1f},{bottom - value / most * PANEL_HEIGHT:.1f}"
        for at, value in enumerate(values.tolist())
    ]


def _years(months: int, *, top: int) -> list[str]:
    bottom, step = top + PANEL_HEIGHT, (WIDTH - LEFT - RIGHT) / max(months - 1, 1)
    return [
        f'<text x="{LEFT + at * step:.1f}" y="{bottom + 20}" text-anchor="middle">'
        f"year {at // 12 + 1}</text>"
        for at in range(0, months, 12)
    ]


def _round_up(value: float) -> float:
    """The next of a few round numbers times a power of ten, so that half of it can be read too."""
    if value <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step for step in (1, 2, 4, 5, 6, 8, 10) if step * power >= value) * power)
