"""Nobody has another way to set a policy than a vote: every door is tried."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import orjson
import pytest
from fastapi import FastAPI

from app.foundation.database import Database, open_database
from app.foundation.hints import Hints
from app.foundation.ids import new_id
from app.settings import Settings
from app.statutes import Statutes
from governance.electorate import House
from governance.policy import NUMBER_POLICIES
from governance.proposal import TRANSITIONS, Stage
from tests.app.assembly.elections.town import ISSUERS, Town, open_town
from tests.conftest import StandingClock

GUARDED = ("policy_version", "tally", "demo_clock")
POLICIES = {*Statutes.model_fields, *NUMBER_POLICIES}
RECORD = "select record_tally($1, $2, $3, $4, $5, $6)"
ENACT = "select enact_tally($1, $2, $3, $4)"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"issuers": ISSUERS, "ballot_batch": 3})


@pytest.fixture
async def town(
    app: FastAPI, owner: asyncpg.Connection, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[Town]:
    async with open_town(app, owner, clock, tmp_path / "issuers") as town:
        yield town


@pytest.fixture
async def program(dsn: str, owner: asyncpg.Connection) -> AsyncIterator[Database]:
    """The program, signed in to the database as somebody who is nothing but the program."""
    await owner.execute(
        "do $$ begin create role meent_program_of_tests login password 'tests' in role meent_app;"
        " exception when duplicate_object then null; end $$"
    )
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    login = urlunsplit(parts._replace(netloc=f"meent_program_of_tests:tests@{host}"))
    async with open_database(login, hints=Hints()) as database:
        yield database


async def policies(owner: asyncpg.Connection) -> list[Any]:
    return list(await owner.fetch("select key, value::text, effective_from from policy_version"))


async def refused(database: Database, sql: str, *args: Any) -> asyncpg.PostgresError:
    """The program's own role tries a statement; return how the database refuses it."""
    with pytest.raises(asyncpg.PostgresError) as refusal:
        async with database.transaction() as tx:
            await tx.execute(sql, *args)
    return refusal.value


async def closed_vote(town: Town, *, voted: int = 1200) -> tuple[UUID, UUID]:
    """A vote that has closed and is not counted; return proposal and election."""
    await town.settle(drivers=1, riders=1)
    proposal_id = await town.propose()
    election = await town.open_voting(proposal_id)
    for house in House:
        await town.vote(election, town.members[house][0], voted)
    closes_at = await town.owner.fetchval(
        "select closes_at from proposal where id = $1", proposal_id
    )
    await town.go_to(closes_at)
    return proposal_id, UUID(election)


async def counted_vote(town: Town) -> tuple[UUID, UUID]:
    """A counted vote at the end of its objection window; return proposal and tally."""
    proposal_id, election = await closed_vote(town)
    await town.round()
    due_at = await town.owner.fetchval("select due_at from proposal where id = $1", proposal_id)
    await town.go_to(due_at + timedelta(seconds=1))
    tally = await town.owner.fetchval("select id from tally where election_id = $1", election)
    return proposal_id, tally


def record(election: UUID, *, value: Any, rule: str = "two_houses") -> tuple[Any, ...]:
    return (new_id(), election, rule, {"value": value}, [1, 1], b"h" * 32)


# The API and the settings.


def test_no_operation_outside_the_assembly_takes_a_policy(app: FastAPI) -> None:
    document = app.openapi()
    schemas = document["components"]["schemas"]

    def names(schema: Any, seen: frozenset[str] = frozenset()) -> set[str]:
        if isinstance(schema, list):
            return {name for part in schema for name in names(part, seen)}
        if not isinstance(schema, dict):
            return set()
        found = set(schema.get("properties", {}))
        referred = str(schema.get("$ref", "")).rpartition("/")[2]
        if referred and referred not in seen:
            found |= names(schemas[referred], seen | {referred})
        return found | {name for part in schema.values() for name in names(part, seen)}

    tried = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "get":
                continue
            given = names(operation.get("requestBody", {}))
            given |= {parameter["name"] for parameter in operation.get("parameters", [])}
            tried += 1
            assert not given & POLICIES, f"{method} {path} takes {given & POLICIES}"
            assert not re.search(r"polic|statute|tall(y|ies)\b", path), f"{method} {path}"
    assert tried > 40


def test_no_setting_is_named_like_a_policy() -> None:
    assert not POLICIES & set(Settings.model_fields)


# The program's own role and the tables.


@pytest.mark.parametrize("table", GUARDED)
@pytest.mark.parametrize(
    "statement",
    [
        "insert into {0} select * from {0}",
        "update {0} set {1} = {1}",
        "delete from {0}",
        "truncate {0} cascade",
        "copy {0} from program 'echo'",
        "alter table {0} disable trigger all",
        "alter table {0} owner to meent_app",
        "drop table {0} cascade",
        "create trigger t before insert on {0} execute function refuse_change()",
        "create rule r as on insert to {0} do instead nothing",
        "create policy p on {0}",
        "lock table {0} in access exclusive mode",
    ],
)
async def test_the_program_cannot_write_what_only_a_vote_writes(
    program: Database, owner: asyncpg.Connection, table: str, statement: str
) -> None:
    before = await policies(owner)
    column = {"policy_version": "value", "tally": "result", "demo_clock": "speed"}[table]

    refusal = await refused(program, statement.format(table, column))

    assert isinstance(refusal, asyncpg.InsufficientPrivilegeError), refusal
    assert await policies(owner) == before


@pytest.mark.parametrize("table", GUARDED)
async def test_the_program_cannot_give_itself_rights(
    program: Database, owner: asyncpg.Connection, table: str
) -> None:
    async with program.transaction() as tx:
        # PostgreSQL only warns here, and grants nothing.
        await tx.execute(f"grant all on {table} to meent_app")

    rights = await owner.fetch(
        "select privilege_type from information_schema.role_table_grants"
        " where grantee = 'meent_app' and table_name = $1",
        table,
    )
    assert [row["privilege_type"] for row in rights] == ["SELECT"]


BECOMING = """
set role {owner}
set session authorization {owner}
alter role meent_app superuser
alter role current_user superuser
grant {owner} to current_user
create function f() returns int language sql as 'select 1'
alter function enact_tally(uuid, uuid, timestamptz, timestamptz) owner to meent_app
drop function record_tally(uuid, uuid, text, jsonb, jsonb, bytea)
create table public.mine (a int)
create schema mine
alter table proposal disable trigger stages_follow_the_table
drop trigger stages_follow_the_table on proposal
drop trigger terms_are_frozen on election
set session_replication_role = replica
delete from election
truncate election cascade
delete from election_roll
update election_roll set public_key = null
delete from election_issuer
delete from proposal
select fits_terms('{{}}', '{{}}')
select clock_tolerance()
select found_cooperative('x', 'CHF', 'UTC', '{{}}', '{{}}', null, '{{}}', 'x', now())
do $$ begin insert into policy_version select * from policy_version; end $$
reset role; insert into policy_version select * from policy_version
set role none; insert into policy_version select * from policy_version
"""


@pytest.mark.parametrize("statement", BECOMING.strip().splitlines())
async def test_the_program_cannot_become_somebody_who_could(
    program: Database, owner: asyncpg.Connection, statement: str
) -> None:
    name = await owner.fetchval("select quote_ident(current_user)")

    refusal = await refused(program, statement.format(owner=name))

    assert isinstance(refusal, asyncpg.InsufficientPrivilegeError), refusal


LAY_SHADOWS = """
do $$
declare
  shadowed text;
begin
  foreach shadowed in array array['demo_clock', 'cooperative', 'proposal', 'election', 'tally'] loop
    execute format('create temporary table %I on commit drop as select * from public.%I limit 0',
                   shadowed, shadowed);
    execute format('grant all on %I to public', shadowed);
  end loop;
end $$;
insert into demo_clock values (true, '2026-11-02Z', extract(epoch from clock_timestamp()), 1);
insert into cooperative (time_zone) values ('UTC');
insert into proposal (id, stage, kind, key)
  values (uuidv7(), 'objection_window', 'number', 'commission_bp');
insert into election (id, proposal_id, manifest) select uuidv7(), id,
  '{"rule": "number", "parameters": {"key": "commission_bp", "floor": 0, "ceiling": 2000,
    "status_quo": 1500, "grid": 50}}' from proposal;
insert into tally (id, election_id, rule, result, tallied_at)
  select uuidv7(), id, 'number', '{"value": 2000}', '2026-01-01Z' from election;
select enact_tally(uuidv7(), (select id from tally), '2027-03-01Z', '2026-11-02Z')
"""


async def test_tables_of_its_own_making_stand_before_no_book(
    program: Database, owner: asyncpg.Connection
) -> None:
    """The program shadows a vote that is over by temporary tables, and enacts what they say."""
    before = await policies(owner)

    refusal = await refused(program, LAY_SHADOWS)

    assert refusal.sqlstate == "MN111"
    assert await policies(owner) == before


async def test_every_function_looks_for_its_tables_in_the_books_first(
    owner: asyncpg.Connection,
) -> None:
    """Where pg_temp is not named, PostgreSQL looks there before anywhere else."""
    functions = await owner.fetch(
        "select proname, proconfig from pg_proc"
        " where pronamespace = 'public'::regnamespace and prokind = 'f'"
    )

    led_astray = {
        row["proname"]
        for row in functions
        if "search_path=public, pg_temp" not in (row["proconfig"] or [])
    }
    assert len(functions) > 40
    assert led_astray == set()


async def test_a_stored_manifest_never_changes_for_anybody(town: Town) -> None:
    await town.settle(drivers=1, riders=1)
    election = UUID(await town.freeze(await town.propose()))
    changes = (
        "manifest = jsonb_set(manifest, '{parameters,floor}', '1900')",
        "manifest = null, manifest_hash = null",
        "closes_at = closes_at - interval '1 day'",
        "terms = '{}'",
    )

    for change in changes:
        sql = f"update election set {change} where id = $1"
        assert "append-only" in str(await refused(town.app.state.database, sql, election))
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await town.owner.execute(sql, election)


async def test_what_an_issuer_answered_never_changes(town: Town) -> None:
    await town.settle(drivers=1, riders=1)
    await town.freeze(await town.propose())

    for change in ("seal = null", "seal_key = 'ab'", "moduli = '[]'", "url = 'http://mine'"):
        refusal = await refused(town.app.state.database, f"update election_issuer set {change}")
        assert "append-only" in str(refusal)


# The life of a proposal.


async def test_the_database_knows_the_same_stages_as_the_library(
    town: Town, owner: asyncpg.Connection
) -> None:
    body = await owner.fetchval("select prosrc from pg_proc where proname = 'keep_stages'")
    known = set(re.findall(r"\('(\w+)', '(\w+)'\)", body))

    allowed = {
        (str(source), str(line.target)) for line in TRANSITIONS.values() for source in line.sources
    }
    assert known == allowed
    proposal_id = await town.propose()
    for stage in (Stage.ENACTED, Stage.OBJECTION_WINDOW, Stage.TALLIED, Stage.VOTING):
        refusal = await refused(
            town.app.state.database,
            "update proposal set stage = $2 where id = $1",
            proposal_id,
            str(stage),
        )
        assert refusal.sqlstate == "MN130"


async def test_the_policy_a_vote_is_about_is_not_swapped_under_it(town: Town) -> None:
    await town.settle(drivers=1, riders=1)
    proposal_id = await town.propose()
    await town.freeze(proposal_id)

    for change in ("key = 'offer_time_s'", "closes_at = closes_at - interval '1 day'"):
        refusal = await refused(
            town.app.state.database, f"update proposal set {change} where id = $1", proposal_id
        )
        assert refusal.sqlstate == "MN131"


# The two functions.


async def test_a_tally_without_an_election_is_refused(town: Town) -> None:
    refusal = await refused(town.app.state.database, RECORD, *record(new_id(), value=1200))

    assert refusal.sqlstate == "MN101"


async def test_a_vote_that_has_not_closed_is_not_counted(town: Town) -> None:
    _, election = await closed_vote(town)
    await town.go_to(town.clock.now() - timedelta(seconds=1))

    refusal = await refused(town.app.state.database, RECORD, *record(election, value=1200))

    assert refusal.sqlstate == "MN104"


@pytest.mark.parametrize("value", [2050, -50, 1215, 1150, 1850, "1200", 1200.5, None, True])
async def test_a_value_outside_the_terms_is_no_result(town: Town, value: Any) -> None:
    _, election = await closed_vote(town)

    refusal = await refused(town.app.state.database, RECORD, *record(election, value=value))

    assert refusal.sqlstate == "MN107"


async def test_another_rule_than_the_manifests_is_refused(town: Town) -> None:
    _, election = await closed_vote(town)

    refusal = await refused(
        town.app.state.database, RECORD, *record(election, value=1200, rule="number")
    )

    assert refusal.sqlstate == "MN106"


async def test_a_vote_is_counted_once(town: Town) -> None:
    _, election = await closed_vote(town)
    await town.round()

    refusal = await refused(town.app.state.database, RECORD, *record(election, value=1350))

    assert refusal.sqlstate == "MN102"


async def test_nothing_is_enacted_without_a_tally(town: Town) -> None:
    await town.go_to(town.clock.now())
    now = town.clock.now()

    refusal = await refused(
        town.app.state.database, ENACT, new_id(), new_id(), now + timedelta(days=20), now
    )

    assert refusal.sqlstate == "MN111"


async def try_enacting(
    town: Town, tally: UUID, *, begins: datetime | None = None, at: datetime | None = None
) -> asyncpg.PostgresError:
    now = town.clock.now()
    begins = begins or now + timedelta(days=15)
    return await refused(town.app.state.database, ENACT, new_id(), tally, begins, at or now)


async def test_nothing_is_enacted_before_its_objection_window_is_over(town: Town) -> None:
    _, election = await closed_vote(town)
    await town.round()
    tally = await town.owner.fetchval("select id from tally where election_id = $1", election)

    refusal = await try_enacting(town, tally)

    assert refusal.sqlstate == "MN115"


async def test_nothing_is_enacted_with_less_than_the_notice(town: Town) -> None:
    before = await policies(town.owner)
    _, tally = await counted_vote(town)
    now = town.clock.now()

    early = await try_enacting(town, tally, begins=now + timedelta(days=14, seconds=-60))
    dated_back = await try_enacting(town, tally, at=now - timedelta(days=1))
    dated_on = await try_enacting(town, tally, at=now + timedelta(minutes=1))

    assert early.sqlstate == "MN116"
    assert (dated_back.sqlstate, dated_on.sqlstate) == ("MN114", "MN114")
    assert await policies(town.owner) == before


async def test_a_tally_is_enacted_once(town: Town) -> None:
    _, tally = await counted_vote(town)
    await town.round()
    enacted = await policies(town.owner)

    refusal = await try_enacting(town, tally)

    assert refusal.sqlstate == "MN112"
    assert await policies(town.owner) == enacted
    assert sum(row["key"] == "commission_bp" for row in enacted) == 2


async def test_a_tally_is_enacted_once_even_in_its_objection_window(town: Town) -> None:
    _, tally = await counted_vote(town)
    database: Database = town.app.state.database
    now = town.clock.now()
    async with database.transaction() as tx:
        await tx.execute(ENACT, new_id(), tally, now + timedelta(days=15), now)

    refusal = await try_enacting(town, tally, begins=now + timedelta(days=16))

    assert refusal.sqlstate == "MN113"


async def test_a_tally_never_changes_not_even_for_the_owner(town: Town) -> None:
    await counted_vote(town)

    for statement in (
        "update tally set result = '{}'",
        "delete from tally",
        "truncate tally cascade",
    ):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await town.owner.execute(statement)


async def test_a_manifest_for_a_key_that_no_vote_sets_enacts_nothing(town: Town) -> None:
    """The program writes a whole election of its own making, and the notice is not voted on."""
    before = await policies(town.owner)
    proposal_id, tally = await counted_vote(town)
    forged = orjson.dumps({"key": "notice_s"}).decode()
    # Only by force of the owner, past every trigger, does the key get there at all.
    await town.owner.execute("set session_replication_role = replica")
    await town.owner.execute(
        "update election set manifest = jsonb_set(manifest, '{parameters}',"
        " manifest->'parameters' || $1::jsonb)",
        forged,
    )
    await town.owner.execute("update proposal set key = 'notice_s' where id = $1", proposal_id)
    await town.owner.execute("set session_replication_role = origin")

    refusal = await try_enacting(town, tally)

    assert refusal.sqlstate == "MN118"
    assert await policies(town.owner) == before
