"""The report's pictures as SVG; readable on light and dark pages, and without colours."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from app.foundation.money import readable

WIDTH = 720
COLOURS = ("#2f9e77", "#3d86d0", "#d98a1f", "#8b6fd0", "#c0568f", "#6b7785", "#a3b545", "#4fb3bf")


def money(minor: int, *, currency: str) -> str:
    """Return an amount as the page shows it; in which currency is said once, above."""
    return readable(minor, currency=currency, apart=",")


def ten_bar(parts: Sequence[Mapping[str, Any]]) -> str:
    """Return ten of the currency as one bar, each part as long as its share, and what each is."""
    row, bar = 26, 54
    height = bar + 18 + row * len(parts)
    left, shapes, lines = 0.0, [], []
    for at, part in enumerate(parts):
        wide, share = WIDTH * part["of_ten_minor"] / 1000, f"{part['of_ten_minor'] / 100:.2f}"
        colour = COLOURS[at % len(COLOURS)]
        shapes.append(
            f'<rect x="{left:.1f}" width="{wide:.1f}" height="{bar}" fill="{colour}"'
            ' stroke="white" stroke-width="1"/>'
        )
        if wide > 60:
            shapes.append(f'<text x="{left + 10:.1f}" y="{bar / 2 + 6}" class="on">{share}</text>')
        middle = bar + 18 + row * at + row / 2
        lines.append(
            f'<rect x="0" y="{middle - 8:.1f}" width="16" height="16" fill="{colour}"/>'
            f'<text x="80" y="{middle + 5:.1f}" text-anchor="end">'
            f"{share}</text>"
            f'<text x="92" y="{middle + 5:.1f}">{escape(part["words"])}</text>'
        )
        left += wide
    title = "Where each ten that came in went"
    return _picture(height, title=title, content="".join(shapes + lines))


def cost_bars(costs: Mapping[str, int], *, words: Mapping[str, str], currency: str) -> str:
    """Return a bar for each purpose, the largest first."""
    ordered = sorted(costs.items(), key=lambda cost: -cost[1])
    most = max((minor for _, minor in ordered), default=1)
    row = 30
    content = "".join(
        f'<text x="0" y="{row * at + 20}">{escape(words.get(purpose, purpose))}</text>'
        f'<rect x="300" y="{row * at + 6}" height="18" width="{310 * max(minor, 0) / most:.1f}"'
        f' fill="{COLOURS[1]}"/>'
        f'<text x="{WIDTH}" y="{row * at + 20}" text-anchor="end">'
        f"{money(minor, currency=currency)}</text>"
        for at, (purpose, minor) in enumerate(ordered)
    )
    return _picture(row * len(ordered), title="What the platform cost", content=content)


def income_lines(income: Mapping[str, Any], *, currency: str) -> str:
    """Return what drivers earned per hour, from the tenth to the nine tenths, before and after."""
    rows = (
        ("before refunds", income["per_hour_before_minor"], COLOURS[2]),
        ("after refunds", income["per_hour_after_minor"], COLOURS[0]),
    )
    most = max(max(spread.values()) for _, spread, _ in rows) or 1
    left, row, content = 130, 64, []
    for at, (name, spread, colour) in enumerate(rows):
        y = row * at + 34
        low, half, high = (
            left + (WIDTH - left - 60) * spread[part] / most for part in ("p10", "p50", "p90")
        )
        content.append(
            f'<text x="0" y="{y + 5}">{name}</text>'
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{colour}"'
            ' stroke-width="6" stroke-linecap="round"/>'
            f'<circle cx="{half:.1f}" cy="{y}" r="9" fill="{colour}" stroke="white"/>'
        )
        content += [
            f'<text x="{x:.1f}" y="{y + shift}" text-anchor="middle">'
            f"{money(spread[part], currency=currency)}</text>"
            for part, x, shift in (("p10", low, 26), ("p50", half, -16), ("p90", high, 26))
        ]
    return _picture(row * len(rows) + 6, title="Income per hour online", content="".join(content))


def _picture(height: float, *, title: str, content: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>{content}</svg>"
    )
