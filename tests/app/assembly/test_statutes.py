"""The assembly goes by the statutes as they were founded, or last voted."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import orjson

from app.assembly.founding import statutes_hash
from app.assembly.statutes import statutes_in_force
from app.audit.report import audit
from app.city import load_city
from app.foundation.database import Database, open_database
from app.foundation.hints import Hints
from app.foundation.ids import new_id
from app.foundation.migrate import migrate
from app.settings import BUILT_IN_CITY
from app.statutes import Statutes
from governance.electorate import House, RollRules
from governance.proposal import Durations, later
from governance.tally import TWO_THIRDS
from tests.conftest import FRIDAY_EVENING

# A cooperative as the release before the assembly founded it.
FIRST_FIGURES = {
    "commission_bp": 1500,
    "commission_ceiling_bp": 2000,
    "commission_largest_step_bp": 300,
    "offer_time_s": 15,
    "surge_cap_bp": 10_000,
    "fairness_weight_s": 120,
    "pay_floor_per_hour_minor": 0,
    "notice_days": 21,
    "objection_days": 0,
    "quorum_members": 9,
    "houses": ["drivers", "riders"],
}
FIRST_TARIFF = load_city(BUILT_IN_CITY).tariff.model_dump()
FOUND = (
    "select found_cooperative('Vaduz', 'CHF', 'Europe/Vaduz', $1::text::jsonb, $2, $3,"
    " $4::text::jsonb, '', $5)"
)
VOTED_NOTICE = """
insert into policy_version (id, key, value, effective_from, source, tally_id)
  values (uuidv7(), 'notice_s', '60', $1, 'tally', uuidv7())
"""


async def test_the_database_reckons_deadlines_as_the_library_does_when_clocks_change(
    owner: asyncpg.Connection,
) -> None:
    """In Vaduz 02:30 does not come on 29 March 2026, and comes twice on 25 October."""
    zone = ZoneInfo("Europe/Vaduz")
    lastings = [timedelta(days=7), timedelta(days=1, hours=2), timedelta(minutes=10)]
    # An earlier moment than any that is asked for, and what only an owner past every guard writes.
    await owner.execute("set session_replication_role = replica")
    await owner.execute("update policy_version set effective_from = '2000-01-01Z'")
    differing = []
    for lasting in lastings:
        await owner.execute(
            "update policy_version set value = to_jsonb($1::int) where key = 'notice_s'",
            int(lasting.total_seconds()),
        )
        for night in (
            datetime(2026, 3, 28, 22, tzinfo=UTC),
            datetime(2026, 10, 24, 22, tzinfo=UTC),
        ):
            for quarters in range(24):
                begins = night - timedelta(days=lasting.days) + quarters * timedelta(minutes=15)
                reckoned = await owner.fetchval("select statutory_end($1, 'notice_s')", begins)
                if reckoned != later(begins, lasting, zone=zone):
                    differing.append((begins, lasting))
    await owner.execute("set session_replication_role = origin")

    assert differing == []


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


async def test_a_cooperative_founded_before_gets_the_figures_and_the_account_it_lacks(
    owner: asyncpg.Connection, dsn: str
) -> None:
    await owner.execute("drop database if exists meent_founded_before with (force)")
    await owner.execute("create database meent_founded_before")
    older = dsn.replace("/meent_test?", "/meent_founded_before?")
    await migrate(older, to="watch_rides_begin_again")
    connection = await asyncpg.connect(older)
    await connection.execute(
        FOUND,
        orjson.dumps(FIRST_FIGURES).decode(),
        [new_id() for _ in range(len(FIRST_FIGURES) + 1)],
        new_id(),
        orjson.dumps(FIRST_TARIFF).decode(),
        FRIDAY_EVENING,
    )

    await migrate(older)

    async with open_database(older, hints=Hints()) as database, database.reading() as reader:
        statutes = await statutes_in_force(reader, at=FRIDAY_EVENING)
        bank = await reader.value("select count(*) from account where kind = 'bank'")
        decided = await audit(connection)
    await connection.close()
    await owner.execute("drop database meent_founded_before with (force)")
    assert (statutes.durations.notice, statutes.durations.objection) == (
        timedelta(days=21),
        timedelta(seconds=1),
    )
    # All else is what a city file that leaves it out is founded with today.
    unsaid = {name: field.default for name, field in Statutes.model_fields.items()}
    assert statutes.durations.support == timedelta(seconds=unsaid["support_s"])
    assert statutes.roll_rules == RollRules()
    assert statutes.share_minor == {
        House.DRIVERS: unsaid["share_drivers_minor"],
        House.RIDERS: unsaid["share_riders_minor"],
    }
    assert (statutes.panel_size, statutes.text_majority) == (unsaid["panel_size"], TWO_THIRDS)
    assert bank == 1
    assert decided.violations == 0
