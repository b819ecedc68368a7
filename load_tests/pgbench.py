"""PostgreSQL's own load generator with the statements of a booking: the floor under the API."""

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import asyncpg

from app.foundation.database import APP_ROLE
from app.foundation.ids import new_id
from app.members.access import token_hash
from load_tests.figures import rate_without
from load_tests.fixtures import PreparedRider, prepare_riders, settle
from load_tests.recording import Script, Statement, write_script
from load_tests.stage import Stage

CLIENTS, THREADS = 16, 2
PER_CLIENT = 300  # bookings of each client in a round
LOOK_UPS_PER_CLIENT = 4_000
LONGEST_S = 60.0
_VALUES = "bench_booking"
_TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PgbenchRound:
    """Bookings a second; ``per_s`` leaves out the time in which values were looked up."""

    per_s: float
    with_look_up_per_s: float
    look_up_per_s: float
    database_cpu_us: float


async def make_script(
    owner: asyncpg.Connection, statements: Sequence[Statement], *, rider: PreparedRider
) -> Script:
    """Return the script made of this rider's booking; the table of its values is there."""
    row = await owner.fetchrow(
        "select r.id, r.hold_id, k.fingerprint from ride r"
        " join idempotency_key k on k.actor_id = r.rider_id where r.rider_id = $1",
        rider.member_id,
    )
    script = write_script(
        statements,
        facts=[*_own(rider), str(row["id"]), str(row["hold_id"]), row["fingerprint"].hex()],
        values_table=_VALUES,
        per_client=PER_CLIENT,
    )
    columns = ", ".join(f"v{n} text not null" for n in range(len(script.templates)))
    await owner.execute(f"create table {_VALUES} (n bigint primary key, {columns})")
    await owner.execute(f"grant select on {_VALUES} to {APP_ROLE}")
    return script


class Pgbench:
    """Runs the script against the stage's database, as the app's role, over the API's socket."""

    def __init__(self, stage: Stage, *, script: Script, folder: Path) -> None:
        self._stage = stage
        self._script = script
        self._booking = folder / "booking.sql"
        self._look_up = folder / "look_up.sql"
        self._booking.write_text(script.text, encoding="utf-8")
        self._look_up.write_text(script.look_up, encoding="utf-8")

    async def round(self) -> PgbenchRound:
        """Return the figures of one round; every booking of it was made, or this fails."""
        owner = self._stage.owner
        riders = await prepare_riders(owner, count=CLIENTS * PER_CLIENT)
        await owner.execute(f"truncate {_VALUES}")
        await owner.copy_records_to_table(
            _VALUES,
            records=[(n, *self._script.values(_facts(one))) for n, one in enumerate(riders)],
        )
        await settle(owner)
        rides = await owner.fetchval("select count(*) from ride")
        begun = self._stage.cpu()
        with_look_up_per_s = await self._run(self._booking, count=PER_CLIENT)
        used = self._stage.cpu() - begun
        made = await owner.fetchval("select count(*) from ride") - rides
        if made != len(riders):
            raise RuntimeError(f"pgbench made {made} rides of {len(riders)}")
        look_up_per_s = await self._run(self._look_up, count=LOOK_UPS_PER_CLIENT)
        return PgbenchRound(
            per_s=rate_without(with_look_up_per_s, part_per_s=look_up_per_s),
            with_look_up_per_s=with_look_up_per_s,
            look_up_per_s=look_up_per_s,
            database_cpu_us=used.database_us / made,
        )

    async def _run(self, file: Path, *, count: int) -> float:
        """Return transactions a second, without the time of connecting."""
        url = urlsplit(self._stage.running.dsn)
        constants = [f"--define={name}={text}" for name, text in self._script.constants.items()]
        process = await asyncio.create_subprocess_exec(
            str(self._stage.programs / "pgbench"),
            "--no-vacuum",
            "--protocol=prepared",
            f"--client={CLIENTS}",
            f"--jobs={THREADS}",
            f"--transactions={count}",
            f"--file={file}",
            *constants,
            url.path.lstrip("/"),
            env=os.environ | _connection(url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(LONGEST_S):
                said, complaint = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        found = _TPS.search(said.decode())
        if process.returncode != 0 or found is None:
            raise RuntimeError(f"pgbench failed: {complaint.decode()[-500:]}")
        return float(found[1])


def _connection(url: SplitResult) -> dict[str, str]:
    """Return libpq's variables for the same socket that the API uses."""
    asked = parse_qs(url.query)
    return {
        "PGHOST": url.hostname or asked["host"][0],
        "PGPORT": str(url.port or asked["port"][0]),
        "PGUSER": url.username or "",
        "PGPASSWORD": unquote(url.password or ""),
        "PGOPTIONS": f"-c role={APP_ROLE}",
    }


def _own(rider: PreparedRider) -> list[str]:
    return [str(rider.member_id), token_hash(rider.token).hex(), str(rider.quote_id), rider.key]


def _facts(rider: PreparedRider) -> list[str]:
    """Return the facts of a booking still to be made; its fingerprint is any 32 bytes."""
    return [*_own(rider), str(new_id()), str(new_id()), os.urandom(32).hex()]
