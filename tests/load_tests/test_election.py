from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest

from app.assembly.statutes import statutes_in_force
from app.city import load_city
from app.foundation.database import Database
from app.members.service.register import freeze_roll
from governance.electorate import House
from load_tests.ballot_round import BallotRound, Times, Used
from load_tests.bare_signatures import BareSignatures, measure_signatures
from load_tests.election import Election, election_rows
from load_tests.electorate import prepare_electorate, write_city
from load_tests.recounts import Recounts, recount_as_process
from tests.governance.election import forged, honest_election


def used(*, api_us: float = 0, database_us: float = 0, issuers_us: float = 0) -> Used:
    return Used(api_us=api_us, database_us=database_us, issuers_us=issuers_us)


@cache
def bare_signatures() -> BareSignatures:
    return measure_signatures(key_bits=2_048)


def held(**changed: Any) -> Election:
    times = Times(p50_ms=1, p95_ms=2, p99_ms=3)
    bare = bare_signatures()
    half: dict[str, Any] = {
        "members": 600,
        "seconds": 30,
        "devices_us": 1,
        "request": times,
        "whole": times,
    }
    figures: dict[str, Any] = {
        "roll": 1_000,
        "ballots": 600,
        "sealed_s": 1.0,
        "idle": used(),
        "issue": BallotRound(used=used(issuers_us=2 * bare.stamp_us), **half),
        "cast": BallotRound(used=used(api_us=10 * bare.cast_us(issuers=2)), **half),
        "tally_s": 1.0,
        "tally_used": used(),
        "package_bytes": 1,
        "package_s": 1.0,
        "recounts": Recounts(seconds=0.5, cpu_us=1, said="", is_faultless=True),
        "result": {},
        "stage": "enacted",
        "bare": bare,
    }
    return Election(**{**figures, **changed})


def test_an_issuer_that_does_nothing_else_costs_what_bare_signatures_cost() -> None:
    assert held().over_bare_stamp == pytest.approx(1)
    assert held().over_bare_cast == pytest.approx(10)
    assert all(goal.is_met for goal in held().goals())


@pytest.mark.parametrize(
    "changed",
    [
        {"stage": "unchanged"},
        {"recounts": Recounts(seconds=2.1, cpu_us=1, said="", is_faultless=True)},
        {"recounts": Recounts(seconds=0.1, cpu_us=1, said="", is_faultless=False)},
    ],
)
def test_a_vote_without_effect_a_fault_or_a_slow_recount_misses_a_goal(
    changed: dict[str, Any],
) -> None:
    assert [goal.is_met for goal in held(**changed).goals()].count(False) == 1


def test_every_round_is_shown_by_its_rate() -> None:
    shown = [figure for section in election_rows(held()) for _, figure in section]
    assert shown.count("20.0/s, 30.0 s in all") == 2


def test_a_package_is_recounted_by_the_command_that_members_run(tmp_path: Path) -> None:
    vote = honest_election()
    kept = [vote.receipt(vote.box.ballots[0])]

    honest = recount_as_process(orjson.dumps(vote.package()), receipts=kept, folder=tmp_path)
    package = forged(vote.package(), lambda ballots: ballots[0].update(value=1_500))
    cheat = recount_as_process(orjson.dumps(package), receipts=[], folder=tmp_path)

    assert honest.is_faultless
    assert "no fault" in honest.said
    assert not cheat.is_faultless
    assert "FAULT: a ballot was changed" in cheat.said
    assert min(honest.seconds, honest.cpu_us) > 0


def test_a_city_has_the_windows_it_is_given_and_no_others(tmp_path: Path) -> None:
    city = load_city(write_city(tmp_path, windows={"voting": "30 seconds"}))

    assert (city.statutes.voting_s, city.statutes.credentials_s) == (30, 3 * 86_400)
    with pytest.raises(KeyError):
        write_city(tmp_path / "another", windows={"siesta": "30 seconds"})


async def test_prepared_voters_are_the_roll_with_the_keys_they_hold(
    owner: asyncpg.Connection, database: Database
) -> None:
    voters = await prepare_electorate(owner, count=20)

    now = datetime.now(UTC)
    async with database.reading() as reader:
        statutes = await statutes_in_force(reader, at=now)
        roll, keys = await freeze_roll(reader, at=now, rules=statutes.roll_rules)
    assert keys == {one.member_id: one.key.public for one in voters}
    assert [one.house for one in voters].count(House.DRIVERS) == 6
    assert len({one.token for one in voters}) == 20
    assert roll
