"""The `meent` command: data on stdout, messages on stderr, one plain line for what goes wrong.

Exit codes: 0 done; 1 refused, or something is wrong; 2 a mistyped command; 130 Ctrl-C; 143 SIGTERM.
"""
# ruff: noqa: PLC0415 - a command imports what it needs, so that --help answers at once

import asyncio
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import typer

# typer re-exports only some of these.
from typer._click.exceptions import ClickException, NoArgsIsHelpError

from app.issuer.cli import issuer
from app.ledger_cli import ledger
from app.sisters_cli import sisters
from app.solidarity_cli import solidarity
from app.surplus_cli import surplus
from app.terminal import one_line, plain, print_json, print_table, run, say, settings_of
from app.voting.cli import vote

if TYPE_CHECKING:
    from app.audit.report import AuditReport
    from app.operating.doctor import Finding

STOPPED_BY_CTRL_C = 130

app = typer.Typer(
    help="A driver-owned cooperative runs its own ride-hailing city.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

app.add_typer(issuer, name="issuer")
app.add_typer(ledger, name="ledger")
app.add_typer(sisters, name="sisters")
app.add_typer(solidarity, name="solidarity")
app.add_typer(surplus, name="surplus")
app.add_typer(vote, name="vote")

City = Annotated[Path | None, typer.Option(help="City folder.", show_default="MEENT_CITY")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> None:
    """Run the command line; what can be expected to go wrong is one line on stderr."""
    try:
        code = app(standalone_mode=False)
    except NoArgsIsHelpError as help_shown:
        code = help_shown.exit_code  # Making it has printed the help, and that says it all.
    except ClickException as mistake:
        say(f"meent: {one_line(mistake.format_message()).rstrip('.')}; see `meent --help`")
        code = mistake.exit_code
    except KeyboardInterrupt:
        code = STOPPED_BY_CTRL_C
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not write the rest at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:
        line = plain(error)
        if line is None:
            raise
        say(f"meent: {line}")
        code = 1
    sys.exit(code)


@app.command()
def serve(
    city: City = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="0: a free one.", show_default="MEENT_PORT")
    ] = None,
) -> None:
    """Run a city: database, road engine and API, until Ctrl-C."""
    settings = settings_of(city=city, port=port)

    from app.operating.launch import run_platform

    async def work() -> None:
        async with run_platform(settings, say=say) as running:
            say(f"{running.city.name} is open at {running.base_url}; Ctrl-C closes it")
            await asyncio.Event().wait()

    run(work())


@app.command()
def demo(
    city: City = None,
    start: Annotated[
        datetime | None, typer.Option("--from", help="First moment, in the city's own time.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=1, help="Minutes of the city's time.")
    ] = None,
    speed: Annotated[
        float | None, typer.Option(min=1, max=240, help="How fast time passes.")
    ] = None,
    drivers: Annotated[int | None, typer.Option(min=1, help="Drivers on shift.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report as JSON here.")] = None,
    *,
    close_period: Annotated[
        bool, typer.Option("--close-period", help="Then share the surplus and pay the drivers.")
    ] = False,
) -> None:
    """Run a city with simulated riders and drivers, who use only the public API."""
    from app.demo.run import DemoOptions, run_demo

    given: dict[str, Any] = {
        "city": city,
        "start": start,
        "minutes": minutes,
        "speed": speed,
        "drivers": drivers,
        "report": report,
        "close_period": close_period,
    }
    options = DemoOptions(**{name: value for name, value in given.items() if value is not None})
    code = run(run_demo(options))
    raise typer.Exit(code)


@app.command()
def replay(
    city: City = None,
    start: Annotated[
        datetime | None, typer.Option("--from", help="First moment, in the city's own time.")
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="The moment after the last.")] = None,
    drivers: Annotated[
        int | None, typer.Option(min=1, help="How many are on the road at the busiest hour.")
    ] = None,
    shifts: Annotated[
        Literal["all-day", "staggered"], typer.Option(help="Who drives when.")
    ] = "all-day",
    policies: Annotated[
        str | None, typer.Option("--policy", help="Names by commas, such as meent:margin_s=60.")
    ] = None,
    times: Annotated[
        Literal["line", "road"], typer.Option(help="What gives travel times.")
    ] = "line",
    foresight: Annotated[
        Literal["exact", "estimated"], typer.Option(help="How well rides' lengths are foreseen.")
    ] = "exact",
    seed: Annotated[int | None, typer.Option(min=0, help="Draws drivers, shifts, ties.")] = None,
    patience: Annotated[
        float | None, typer.Option(min=0, help="A rider gives up after so many seconds.")
    ] = None,
    window: Annotated[float | None, typer.Option(min=1, help="Seconds between pairings.")] = None,
    boarding: Annotated[float | None, typer.Option(min=0, help="Seconds to get in.")] = None,
    max_pickup: Annotated[
        float | None, typer.Option(min=1, help="Nobody drives longer to a pickup.")
    ] = None,
    accept: Annotated[
        float | None, typer.Option(min=0.01, max=1, help="Share of offers accepted.")
    ] = None,
    cancel: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of riders who change their plans.")
    ] = None,
    scheduled_share: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of riders who booked ahead.")
    ] = None,
    follow: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of hints where to wait followed.")
    ] = None,
    empty_km_cost: Annotated[
        float | None, typer.Option(min=0, help="Minor units per kilometre without a rider.")
    ] = None,
    paired_seeds: Annotated[
        int | None, typer.Option(min=1, max=100, help="Compare policies over so many seeds.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report as JSON here.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the day as SVG here.")] = None,
) -> None:
    """Replay a city's demand in virtual time: a fleet's size or a policy, tried beforehand."""
    from app.replay.run import ReplayOptions, run_replay
    from matching.replay.day import Rules

    rules = {
        "patience_s": patience,
        "window_s": window,
        "boarding_s": boarding,
        "max_pickup_s": max_pickup,
        "accept_share": accept,
        "follow_share": follow,
    }
    given: dict[str, Any] = {
        "city": city,
        "start": start,
        "end": end,
        "drivers": drivers,
        "shifts": shifts,
        "policies": policies,
        "times": times,
        "foresight": foresight,
        "cancel_share": cancel,
        "scheduled_share": scheduled_share,
        "seed": seed,
        "paired_seeds": paired_seeds,
        "empty_km_cost_minor": empty_km_cost,
        "report": report,
        "plot": plot,
    }
    run_replay(
        ReplayOptions(
            rules=Rules(**{name: value for name, value in rules.items() if value is not None}),
            **{name: value for name, value in given.items() if value is not None},
        )
    )


@app.command()
def migrate() -> None:
    """Bring the database to the newest form of the tables."""
    from app.foundation.migrate import newest_revision
    from app.operating.database_setup import connected, migrate_database, require_version
    from app.operating.launch import lend_database

    async def work() -> None:
        async with lend_database(settings_of(), say=say, make=True) as dsn:
            async with connected(dsn) as connection:
                await require_version(connection)
            await migrate_database(dsn)

    run(work())
    say(f"the database is at {newest_revision()}")


@app.command()
def appoint(
    phone: Annotated[str, typer.Argument(help="Telephone number, such as +4232345678.")],
    role: Annotated[str, typer.Argument(help="rider, driver, dispatcher, staff or auditor.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Give a member a role: how a cooperative gets its first staff, and its auditors."""
    from app.members.roles import Role

    if role not in set(Role):
        raise typer.BadParameter(f"{role!r} is none of {', '.join(Role)}")

    from datetime import UTC

    from app.foundation.database import open_database
    from app.foundation.hints import Hints
    from app.members import service
    from app.operating.launch import lend_database

    async def work() -> Any:
        async with lend_database(settings_of(), say=say) as dsn:
            await _require_founded(dsn)
            async with (
                open_database(dsn, hints=Hints(), size=1) as database,
                database.transaction() as tx,
            ):
                now = datetime.now(UTC)
                return await service.appoint(tx, phone=phone, role=Role(role), now=now)

    member_id = run(work())
    if as_json:
        print_json({"member_id": member_id, "role": role})
    else:
        say(f"member {member_id} is {role} now")


@app.command()
def forecast_dispatch(
    key: Annotated[
        str, typer.Argument(help="A dispatch policy: fairness_weight_s or offer_time_s.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Replay the last month at other values of a policy, to be seen before a vote."""
    from app.operating.launch import lend_database
    from app.replay.last_month import forecast_dispatch, show

    async def work() -> Any:
        async with lend_database(settings_of(), say=say) as dsn:
            await _require_founded(dsn)
            return await forecast_dispatch(dsn, city=settings_of().city, key=key)

    show(run(work()), key=key, as_json=as_json)


async def _require_founded(dsn: str) -> None:
    """Refuse a database that was not migrated and founded yet."""
    from app.operating.database_setup import require_founded

    await require_founded(dsn)


@app.command()
def audit(*, as_json: AsJson = False) -> None:
    """Check every promise in the books; exit 1 and name the first one that is broken."""
    from app.audit.report import audit as look
    from app.operating.database_setup import connected
    from app.operating.launch import lend_database

    async def work() -> "AuditReport":
        async with lend_database(settings_of(), say=say) as dsn:
            await _require_founded(dsn)
            async with connected(dsn) as connection:
                return await look(connection)

    report = run(work())
    if as_json:
        print_json(report.as_json())
    else:
        print_table(
            ("promise", "invariant", "looked at", "broken"),
            [(c.promise, c.name, f"{c.counted:,}", f"{c.violations:,}") for c in report.checks],
        )
    if report.first_violation is not None:
        say(f"meent: a promise is broken: {report.first_violation}")
        raise typer.Exit(1)
    say("every promise is kept")


@app.command()
def replay_round(
    either_id: Annotated[
        UUID, typer.Argument(metavar="ID", help="Of a round of dispatch, or of an offer it made.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Decide a stored round of dispatch again; exit 1 if the result is not the stored one."""
    from dataclasses import asdict

    from app.dispatch.replaying import Replayed, replay_round
    from app.foundation.database import Transaction
    from app.operating.database_setup import connected
    from app.operating.launch import lend_database

    async def work() -> Replayed | None:
        async with lend_database(settings_of(), say=say) as dsn:
            await _require_founded(dsn)
            async with connected(dsn) as connection:
                return await replay_round(Transaction(connection), either_id=either_id)

    replayed = run(work())
    if replayed is None:
        say(f"meent: nothing is stored of {either_id}: no such round, or it was forgotten")
        raise typer.Exit(1)
    if as_json:
        print_json(asdict(replayed))
    else:
        seen = asdict(replayed) | {"pairs": len(replayed.pairs)}
        print_table(("", "decided again"), [(name, str(value)) for name, value in seen.items()])
    if replayed.fault is not None:
        say(f"meent: round {replayed.tick_id} {replayed.fault}")
        raise typer.Exit(1)
    say("the result is the same")


@app.command()
def doctor(*, as_json: AsJson = False) -> None:
    """Look at everything the program stands on and say what to do; exit 1 on an error."""
    from app.operating.doctor import Level, examine, known_settings

    findings = run(examine())
    if as_json:
        print_json({"findings": [_as_dict(finding) for finding in findings]})
    else:
        print_table(
            ("", "what", "seen", "what to do"),
            [(f.level, f.name, f.seen, f.hint or "") for f in findings],
        )
        print_table(("setting", "default", "what it is"), known_settings())
    errors = [finding for finding in findings if finding.level is Level.ERROR]
    if errors:
        say(f"meent: {errors[0].name}: {errors[0].seen}: {errors[0].hint}")
        raise typer.Exit(1)


def _as_dict(finding: "Finding") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(finding)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document of the HTTP API."""
    from app.main import create_app

    print_json(create_app(settings_of(), dsn="").openapi())


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as version_of

    print(version_of("meent"))  # noqa: T201 - data goes to stdout
