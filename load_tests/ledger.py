"""Measures how many rides a second the books take, beside the same statements sent by hand.

`python -m load_tests.ledger [--rounds 3] [--seconds 12] [--json FILE]`. PostgreSQL's own pgbench
posts fares (rider to driver, driver to the house) with 32 clients on a durable server of its own,
in turns, so that whatever else the machine does strikes all alike: by the one function that the
program calls, as the program's role; by the same statements one by one; and by the function once
more while the house account has a balance row, which every ride must then wait for. Only ratios
of one round are goals. Deadlocks are the server's own count, over all rounds.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import asyncpg
from rich.console import Console
from rich.table import Table

from app.assembly.founding import found_cooperative
from app.city import load_city
from app.foundation import embedded_postgres
from app.foundation.children import Family
from app.foundation.database import APP_ROLE
from app.foundation.migrate import migrate
from app.settings import BUILT_IN_CITY
from load_tests.goals import Goal, goals_table

CLIENTS, THREADS = 32, 2
PEOPLE = 2_000  # riders, and as many drivers
LEAST_OF_BY_HAND, LEAST_OF_HOT = 0.5, 4.0
_TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)

_PICK = f"""\\set n random(1, {PEOPLE})
\\set m random(1, {PEOPLE})
\\set fare random(500, 3000)
\\set share :fare * 15 / 100
"""
# Keys in the order of time, as the program's are.
_BY_FUNCTION = (
    _PICK
    + """
select post_journal('bench', uuidv7()::text, sha256(:fare::text::bytea), 'ride_fare', uuidv7(),
  null, now(), array[r.rider_id, d.driver_id], array[d.driver_id, d.house_id],
  array[:fare, :share]::bigint[], null)
from bench_pair r, bench_pair d where r.n = :n and d.n = :m;
"""
)
_BY_HAND = (
    _PICK
    + """
select r.rider_id as rider, d.driver_id as driver, d.house_id as house
  from bench_pair r, bench_pair d where r.n = :n and d.n = :m \\gset
begin;
insert into journal (idem_scope, idem_key, fingerprint, kind, subject_id, effective_at)
  values ('bench', uuidv7()::text, sha256(:fare::text::bytea), 'ride_fare', uuidv7(), now())
  returning id \\gset
insert into transfer values (:id, 1, :rider::uuid, :driver::uuid, :fare, 'CHF'),
  (:id, 2, :driver::uuid, :house::uuid, :share, 'CHF');
select from balance where account_id in (:rider::uuid, :driver::uuid)
  order by account_id for update;
update balance set posted_minor = posted_minor - :fare where account_id = :rider::uuid;
update balance set posted_minor = posted_minor + :fare - :share
  where account_id = :driver::uuid;
commit;
"""
)
FUNCTION, BY_HAND, HOT = "one function", "by hand", "house balance kept"
_SCRIPTS = MappingProxyType({FUNCTION: _BY_FUNCTION, BY_HAND: _BY_HAND, HOT: _BY_FUNCTION})

_PREPARE = f"""
insert into member (id, phone, name, language, joined_at)
  select uuidv7(), '+4237' || to_char(n, 'FM0000000'), 'Ada', 'en', now()
  from generate_series(1, 2 * {PEOPLE}) as n;
create table bench_pair as
  with person as (select id, row_number() over (order by id) as n from member)
  select r.n, open_account(uuidv7(), 'rider', r.id, 'CHF', -1000000000000, now()) as rider_id,
    open_account(uuidv7(), 'driver', d.id, 'CHF', 0, now()) as driver_id,
    (select id from account where kind = 'commission_income') as house_id
  from person r join person d on d.n = r.n + {PEOPLE};
alter table bench_pair add primary key (n);
grant select on bench_pair to {APP_ROLE};
"""  # noqa: S608 - constants
_KEEP_HOUSE_BALANCE = (
    "insert into balance (account_id, lowest_minor)"
    " select id, 0 from account where kind = 'commission_income'"
)
_DROP_HOUSE_BALANCE = (
    "delete from balance using account where account_id = id and kind = 'commission_income'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Rides posted a second in each way, one after the other."""

    one_function: float
    by_hand: float
    house_balance_kept: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A durable server, its owner's connection, and pgbench beside it."""

    dsn: str
    owner: asyncpg.Connection
    pgbench: Path
    folder: Path

    async def rides_per_s(self, way: str, *, seconds: int) -> float:
        """Return the rides posted a second for so long, without the time of connecting."""
        script = self.folder / "script.sql"
        script.write_text(_SCRIPTS[way], encoding="utf-8")
        # As autovacuum leaves a table that is in use; what a way before wrote is no burden of this.
        await self.owner.execute("vacuum analyze")
        if way == HOT:
            await self.owner.execute(_KEEP_HOUSE_BALANCE)
        try:
            return await self._run(script, seconds=seconds, as_app=way != BY_HAND)
        finally:
            await self.owner.execute(_DROP_HOUSE_BALANCE)

    async def _run(self, script: Path, *, seconds: int, as_app: bool) -> float:
        url = urlsplit(self.dsn)
        options = {"PGOPTIONS": f"-c role={APP_ROLE}"} if as_app else {}
        process = await asyncio.create_subprocess_exec(
            str(self.pgbench),
            "--no-vacuum",
            "--protocol=prepared",
            f"--client={CLIENTS}",
            f"--jobs={THREADS}",
            f"--time={seconds}",
            f"--file={script}",
            url.path.lstrip("/"),
            env=os.environ | _connection(url) | options,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds + 60):
                said, complaint = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        found = _TPS.search(said.decode())
        if process.returncode != 0 or found is None:
            raise RuntimeError(f"pgbench failed: {complaint.decode()[-500:]}")
        return float(found[1])


def _connection(url: SplitResult) -> dict[str, str]:
    """Return libpq's variables for the server's socket."""
    asked = parse_qs(url.query)
    return {
        "PGHOST": url.hostname or asked["host"][0],
        "PGPORT": str(url.port or asked["port"][0]),
        "PGUSER": url.username or "",
        "PGPASSWORD": unquote(url.password or ""),
    }


def _make_home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="meent-bench-"))
    home.chmod(0o711)  # Where we are root, the database's own user must be able to enter.
    return home


@asynccontextmanager
async def open_bench() -> AsyncIterator[Bench]:
    """Run a durable server with a cooperative in it until the end of the block."""
    home = _make_home()
    try:
        with embedded_postgres.prepare(home / "postgres") as cluster:
            async with Family() as family:
                await family.add(cluster.command())
                await embedded_postgres.wait_ready(cluster)
                admin = await asyncpg.connect(cluster.dsn())
                await admin.execute("create database bench")
                await admin.close()
                dsn = cluster.dsn("bench")
                await migrate(dsn)
                owner = await asyncpg.connect(dsn)
                try:
                    await found_cooperative(owner, load_city(BUILT_IN_CITY), at=datetime.now(UTC))
                    await owner.execute(_PREPARE)
                    await owner.execute("vacuum analyze")
                    yield Bench(
                        dsn=dsn, owner=owner, pgbench=cluster.programs / "pgbench", folder=home
                    )
                finally:
                    await owner.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def measure(*, rounds: int, seconds: int) -> tuple[list[Round], int, int]:
    """Return the rounds, the deadlocks, and how many balances differ from their transfers."""
    async with open_bench() as bench:
        await bench.rides_per_s(FUNCTION, seconds=1)  # Caches and files are warm from here on.
        done = [
            Round(
                one_function=await bench.rides_per_s(FUNCTION, seconds=seconds),
                by_hand=await bench.rides_per_s(BY_HAND, seconds=seconds),
                house_balance_kept=await bench.rides_per_s(HOT, seconds=seconds),
            )
            for _ in range(rounds)
        ]
        deadlocks = await bench.owner.fetchval(
            "select deadlocks from pg_stat_database where datname = current_database()"
        )
        wrong = await bench.owner.fetchval(
            "select count(*) from balance b left join (select id, sum(minor) as minor from ("
            " select credit_id as id, amount_minor as minor from transfer"
            " union all select debit_id, -amount_minor from transfer) as line group by id)"
            " as moved on moved.id = b.account_id"
            " where b.posted_minor <> coalesce(moved.minor, 0)"
        )
    return done, int(deadlocks), int(wrong)


def goals_of(rounds: Sequence[Round], *, deadlocks: int, wrong: int) -> list[Goal]:
    """Return the goals: medians of each round's own ratios, and what must not be at all."""
    of_by_hand = statistics.median(one.one_function / one.by_hand for one in rounds)
    of_hot = statistics.median(one.one_function / one.house_balance_kept for one in rounds)
    return [
        Goal(what="one function, times by hand", value=of_by_hand, at_least=LEAST_OF_BY_HAND),
        Goal(what="one function, times house balance kept", value=of_hot, at_least=LEAST_OF_HOT),
        Goal(what="deadlocks", value=deadlocks, at_most=0),
        Goal(what="balances that are not their transfers", value=wrong, at_most=0),
    ]


def main() -> None:
    """Measure, print what was met and what was not, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=12, help="of each way in each round")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    asked = parser.parse_args()
    rounds, deadlocks, wrong = asyncio.run(measure(rounds=asked.rounds, seconds=asked.seconds))
    goals = goals_of(rounds, deadlocks=deadlocks, wrong=wrong)
    table = Table("rides a second", *_SCRIPTS, title_justify="left")
    for number, one in enumerate(rounds, start=1):
        table.add_row(f"round {number}", *(f"{per_s:,.0f}" for per_s in asdict(one).values()))
    console = Console(width=110)
    console.print(table)
    console.print(goals_table(goals, title=f"posting rides, {CLIENTS} clients"))
    if asked.json:
        figures = {
            "rounds": [asdict(one) for one in rounds],
            "goals": [goal.as_json() for goal in goals],
        }
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")
    sys.exit(not all(goal.is_met for goal in goals))


if __name__ == "__main__":
    main()
