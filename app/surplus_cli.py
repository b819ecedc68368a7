"""`meent surplus`: show what a close would do, close a period as the operator, list the forms."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help answers at once

from datetime import date
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from app.foundation.money import readable
from app.terminal import print_json, print_table, run, say, settings_of

surplus = typer.Typer(
    help="Close a period and share its surplus out, step by step.", no_args_is_help=True
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@surplus.command()
def close(
    first_day: Annotated[
        str, typer.Option("--from", metavar="YYYY-MM-DD", help="First day, by the city's time.")
    ],
    day_after: Annotated[
        str, typer.Option("--to", metavar="YYYY-MM-DD", help="The day after the last one.")
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Close it for good, by yourself.")] = False,
    operator: Annotated[str, typer.Option(help="Your name, as the record keeps it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show each step of a period's close; or close it for good, as who runs the machine."""
    if dry_run == yes:
        raise typer.BadParameter("choose --dry-run or --yes; over HTTP two people close a period")
    if yes and not operator.strip():
        raise typer.BadParameter("what is closed with --yes names its --operator in the record")
    made = run(
        _close(
            _day(first_day, option="--from"),
            _day(day_after, option="--to"),
            operator=operator.strip() if yes else None,
        )
    )
    if as_json:
        print_json(made)
        return
    print_table(
        ("", "amount", "rule", "source"),
        [
            (
                step["words"],
                _amount(step["amount_minor"], unit=made["currency"]),
                step["rule"],
                step["source"] + ("" if step["is_checked"] else " [not looked up by anybody]"),
            )
            for step in made["steps"]
        ],
    )
    for doubt in made["doubts"]:
        say(doubt)
    say("nothing was changed" if dry_run else f"closed for good as period {made['id']}")


@surplus.command()
def forms(*, as_json: AsJson = False) -> None:
    """Show what each legal form asks, by which source, and what nobody looked up."""
    from app.surplus.service import form_as_shown
    from app.surplus.steps import doubts
    from governance.legal_form import LEGAL_FORMS

    shown = [form_as_shown(form) for form in LEGAL_FORMS.values()]
    if as_json:
        print_json({"items": shown})
        return
    print_table(
        ("form", "clause", "value", "looked up", "source"),
        [
            (
                form["key"],
                clause["name"],
                "none" if clause["value"] is None else str(clause["value"]),
                "yes" if clause["is_checked"] else "NO",
                clause["source"],
            )
            for form in shown
            for clause in form["clauses"]
        ],
    )
    for legal_form in LEGAL_FORMS.values():
        for doubt in doubts(legal_form):
            say(doubt)


@surplus.command()
def package(
    period_id: Annotated[UUID, typer.Argument(metavar="PERIOD", help="A closed period's id.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Write it to this file.")],
) -> None:
    """Draw the package with which anybody works a closed period out again: `meent-verify FILE`."""
    drawn = run(_package(period_id))
    output.write_bytes(drawn)
    say(f"{output}: {len(drawn):,} bytes; check it with meent-verify {output}")


async def _package(period_id: UUID) -> bytes:
    from app.foundation.database import open_database
    from app.foundation.hints import Hints
    from app.operating.database_setup import require_founded
    from app.operating.launch import lend_database
    from app.surplus.package import draw_package

    async with lend_database(settings_of(), say=say) as dsn:
        await require_founded(dsn)
        async with (
            open_database(dsn, hints=Hints(), size=1) as database,
            database.reading() as reader,
        ):
            return await draw_package(reader, period_id=period_id)


async def _close(first_day: date, day_after: date, *, operator: str | None) -> dict[str, Any]:
    from app.assembly.statutes import statutes_in_force
    from app.foundation.database import open_database
    from app.foundation.hints import Hints
    from app.ledger.cost_queries import start_of_day
    from app.ledger.queries import currency
    from app.operating.database_setup import require_founded
    from app.operating.launch import lend_database
    from app.surplus.gather import gather
    from app.surplus.service import close_as_operator
    from app.surplus.steps import doubts, steps

    async with lend_database(settings_of(), say=say) as dsn:
        await require_founded(dsn)
        async with (
            open_database(dsn, hints=Hints(), size=1) as database,
            database.transaction() as tx,
        ):
            # Of a demonstration the database tells the time.
            now = await tx.value("select database_now()")
            since = await start_of_day(tx, day=first_day)
            until = await start_of_day(tx, day=day_after)
            form = (await statutes_in_force(tx, at=now)).legal_form
            if operator is None:
                gathered = await gather(tx, since=since, until=until, now=now)
                made = {"id": None, "since": since, "until": until, "steps": steps(gathered)}
            else:
                made = await close_as_operator(
                    tx, since=since, until=until, operator=operator, now=now
                )
            return made | {"currency": await currency(tx), "doubts": doubts(form)}


def _day(written: str, *, option: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{option}: {written!r} is no day such as 2026-01-31") from None


def _amount(minor: int, *, unit: str) -> str:
    return f"{readable(minor, currency=unit, apart=',')} {unit}"
