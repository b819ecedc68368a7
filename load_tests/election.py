"""Holds one whole vote under load, from its draft to its recount, and prints what it took."""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
from rich.console import Console
from rich.table import Table

from app.roads.port import Say
from load_tests.ballot_round import (
    ISSUERS,
    BallotRound,
    Used,
    cpu_now,
    follow_round,
    measure_idle,
)
from load_tests.bare_signatures import BareSignatures, measure_signatures
from load_tests.client_process import client_process
from load_tests.electorate import PreparedVoter, prepare_electorate, write_city
from load_tests.fixtures import settle
from load_tests.goals import Goal, goals_table
from load_tests.recounts import VERIFY_TIMES, Recounts, recount_as_process
from load_tests.report import Machine, describe_machine
from load_tests.stage import Stage, open_stage

SEED = 4
DEVICE_PROCESSES, AT_ONCE_IN_EACH = 2, 6
SEALING_S, COUNTING_S = 30, 600
ISSUE_S_EACH, CAST_S_EACH, LEAST_WINDOW_S = 0.12, 0.12, 20
VALUES = (1_200, 1_250, 1_300, 1_350, 1_400, 1_500)
PROPOSAL = {
    "kind": "number",
    "key": "commission_bp",
    "title": "A smaller share",
    "question": "Which share of a fare shall the cooperative keep?",
    "explanation": "The cooperative keeps less. Of a fare of CHF 30 the driver gets CHF 27.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Election:
    """All that was measured of one vote."""

    roll: int
    ballots: int
    sealed_s: float
    idle: Used
    issue: BallotRound
    cast: BallotRound
    tally_s: float
    tally_used: Used
    package_bytes: int
    package_s: float
    recounts: Recounts
    result: dict[str, Any]
    stage: str
    bare: BareSignatures

    @property
    def over_bare_stamp(self) -> float:
        """An issuer's CPU for one stamp over that of a bare check and a bare blind signature."""
        return self.issue.used.issuers_us / len(ISSUERS) / self.bare.stamp_us

    @property
    def over_bare_cast(self) -> float:
        """CPU of API and database for one ballot over that of its bare signatures."""
        used = self.cast.used
        return (used.api_us + used.database_us) / self.bare.cast_us(issuers=len(ISSUERS))

    @property
    def over_bare_recount(self) -> float:
        """The verifier's CPU over that of checking all signatures and nothing else."""
        return self.recounts.cpu_us / (self.ballots * self.bare.ballot_us(issuers=len(ISSUERS)))

    @property
    def cpu_per_ballot_us(self) -> float:
        """CPU of API, database and issuers for one member's stamps and ballot."""
        rounds = (self.issue.used, self.cast.used)
        return sum(used.api_us + used.database_us + used.issuers_us for used in rounds)

    def goals(self) -> list[Goal]:
        """What is asked of it."""
        verdict = self.recounts.is_faultless and self.stage == "enacted"
        return [
            Goal(what="recounted without fault, and in force", value=float(verdict), at_least=1),
            Goal(what="meent-verify, seconds", value=self.recounts.seconds, at_most=2),
            Goal(what="an issuer's CPU / bare", value=self.over_bare_stamp, at_most=2),
            Goal(what="CPU of casting / bare", value=self.over_bare_cast, at_most=40),
            Goal(what="CPU of meent-verify / bare", value=self.over_bare_recount, at_most=4),
        ]


class Assembly:
    """One proposal on its way, driven over HTTP alone; the program's own clock moves it."""

    def __init__(
        self, stage: Stage, http: httpx.AsyncClient, *, voters: list[PreparedVoter]
    ) -> None:
        self.stage, self.http, self.voters = stage, http, voters
        self.address = ""

    async def propose(self) -> None:
        """The proposal is under deliberation: drafted, submitted, supported by as many as needed.

        Members act one after the other.
        """
        author, *others = self.voters
        draft = await self._act(author, "/v1/proposals", PROPOSAL)
        self.address = f"/v1/proposals/{draft['id']}"
        submitted = await self._act(author, f"{self.address}/submit")
        for supporter in others[: submitted["supporters_needed"]]:
            await self._act(supporter, f"{self.address}/support")

    async def reach(self, *stages: str, within_s: float) -> str:
        """Return the stage once the proposal is in one of these."""
        headers = {"Authorization": f"Bearer {self.voters[0].token}"}
        async with asyncio.timeout(within_s):
            while True:
                answer = await self.http.get(self.address, headers=headers)
                stage = str(answer.raise_for_status().json()["stage"])
                if stage in stages:
                    return stage
                if stage in {"void", "lapsed"}:
                    raise RuntimeError(f"the vote is {stage}: {answer.text}")
                await asyncio.sleep(0.1)

    async def election(self) -> dict[str, Any]:
        """Return the newest election as anybody reads it."""
        listed = (await self.http.get("/v1/elections")).raise_for_status().json()
        answer = await self.http.get(f"/v1/elections/{listed['items'][0]['id']}")
        return dict(answer.raise_for_status().json())

    async def _act(self, who: PreparedVoter, path: str, body: Any = None) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {who.token}",
            "Idempotency-Key": os.urandom(8).hex(),
        }
        answer = await self.http.post(path, json=body, headers=headers)
        return dict(answer.raise_for_status().json())


async def hold_election(
    stage: Stage, *, roll: int, ballots: int, folder: Path, say: Say
) -> Election:
    """Take one proposal from its draft to its effect, with so many ballots, and recount it."""
    say(f"election: {roll:,} members")
    voters = await prepare_electorate(stage.owner, count=roll)
    await settle(stage.owner)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=stage.running.base_url, trust_env=False, timeout=60)
        )
        assembly = Assembly(stage, http, voters=voters)
        say("election: proposed and supported, then sealed by both issuers")
        await assembly.propose()
        await assembly.reach("frozen", "credentials_open", within_s=60)
        begun = time.perf_counter()
        await assembly.reach("credentials_open", within_s=SEALING_S)
        sealed_s = time.perf_counter() - begun
        election = await assembly.election()
        idle = await measure_idle(stage)
        window_s = 60 + ballots * (ISSUE_S_EACH + CAST_S_EACH)
        devices = [
            await stack.enter_async_context(
                client_process("load_tests.voters", job, longest_s=window_s + 120)
            )
            for job in _jobs(stage, election["id"], voters[:ballots])
        ]
        say(f"election: {ballots:,} members fetch two stamps each")
        issue = await follow_round(stage, devices, request="stamps", idle=idle, deadline_s=window_s)
        say("election: voting opens, and they cast")
        cast = await follow_round(stage, devices, request="ballots", idle=idle, deadline_s=window_s)
        receipts = [receipt for lines in devices for receipt in (await anext(lines))["receipts"]]
        say("election: closes, is counted and takes effect")
        closes_at = datetime.fromisoformat(election["closes_at"])
        await asyncio.sleep(max(0.0, closes_at.timestamp() - time.time()))
        begun_cpu = cpu_now(stage)
        await assembly.reach("objection_window", "enacted", within_s=COUNTING_S)
        tally_used = cpu_now(stage) - begun_cpu
        reached = await assembly.reach("enacted", "unchanged", within_s=60)
        result = (await http.get(f"/v1/elections/{election['id']}/result")).json()
        begun = time.perf_counter()
        package = (await http.get(f"/v1/elections/{election['id']}/package")).raise_for_status()
        package_s = time.perf_counter() - begun
    bits = int(election["manifest"]["issuers"][0]["moduli"][0], 16).bit_length()
    return Election(
        roll=roll,
        ballots=ballots,
        sealed_s=sealed_s,
        idle=idle,
        issue=issue,
        cast=cast,
        tally_s=(datetime.fromisoformat(result["tallied_at"]) - closes_at).total_seconds(),
        tally_used=tally_used,
        package_bytes=len(package.content),
        package_s=package_s,
        recounts=await asyncio.to_thread(
            recount_as_process, package.content, receipts=receipts, folder=folder
        ),
        result=result,
        stage=reached,
        bare=await asyncio.to_thread(measure_signatures, key_bits=bits),
    )


def _jobs(stage: Stage, election: str, voters: list[PreparedVoter]) -> list[dict[str, Any]]:
    draw = random.Random(SEED)
    told = [
        {"token": one.token, "key": one.key.entropy.hex(), "value": draw.choice(VALUES)}
        for one in voters
    ]
    return [
        {
            "server": stage.running.base_url,
            "election": election,
            "at_once": AT_ONCE_IN_EACH,
            "voters": told[number::DEVICE_PROCESSES],
        }
        for number in range(DEVICE_PROCESSES)
    ]


def election_rows(one: Election) -> list[list[tuple[str, str]]]:
    """Return what is shown, section by section: a name and a figure with its unit each."""
    idle_us = one.idle.api_us + one.idle.database_us
    return [
        [
            ("roll, sealed by both issuers", f"{one.roll:,} in {one.sealed_s:,.1f} s"),
            ("API and database when idle", f"{idle_us / 1e6:,.1%} of a core"),
        ],
        _round_rows("stamps of one member", "one stamp", one.issue),
        _round_rows("ballots", "one ballot", one.cast),
        [
            ("CPU for stamps and ballot of one member", f"{one.cpu_per_ballot_us:,.0f} µs"),
            ("from closing to the published result", f"{one.tally_s:,.1f} s"),
            ("   CPU of the API", f"{one.tally_used.api_us / 1e6:,.2f} s"),
            ("package", f"{one.package_bytes / 1e6:,.2f} MB in {one.package_s:,.2f} s"),
            (f"meent-verify, median of {VERIFY_TIMES}", f"{one.recounts.seconds:,.2f} s"),
            ("   CPU", f"{one.recounts.cpu_us / 1e6:,.2f} s"),
        ],
        [
            ("bare RSA signature, check", _us(one.bare.rsa_sign_us, one.bare.rsa_verify_us)),
            ("bare blind signature, in Python", _us(one.bare.blind_sign_us)),
            (
                "bare Ed25519 signature, check",
                _us(one.bare.ed25519_sign_us, one.bare.ed25519_verify_us),
            ),
            ("an issuer's CPU for a stamp / bare", f"{one.over_bare_stamp:,.1f}"),
            ("API's and database's CPU for a ballot / bare", f"{one.over_bare_cast:,.1f}"),
            ("CPU of meent-verify / bare", f"{one.over_bare_recount:,.1f}"),
        ],
    ]


def _us(*used_us: float) -> str:
    return f"{', '.join(f'{one:,.0f}' for one in used_us)} µs"


def _round_rows(what: str, request: str, one: BallotRound) -> list[tuple[str, str]]:
    parts = [
        ("the API", one.used.api_us),
        ("PostgreSQL", one.used.database_us),
        ("both issuers", one.used.issuers_us),
        ("the device", one.devices_us),
    ]
    times = [(f"{request}, as the device sees it", one.request), ("   all it does", one.whole)]
    return [
        (f"{what}, {one.members:,}", f"{one.per_s:,.1f}/s, {one.seconds:,.1f} s in all"),
        *((f"   CPU of {who}", f"{used_us:,.0f} µs") for who, used_us in parts),
        *(
            (f"{name}, p50, p95, p99", f"{t.p50_ms:,.0f}, {t.p95_ms:,.0f}, {t.p99_ms:,.0f} ms")
            for name, t in times
        ),
    ]


def show(console: Console, machine: Machine, election: Election) -> None:
    """Print the table, the goals, what the recount said and what it stands on."""
    table = Table("what", "figure", title="One vote")
    table.columns[1].justify = "right"
    for section in election_rows(election):
        for what, figure in section:
            table.add_row(what, figure)
        table.add_section()
    console.print(table)
    console.print(goals_table(election.goals(), title="election"))
    console.print(f"meent-verify said: {'; '.join(election.recounts.said.strip().splitlines())}")
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    console.print(
        f"{machine.cores} cores, {machine.processor}, {machine.system},"
        f" load {machine.load_before} before; {versions}."
    )


async def measure(console: Console, *, roll: int, ballots: int, json_path: Path | None) -> bool:
    """Hold the vote, show it, keep its figures where asked to; return whether all goals are met."""
    windows = {
        "deliberation": "1 second",
        "signing": f"{SEALING_S} seconds",
        "credentials": f"{max(LEAST_WINDOW_S, int(ballots * ISSUE_S_EACH))} seconds",
        "voting": f"{max(LEAST_WINDOW_S, int(ballots * CAST_S_EACH))} seconds",
        "counting": f"{COUNTING_S} seconds",
        "objection": "1 second",
        "notice": "0 seconds",
    }
    with tempfile.TemporaryDirectory(prefix="meent-bench-election-") as name:
        folder = Path(name)
        city = await asyncio.to_thread(write_city, folder, windows=windows)
        async with open_stage(say=console.print, city=city) as stage:
            machine = await describe_machine(stage)
            election = await hold_election(
                stage, roll=roll, ballots=ballots, folder=folder, say=console.print
            )
    show(console, machine, election)
    goals = election.goals()
    if json_path is not None:
        facts = {
            "machine": asdict(machine),
            "election": asdict(election),
            "goals": [goal.as_json() for goal in goals],
        }
        await asyncio.to_thread(
            json_path.write_bytes, orjson.dumps(facts, option=orjson.OPT_INDENT_2)
        )
    return all(goal.is_met for goal in goals)


def main() -> int:
    """Run as `python -m load_tests.election`; 1 where a goal is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--roll", type=int, default=1_000, help="members, default 1000")
    parser.add_argument("--ballots", type=int, default=600, help="of them vote, default 600")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    asked = parser.parse_args()
    if not 20 <= asked.ballots <= asked.roll:
        parser.error("at least 20 vote, and not more than there are on the roll")
    met = asyncio.run(
        measure(
            Console(highlight=False),
            roll=asked.roll,
            ballots=asked.ballots,
            json_path=asked.json,
        )
    )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
