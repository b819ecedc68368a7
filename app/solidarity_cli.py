"""`meent solidarity`: draw many decades and count in how many the fund runs dry."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help answers at once

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.terminal import print_json, print_table, say
from governance.solidarity.rules import DEFAULT_RULES, SolidarityRules

if TYPE_CHECKING:
    from governance.solidarity.ruin import RuinReport

solidarity = typer.Typer(help="What the solidarity fund can bear.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@solidarity.callback()
def _group() -> None:
    """What the solidarity fund can bear."""


@solidarity.command()
def simulate(
    *,
    seeds: Annotated[int, typer.Option(min=1, max=1_000_000, help="Decades to draw.")] = 10_000,
    members: Annotated[int, typer.Option(min=1, max=100_000, help="Members of circles.")] = 200,
    years: Annotated[int, typer.Option(min=1, max=50, help="How long each lasts.")] = 10,
    start_months: Annotated[
        int, typer.Option(min=0, max=60, help="Months of expected payments in the fund at first.")
    ] = 3,
    contribution_bp: Annotated[
        int, typer.Option(min=0, max=3_000, help="Basis points of the chosen gift, paid a month.")
    ] = DEFAULT_RULES.contribution_bp,
    most_bp: Annotated[
        int, typer.Option(min=0, max=3_000, help="The same at most, while the fund is short.")
    ] = DEFAULT_RULES.contribution_most_bp,
    as_json: AsJson = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the fund as an SVG here.")] = None,
) -> None:
    """Count in how many drawn decades the fund could not pay a month in full.

    What is assumed, and by which source, is said. The same seeds give the same answer.

    A single circle is too few for a fund of its own: try --members 50.
    """
    from app.solidarity.plot import draw
    from governance.solidarity.ruin import Scenario
    from governance.solidarity.ruin import simulate as run_decades

    rules = SolidarityRules(contribution_bp=contribution_bp, contribution_most_bp=most_bp)
    scenario = Scenario(members=members, months=12 * years, start_months=start_months, rules=rules)

    def tell(done: int) -> None:
        say(f"{done:,} of {seeds:,} drawn")

    report = run_decades(scenario, seeds=seeds, tell=tell)
    if plot is not None:
        title = f"A solidarity fund of {members} members over {years} years"
        plot.write_text(draw(report, title=title), encoding="utf-8")
        say(f"drawn to {plot}")
    if as_json:
        print_json(_as_data(report))
        return
    _print(report)


def _as_data(report: "RuinReport") -> dict[str, Any]:
    from governance.solidarity.assumptions import ASSUMPTIONS
    from governance.solidarity.ruin import PERCENTILES

    scenario = report.scenario
    return {
        "seeds": report.seeds,
        "members": scenario.members,
        "months": scenario.months,
        "contribution_bp": scenario.rules.contribution_bp,
        "contribution_most_bp": scenario.rules.contribution_most_bp,
        "start_minor": report.start_minor,
        "expected_claims_minor": scenario.expected_claims_minor,
        "ruined": report.ruined,
        "ruin_share": report.ruin_share,
        "ruin_share_at_most": report.ruin_share_at_most,
        "raised_share": report.raised_share,
        "fund_at_the_end_minor": {
            f"p{percent}": round(float(fund[-1]))
            for percent, fund in zip(PERCENTILES, report.fund_minor, strict=True)
        },
        "assumptions": [
            {
                "key": one.key,
                "value": one.value,
                "words": one.words,
                "source": one.source,
                "is_looked_up": one.is_looked_up,
            }
            for one in ASSUMPTIONS.values()
        ],
    }


def _print(report: "RuinReport") -> None:
    data = _as_data(report)
    low, middle, high = (value / 100 for value in data["fund_at_the_end_minor"].values())
    print_table(
        ("", ""),
        [
            ("decades in which the fund ran dry", f"{report.ruined:,} of {report.seeds:,}"),
            (
                "that is",
                f"{report.ruin_share:.2%}; 95 % interval up to {report.ruin_share_at_most:.2%}",
            ),
            ("amounts below", "1.00 is 100 minor units, such as a euro"),
            ("at first in the fund", f"{report.start_minor / 100:,.2f}"),
            ("expected payments a month", f"{data['expected_claims_minor'] / 100:,.2f}"),
            ("contributed of the chosen gift", f"{data['contribution_bp'] / 100:g} %"),
            ("while the fund is short, up to", f"{data['contribution_most_bp'] / 100:g} %"),
            ("months in which it was more", f"{report.raised_share:.1%}"),
            ("in the fund at the end, middle case", f"{middle:,.2f}"),
            ("in nine of ten cases", f"{low:,.2f} to {high:,.2f}"),
        ],
    )
    print_table(
        ("assumed", "value", "source"),
        [
            (
                one["words"],
                f"{one['value']:g}",
                one["source"] + ("" if one["is_looked_up"] else " [not looked up by anybody]"),
            )
            for one in data["assumptions"]
        ],
    )
