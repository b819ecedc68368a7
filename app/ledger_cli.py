"""`meent ledger`: hand the books to another program."""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help answers at once

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from app.terminal import run, say, settings_of

ledger = typer.Typer(help="Hand the books to another program.", no_args_is_help=True)


@ledger.callback()
def _of_the_ledger() -> None:
    """Hand the books to another program."""


@ledger.command()
def export(
    output: Annotated[Path, typer.Option("-o", "--output", help="Write it to this file.")],
    *,
    beancount: Annotated[bool, typer.Option("--beancount", help="As beancount text.")] = False,
    first_day: Annotated[
        str, typer.Option("--from", metavar="YYYY-MM-DD", help="First day; default: the first.")
    ] = "",
    day_after: Annotated[
        str, typer.Option("--to", metavar="YYYY-MM-DD", help="The day after the last one.")
    ] = "",
) -> None:
    """Write the books as text that another program adds up; people are called by hashes."""
    if not beancount:
        raise typer.BadParameter("say as what: --beancount")
    since, until = _day(first_day, option="--from"), _day(day_after, option="--to")
    if since and until and until <= since:
        raise typer.BadParameter(f"--to: {until} does not come after the first day, {since}")
    lines = run(_export(output, since, until))
    say(f"{output}: {lines:,} lines; check it with bean-check {output}")


async def _export(output: Path, first_day: date | None, day_after: date | None) -> int:
    from app.foundation.database import open_database
    from app.foundation.hints import Hints
    from app.ledger import beancount
    from app.ledger.cost_queries import start_of_day
    from app.operating.database_setup import require_founded
    from app.operating.launch import lend_database

    lines = 0
    async with lend_database(settings_of(), say=say) as dsn:
        await require_founded(dsn)
        async with (
            open_database(dsn, hints=Hints(), size=1) as database,
            database.reading() as reader,
            reader.connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await reader.execute("set local statement_timeout = '60s'")
            since = (
                await start_of_day(reader, day=first_day)
                if first_day
                else await reader.value("select '1970-01-01Z'::timestamptz")
            )
            until = (
                await start_of_day(reader, day=day_after)
                if day_after
                else await reader.value("select greatest(now(), database_now()) + interval '1 s'")
            )
            # Whoever runs the command waits for it: nothing else is in this process.
            with output.open("w", encoding="utf-8") as file:
                async for line in beancount.export(reader, since=since, until=until):
                    file.write(line + "\n")
                    lines += 1
    return lines


def _day(written: str, *, option: str) -> date | None:
    if not written:
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{option}: {written!r} is no day such as 2026-01-31") from None
