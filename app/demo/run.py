"""The demo: a platform, a city full of phones beside it, and what came of it.

The clock. Platform and phones go by one scaled clock, and setting up must not eat minutes of the
planned hour: so the clock begins before the hour, by as many seconds as signing in is expected to
take. What takes long on a new machine (roads, database) is done before the clock begins. Should
signing in still take longer, everybody's wish is put off by that much, and the report's
`opened_at` says so.
"""

import asyncio
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from pydantic import SecretStr

from app.audit.report import AuditReport, audit
from app.city import City, load_city
from app.demo import windows
from app.demo.aftermath import DATABASE_NAME, clear_last_run
from app.demo.api_client import open_api
from app.demo.assembly_report import read_assembly, recount_papers
from app.demo.closing import LATER, PeriodClosed, close_period, made_up_iban
from app.demo.demand import SECOND_STAFF_PHONE, STAFF_PHONE, DemoHour, plan_hour
from app.demo.plan import Outcome, Plan, PlannedAssembly, Seen, read_json, write_json
from app.demo.report import failures, make_report, read_figures
from app.demo.screen import Screen
from app.demo.text_messages import TextMessages
from app.demo.wishes import plan_members
from app.foundation.children import Command
from app.foundation.clock import ScaledClock
from app.foundation.database import open_database
from app.foundation.hints import Hints
from app.members import service as members
from app.members.roles import Role
from app.operating.database_setup import connected
from app.operating.launch import LaunchError, Running, run_platform
from app.roads.osrm_data import OsrmNotInstalledError, prepare_osrm
from app.settings import Profile, Settings, load_settings
from app.terminal import say
from governance.electorate import House

LOOK_EVERY_S = 0.25
# Real seconds from the start of the clock until everybody is on shift.
LEAD_S, LEAD_PER_DRIVER_S = 7.0, 0.06
# One machine signs everybody in from one address, so the limits for that are lifted, and said.
SIGN_IN_LIMIT = 1_000_000
# So few ballots hide nobody in a real vote; here some batches shall come before the vote closes.
BALLOT_BATCH = 5
SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What can be asked of the demo; None: the built-in city, a Friday at 17:00, enough drivers."""

    city: Path | None = None
    start: datetime | None = None
    minutes: float = 40.0
    speed: float = 25.0
    drivers: int | None = None
    report: Path | None = None
    close_period: bool = False


async def run_demo(options: DemoOptions) -> int:
    """Run it; 0 if rides were completed, nothing acknowledged was lost or doubled, audit clean.

    Where an assembly fits it must also have changed the share, and no ride may carry a wrong one.

    The demo has a home, a server and a database of its own: no cooperative's data is touched.
    """
    _require_a_place_for(options.report)
    settings = _settings(options)
    city = await asyncio.to_thread(load_city, settings.city)
    # Before anything is touched: where a demo runs already, this refuses.
    settings = await clear_last_run(settings, say=say)
    folder = _new_folder(settings)
    say(f"{city.name}: reading the roads, planning the hour")
    hour = await asyncio.to_thread(
        plan_hour,
        city,
        home=settings.home,
        start=options.start,
        minutes=options.minutes,
        drivers=options.drivers,
        seed=SEED,
    )
    if options.close_period:
        hour, settings = _with_bank_accounts(hour), _with_paying_account(settings, city)
    await asyncio.to_thread(_prepare_roads, city, settings.home)
    screen = Screen(city, hour=hour, speed=options.speed)
    _introduce(screen, hour, options)
    assembly = _plan_assembly(city, hour, options, say=screen.say)
    if assembly is not None:
        city = _with_windows(city, assembly.windows)
    settings = _with_clock(settings, hour=hour, speed=options.speed)
    async with run_platform(
        settings,
        say=screen.say,
        database_name=DATABASE_NAME,
        api_log=folder / "api.log",
        founded=city,
    ) as running:
        await _appoint_staff(running, now=hour.start)
        plan = _plan(running, settings, hour, folder=folder, assembly=assembly)
        restarts = await _let_the_phones_live(running, plan, screen)
        outcome = read_json(plan.result_path, Outcome)
        recounted = await asyncio.to_thread(recount_papers, plan)
        async with connected(running.dsn) as connection:
            figures = await read_figures(connection, empty_km_minor=settings.empty_km_minor)
            voted = await read_assembly(
                connection, plan=plan, seen=outcome.assembly, recounted=recounted
            )
            checked = await audit(connection)
    closed = None
    if options.close_period:
        closed, checked = await _close_period(
            settings, city, hour, commission_minor=figures.commission_minor, screen=screen
        )
    report = make_report(
        city=city,
        hour=hour,
        minutes=options.minutes,
        speed=options.speed,
        outcome=outcome,
        figures=figures,
        audit=checked,
        restarts=restarts,
        assembly=voted,
        closed=closed.as_json() if closed else None,
    )
    screen.summary(report)
    if options.report is not None:
        text = msgspec.json.format(msgspec.json.encode(report), indent=2)
        options.report.write_bytes(text + b"\n")
    wrong = failures(report)
    for line in [*wrong, checked.first_violation or ""]:
        if line:
            say(f"meent: {line}")
    return 1 if wrong else 0


def _require_a_place_for(report: Path | None) -> None:
    """Refuse now what would otherwise be found out when everything is over."""
    if report is not None and not report.resolve().parent.is_dir():
        raise LaunchError(f"{report}: there is no such folder: make it, or name another --report")


def _settings(options: DemoOptions) -> Settings:
    given = {} if options.city is None else {"city": options.city}
    usual = load_settings(**given)
    home = usual.home / "demo"
    return load_settings(
        **given,
        profile=Profile.DEMO,
        home=home,
        port=0,
        log_level="warning",
        sms_file=home / "run" / "text-messages.jsonl",
        codes_per_number=SIGN_IN_LIMIT,
        codes_per_prefix=SIGN_IN_LIMIT,
        codes_per_address=SIGN_IN_LIMIT,
        ballot_batch=BALLOT_BATCH,
    )


def _new_folder(settings: Settings) -> Path:
    """Return the empty folder in which this run's files lie; also who looks for the processes."""
    folder = settings.home / "run"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise LaunchError(
            f"{folder} cannot be made anew ({error.strerror}): choose another MEENT_HOME"
        ) from None
    return folder


def _prepare_roads(city: City, home: Path) -> None:
    """What the platform will want of the roads is made already, so that its start is quick."""
    try:
        prepare_osrm(city.roads, home=home, say=say)
    except OsrmNotInstalledError:
        return  # The platform says so itself.


def _introduce(screen: Screen, hour: DemoHour, options: DemoOptions) -> None:
    ours = "as asked" if options.drivers else "as many as this demand keeps busy"
    screen.say(
        f"{len(hour.riders)} requests ({hour.kind}) in {options.minutes:g} minutes from "
        f"{hour.start:%A %d %B %Y %H:%M}, {options.speed:g} times as fast as life"
    )
    screen.say(f"{len(hour.drivers)} drivers, {ours}")
    screen.say("every phone signs in from this machine, so limits on sign-in codes are lifted")


def _plan_assembly(
    city: City, hour: DemoHour, options: DemoOptions, *, say: Callable[[str], None]
) -> PlannedAssembly | None:
    """Return the assembly that is played, None where none fits; either way it is said."""
    fitting = windows.plan_windows(minutes=options.minutes, speed=options.speed)
    members = plan_members(
        houses=[House(house) for house in city.statutes.houses],
        drivers=hour.drivers,
        riders=hour.riders,
        seed=SEED,
    )
    if fitting is None:
        needed_s = windows.least_real_s()
        say(f"no assembly is played: it takes an hour that lasts {needed_s} real seconds or more")
        return None
    if not members or not city.statutes.commission_bp:
        say("no assembly is played: there are too few people for a vote, or no commission to cut")
        return None
    say(
        f"{len(members)} people become members and vote on the commission, in the demo's own short "
        f"windows of the city's time: {windows.in_words(fitting)}"
    )
    say(
        f"ballots go into the box {BALLOT_BATCH} and more at a time: so few would hide nobody in a "
        "real vote"
    )
    return PlannedAssembly(windows=fitting, members=members)


def _with_windows(city: City, chosen: windows.Windows) -> City:
    """Return the city with these windows in its statutes; everything else is as its file says."""
    lasting = {name.removesuffix("_s"): f"{s} seconds" for name, s in chosen.statutes.items()}
    kept = {
        name: said
        for name, said in city.statutes_as_written.items()
        if name not in {"notice_days", "objection_days"}
    }
    return city.model_copy(
        update={
            "statutes": city.statutes.model_copy(update=chosen.statutes),
            "statutes_as_written": kept | lasting,
        }
    )


def _with_clock(settings: Settings, *, hour: DemoHour, speed: float) -> Settings:
    lead_s = (LEAD_S + LEAD_PER_DRIVER_S * len(hour.drivers)) * speed
    return settings.model_copy(
        update={
            "clock_start": hour.start.astimezone(UTC) - timedelta(seconds=lead_s),
            "clock_anchor_s": time.time(),
            "clock_speed": speed,
        }
    )


def _with_bank_accounts(hour: DemoHour) -> DemoHour:
    """Every driver has an account to be paid to."""
    drivers = tuple(
        replace(driver, iban=made_up_iban(number))
        for number, driver in enumerate(hour.drivers, start=1)
    )
    return replace(hour, drivers=drivers)


def _with_paying_account(settings: Settings, city: City) -> Settings:
    """The cooperative pays from an account of its own, in its own currency."""
    return settings.model_copy(
        update={
            "payout_iban": SecretStr(made_up_iban(0)),
            "payout_file_currencies": (city.currency,),
        }
    )


async def _close_period(
    settings: Settings, city: City, hour: DemoHour, *, commission_minor: int, screen: Screen
) -> tuple[PeriodClosed, AuditReport]:
    """Go on with the same books some days later: the day of the hour is closed and paid out."""
    day = hour.start.replace(hour=0, minute=0, second=0, microsecond=0)
    later = settings.model_copy(
        update={
            "clock_start": (day + LATER).astimezone(UTC),
            "clock_anchor_s": time.time(),
            "clock_speed": 1.0,
        }
    )
    screen.say(f"{LATER.days} days go by; then two people close the day and pay the drivers")
    folder = settings.home / "run"
    async with run_platform(
        later,
        say=screen.say,
        database_name=DATABASE_NAME,
        api_log=folder / "api-later.log",
        founded=city,
    ) as running:
        assert later.sms_file is not None
        assert later.clock_start is not None
        assert later.clock_anchor_s is not None
        clock = ScaledClock(later.clock_start, later.clock_anchor_s, 1.0)
        async with open_api(
            running.base_url, clock=clock, texts=TextMessages(later.sms_file)
        ) as api:
            closed = await close_period(
                api,
                phones=(STAFF_PHONE, SECOND_STAFF_PHONE),
                since=day,
                until=day + timedelta(days=1),
                commission_minor=commission_minor,
                folder=folder,
            )
        async with connected(running.dsn) as connection:
            return closed, await audit(connection)


async def _appoint_staff(running: Running, *, now: datetime) -> None:
    """The one thing that is done on the server: somebody must admit the first driver."""
    async with (
        open_database(running.dsn, hints=Hints(), size=1) as database,
        database.transaction() as tx,
    ):
        for phone in (STAFF_PHONE, SECOND_STAFF_PHONE):
            await members.appoint(tx, phone=phone, role=Role.STAFF, now=now.astimezone(UTC))


def _plan(
    running: Running,
    settings: Settings,
    hour: DemoHour,
    *,
    folder: Path,
    assembly: PlannedAssembly | None,
) -> Plan:
    assert settings.clock_start is not None
    assert settings.clock_anchor_s is not None
    return Plan(
        base_url=running.base_url,
        sms_file=str(settings.sms_file),
        folder=str(folder),
        clock_start=settings.clock_start,
        clock_anchor_s=settings.clock_anchor_s,
        clock_speed=settings.clock_speed,
        opens_at=hour.start,
        seed=SEED,
        staff_phone=STAFF_PHONE,
        papers_until=hour.start.date() + timedelta(days=365),
        drivers=hour.drivers,
        riders=hour.riders,
        assembly=assembly,
    )


async def _let_the_phones_live(running: Running, plan: Plan, screen: Screen) -> dict[str, int]:
    """Return how often each process of the platform was started again, once the phones are done.

    `pids.json` in the run's folder always names the newest processes, for whoever wants to see
    what becomes of the demo when one is killed.
    """
    folder = Path(plan.folder)
    plan_path = folder / "plan.json"
    write_json(plan_path, plan)
    phones = await running.family.add(
        Command(
            name="phones",
            # Their own process, as on two cores the platform has one to itself.
            argv=(sys.executable, "-P", "-m", "app.demo.phones", str(plan_path)),
            log_path=folder / "phones.log",
        ),
        restart=False,
    )
    restarts: Counter[str] = Counter(dict.fromkeys(running.names, 0))
    pids: dict[str, int] = {}
    with screen.shown():
        while phones.running:
            if pids != running.pids:
                restarts.update(
                    name for name, pid in running.pids.items() if pids.get(name, pid) != pid
                )
                pids = running.pids
                write_json(folder / "pids.json", {**pids, "phones": phones.pid})
            if plan.progress_path.exists():
                seen = read_json(plan.progress_path, Seen)
                screen.update(seen, now=plan.clock.now())
            await asyncio.sleep(LOOK_EVERY_S)
    await phones.wait()
    return dict(restarts)
