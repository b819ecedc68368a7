"""The report as a page for people: plain words, three pictures, and how to check it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from app.transparency.plots import cost_bars, income_lines, money, ten_bar
from app.transparency.report import PURPOSES

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{cooperative}: where the money went</title>
<style>
  :root {{ color-scheme: light dark }}
  body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 2.5rem auto }}
  body {{ padding: 0 1rem }}
  h1 {{ line-height: 1.2 }} h2 {{ margin-top: 2.4rem }} small, .quiet {{ color: #777 }}
  svg {{ width: 100%; height: auto }}
  svg text {{ font: 14px system-ui, sans-serif; fill: currentColor }}
  svg text.on {{ fill: #fff; font-weight: 600 }}
  table {{ border-collapse: collapse; width: 100% }} td {{ padding: .3rem .6rem .3rem 0 }}
  td.number {{ text-align: right; font-variant-numeric: tabular-nums }}
  td.number {{ white-space: nowrap }}
  @media (min-width: 40rem) {{ td.when {{ white-space: nowrap }} }}
  code {{ overflow-wrap: anywhere }}
</style>
<h1>{cooperative}: where the money went</h1>
<p class="quiet">{span}. All amounts in {currency}.
{content}
</html>
"""
# What members vote on, as they would say it, in the order of what concerns most.
_NAMES = {
    "commission_bp": "share of each fare that the cooperative keeps",
    "surge_cap_bp": "most that a fare may be multiplied by",
    "pay_floor_per_hour_minor": "least pay for an hour with a ride",
    "pay_floor_per_km_minor": "least pay for a kilometre with a ride",
    "fairness_weight_s": "driving time that fairness may cost",
    "offer_time_s": "time to answer an offer",
    "solidarity_contribution_bp": "contribution to a gift circle, of the gift",
    "solidarity_most_bp": "most of it, while the fund is short",
    "guarantee_cap_minor": "most that the fund pays of a failed card payment",
    "gift_waiting_days": "days of illness before the first gift",
    "gift_longest_months": "months of gifts at most",
}


def render(report: Mapping[str, Any]) -> str:
    """Return a report as HTML; whatever comes from people is escaped."""
    parts = [_ten(report), _rates(report), _costs(report), _income(report), _votes(report)]
    return _PAGE.format(
        cooperative=escape(report["cooperative"]),
        currency=escape(report["currency"]),
        span=_span(report),
        content="\n".join([*parts, _checked(report)]),
    )


def render_none() -> str:
    """Return the page for who comes before anything was published."""
    return _PAGE.format(
        cooperative="Meent",
        currency="the cooperative's currency",
        span="Nothing is published yet",
        content="<p>A report appears here once a period is closed and its books are sealed.",
    )


def _ten(report: Mapping[str, Any]) -> str:
    came_in = report["came_in"]
    sources = [f"{_money(came_in['rides'], report)} came from riders"]
    if came_in["other"]:
        sources.append(f"{_money(came_in['other'], report)} from elsewhere")
    if came_in.get("missing"):
        sources.append(
            f"{_money(came_in['missing'], report)} was missing and is borne by the reserve"
        )
    rides = f", for {report['rides']:,} rides" if report["rides"] is not None else ""
    return (
        f"<h2>Of each ten</h2>\n<p>{', '.join(sources)}{rides}. Of each ten of it:\n"
        f"{ten_bar(report['of_ten'])}"
    )


def _rates(report: Mapping[str, Any]) -> str:
    shown = [rate for rate in report["rates"] if rate["key"] in _NAMES]
    order = list(_NAMES)
    rows = "\n".join(
        f"<tr><td>{_NAMES[rate['key']]}<td class=number>{_rate(rate, report)}"
        f"<td class=when>since {_moment(rate['effective_from'], report)}"
        f"<td class=when>{_decided(rate)}"
        for rate in sorted(shown, key=lambda rate: order.index(rate["key"]))
    )
    return f"<h2>What was in force</h2>\n<table>\n{rows}\n</table>"


def _decided(rate: Mapping[str, Any]) -> str:
    if rate["election_id"] is None:
        return "at founding"
    return f'<a href="/v1/elections/{rate["election_id"]}">a vote</a>'


def _rate(rate: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    key, value = rate["key"], rate["value"]
    if key == "surge_cap_bp":
        return f"{value / 10_000:g}"
    if key.endswith("_bp"):
        return f"{value / 100:g} %"
    if key.endswith("_minor"):
        return _money(value, report)
    return f"{value:g} s" if key.endswith("_s") else f"{value:g}"


def _money(minor: int, report: Mapping[str, Any]) -> str:
    return money(minor, currency=report["currency"])


def _moment(at: Any, report: Mapping[str, Any]) -> str:
    local = datetime.fromisoformat(str(at)).astimezone(ZoneInfo(report["time_zone"]))
    return f"{local:%d.%m.%Y %H:%M}"


def _costs(report: Mapping[str, Any]) -> str:
    lasting = f"<p>The reserves hold {_money(report['reserves_minor'], report)}." + _lasting(
        report["reserve_months"]
    )
    if not report["costs"]:
        return f"<h2>What the platform cost</h2>\n<p>No costs were booked.\n{lasting}"
    words = {purpose: said.split(" ", 1)[1] for purpose, said in PURPOSES.items()}
    words |= {"bad_debt": "fares that were never paid", "other": "other things"}
    bars = cost_bars(report["costs"], words=words, currency=report["currency"])
    return f"<h2>What the platform cost</h2>\n{bars}\n{lasting}"


def _lasting(months: float | None) -> str:
    if months is None:
        return ""
    how_long = f"{months:g} months" if months else "less than a tenth of a month"
    return f" That would pay such costs for {how_long}."


def _income(report: Mapping[str, Any]) -> str:
    income, head = report["income"], "<h2>What drivers earned</h2>\n"
    if income is None:
        return f"{head}<p>Fewer than {report['fewest_shown']} drivers: their incomes are not shown."
    return (
        f"{head}<p>Per hour online, of {income['drivers']} drivers: one in ten had less than the"
        " left end, half had less than the dot, one in ten had more than the right end.\n"
        f"{income_lines(income, currency=report['currency'])}\n"
        f"<p>How unequal that is (Gini, 0 is equal): {income['gini_before_refunds']:.3f} before"
        f" refunds, {income['gini_after_refunds']:.3f} after. Refunds in proportion to fares leave"
        " inequality as it is; a part by hours or by head lowers it."
    )


def _votes(report: Mapping[str, Any]) -> str:
    head = "<h2>Who voted</h2>\n"
    if not report["votes"]:
        return f"{head}<p>No vote was counted in this time."
    rows = "\n".join(
        f'<li><a href="/v1/elections/{vote["election_id"]}">A vote</a>: '
        + (
            f"{vote['turnout']:.0%} of {vote['on_the_roll']} members"
            if vote["turnout"] is not None
            else f"fewer than {report['fewest_shown']} of {vote['on_the_roll']} members voted, or"
            " did not: how many is not shown"
        )
        for vote in report["votes"]
    )
    return f"{head}<ul>\n{rows}\n</ul>"


def _checked(report: Mapping[str, Any]) -> str:
    return (
        "<h2>Check it yourself</h2>\n<p>This page was made from books that are sealed: nobody can"
        f" change them unseen. Seal {report['seal_height']}, <code>{report['seal_hash']}</code>."
        f' Take <a href="/v1/surplus/periods/{report["period_id"]}/package">the package of this'
        " period</a> and recount it with <code>meent-verify</code>: anybody can. No line in it says"
        " whose it is, nor which other lines are theirs; each driver's total is in it without a"
        " name, and who drove one single ride can be recognised by that. Drivers find their own"
        " lines and row with <code>--member</code> and check that they fit. The same figures as"
        f' <a href="/v1/transparency/{report["period_id"]}">'
        "JSON</a>."
    )


def _span(report: Mapping[str, Any]) -> str:
    last = datetime.fromisoformat(str(report["until"])) - timedelta(seconds=1)
    first, end = _day(report["since"], report), _day(last.isoformat(), report)
    return first if first == end else f"{first} to {end}"


def _day(at: Any, report: Mapping[str, Any]) -> str:
    local = datetime.fromisoformat(str(at)).astimezone(ZoneInfo(report["time_zone"]))
    return f"{local.day} {local:%B %Y}"
