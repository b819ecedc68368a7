"""The program signs in to the database as itself, and its database tells a demonstration's time."""

import time
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from app.assembly.founding import keep_demo_clock
from app.city import load_city
from app.foundation.clock import ScaledClock
from app.foundation.database import open_database
from app.foundation.hints import Hints
from app.operating.database_setup import DatabaseSetupError, give_program_sign_in
from app.operating.launch import prepare_database
from app.settings import BUILT_IN_CITY
from tests.conftest import FRIDAY_EVENING

SECRET = b"a secret of tests, 32 bytes long"


async def test_the_program_never_becomes_the_owner_of_the_tables(
    dsn: str, owner: asyncpg.Connection
) -> None:
    said: list[str] = []
    await give_program_sign_in(dsn, secret=SECRET, say=said.append)
    program = await give_program_sign_in(dsn, secret=SECRET, say=said.append)

    async with open_database(program, hints=Hints()) as database, database.reading() as reader:
        assert await reader.value("select count(*) > 0 from policy_version")
        for statement in ("reset role", "set role none", "set role meent_app"):
            await reader.execute(statement)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reader.execute("update policy_version set value = '1'")
        name = await owner.fetchval("select quote_ident(current_user)")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(f"set role {name}")
    assert said == []


async def test_no_setting_bends_the_time_of_a_cooperative_that_goes_by_the_true_one(
    dsn: str, owner: asyncpg.Connection
) -> None:
    """A year ahead every objection window would be over, and every notice given."""
    city, said = load_city(BUILT_IN_CITY), list[str]()
    ahead = ScaledClock(datetime.now(UTC) + timedelta(days=365), time.time(), speed=1.0)

    with pytest.raises(DatabaseSetupError, match="without their notice"):
        await prepare_database(dsn, city, say=said.append, clock=ahead)
    bent = await owner.fetchval("select database_now() > clock_timestamp() + interval '1 day'")
    await keep_demo_clock(owner, ScaledClock(FRIDAY_EVENING, time.time(), speed=60.0))
    await prepare_database(dsn, city, say=said.append, clock=ahead)

    assert not bent
    # A demonstration goes on some days later: nobody's notice is cut short.
    assert await owner.fetchval("select database_now() > clock_timestamp() + interval '1 day'")


async def test_the_database_tells_the_demonstrations_time_until_there_is_none(
    owner: asyncpg.Connection,
) -> None:
    clock = ScaledClock(FRIDAY_EVENING, time.time(), speed=60.0)
    await keep_demo_clock(owner, clock)
    told = await owner.fetchval("select database_now()")
    assert abs(told - clock.now()) < timedelta(minutes=1)

    await keep_demo_clock(owner, None)

    apart = await owner.fetchval("select database_now() - clock_timestamp()")
    assert abs(apart) < timedelta(seconds=1)
