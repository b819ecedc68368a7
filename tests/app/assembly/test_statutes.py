"""The assembly goes by the statutes as they were founded, or last voted."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import asyncpg

from app.assembly.founding import statutes_hash
from app.assembly.statutes import statutes_in_force
from app.city import load_city
from app.foundation.database import Database
from app.settings import BUILT_IN_CITY
from governance.electorate import House, RollRules
from governance.proposal import Durations
from governance.tally import TWO_THIRDS
from tests.conftest import FRIDAY_EVENING

VOTED_NOTICE = """
insert into policy_version (id, key, value, effective_from, source, tally_id)
  values (uuidv7(), 'notice_s', '60', $1, 'tally', uuidv7())
"""


async def test_the_statutes_are_those_of_the_city_file(database: Database) -> None:
    async with database.reading() as reader:
        statutes = await statutes_in_force(reader, at=FRIDAY_EVENING)

    assert statutes.durations == Durations(
        support=timedelta(days=14),
        deliberation=timedelta(days=14),
        signing=timedelta(days=2),
        credentials=timedelta(days=3),
        voting=timedelta(days=7),
        counting=timedelta(days=2),
        objection=timedelta(days=7),
        notice=timedelta(days=14),
    )
    assert statutes.roll_rules == RollRules()
    assert statutes.zone == ZoneInfo("Europe/Vaduz")
    assert statutes.houses == (House.DRIVERS, House.RIDERS)
    assert statutes.share_minor == {House.DRIVERS: 10_000, House.RIDERS: 2_000}
    assert (statutes.panel_size, statutes.text_majority) == (12, TWO_THIRDS)
    assert (statutes.commission_ceiling_bp, statutes.commission_largest_step_bp) == (2000, 300)
    assert (statutes.reserve_bp, statutes.education_bp) == (2000, 500)
    assert statutes.patronage_hours_bp == 5000


async def test_what_was_voted_counts_from_its_moment_on(
    database: Database, owner: asyncpg.Connection
) -> None:
    voted_from = FRIDAY_EVENING + timedelta(days=30)
    await owner.execute(VOTED_NOTICE, voted_from)

    async with database.reading() as reader:
        before = await statutes_in_force(reader, at=voted_from - timedelta(microseconds=1))
        after = await statutes_in_force(reader, at=voted_from)

    assert before.durations.notice == timedelta(days=14)
    assert after.durations.notice == timedelta(minutes=1)
    assert after.durations.objection == before.durations.objection


async def test_the_built_in_city_is_founded_with_what_its_file_says(
    owner: asyncpg.Connection,
) -> None:
    city = load_city(BUILT_IN_CITY)

    kept = await owner.fetchval("select statutes_hash from cooperative")

    assert kept == statutes_hash(city)
