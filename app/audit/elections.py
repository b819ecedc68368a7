"""What the audit looks at in secret votes: each voted policy is what its own box says."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from app.assembly.elections.queries import elections
from app.assembly.elections.rules import BUDGET_POLICY, changes_anything, policy_of
from app.assembly.elections.service.tallying import package_hash
from app.assembly.package import make_package, read_pieces, recount_as_announced
from app.foundation.database import Transaction

RECOUNT = "each voted policy equals its recount"
UNIQUE_INDEXES = (
    "election_proposal_id_key",
    "election_manifest_hash_key",
    "election_roll_pkey",
    "one_seat_for_one_member",
    "issuance_pkey",
    "tally_election_id_key",
)
CONSTRAINTS = (
    "a_manifest_has_its_hash",
    "an_election_opens_then_closes_then_publishes",
    "one_demo_clock_per_database",
    "two_auditors_stop_a_vote",
)
# Only a function writes a tally, and only the owner a demonstration's clock.
BOOKS = ("tally",)
APPEND_ONLY = (
    "election_roll",
    "issuance",
    "issuance_log",
    "election_fault",
    "ballot",
    "board_root",
    "objection",
    "audit_stop",
    "audit_confirmation",
    "election_alarm",
)
OWNERS_FUNCTIONS = ("fits_terms", "clock_tolerance", "keep_manifest", "keep_answers", "keep_stages")

# Where pg_temp is not named last, PostgreSQL looks there first, and a session could lay tables of
# its own making before the books.
FUNCTIONS_READ_THE_BOOKS = """
select case when not 'search_path=public, pg_temp' = any(coalesce(p.proconfig, '{}'))
    then 'the function ' || p.proname || ' may be shown other tables than the books' end as fault
from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prokind = 'f'
"""

# By these triggers nobody changes what is put to the vote, nor what an issuer answered.
VOTES_ARE_GUARDED = """
select case when t.oid is null then 'table ' || wanted.name || ' lost its guard ' || wanted.guard
    when t.tgenabled not in ('O', 'A')
    then 'the guard ' || wanted.guard || ' of table ' || wanted.name || ' is switched off' end
    as fault
from (values ('proposal', 'stages_follow_the_table'), ('election', 'terms_are_frozen'),
             ('election', 'election_is_never_emptied'),
             ('election_issuer', 'answers_are_taken_once'),
             ('election_issuer', 'election_issuer_is_never_emptied')) as wanted(name, guard)
left join pg_trigger t on t.tgname = wanted.guard
  and t.tgrelid = to_regclass('public.' || wanted.name)
"""


@dataclass(frozen=True, slots=True)
class Recounted:
    """How many tallies and voted policies were looked at, and what is wrong with any."""

    counted: int
    faults: tuple[str, ...]


async def recount_voted(connection: Any) -> Recounted:
    """Recount every tally from its box, and compare every voted policy with its tally.

    SQL cannot check a signature, and the program counts itself: this is who looks after it. A vote
    whose ballots, stamps, roots or logs do not verify is a fault, and so is a result or a policy
    that is not what they say.
    """
    async with reading_json(connection) as reader:
        tallies = await reader.rows("select id, election_id from tally order by id")
        voted = await reader.rows(
            "select id, key, value, tally_id from policy_version where source = 'tally' order by id"
        )
        faults, known = [], {}
        for row in tallies:
            election_id = UUID(int=row["election_id"].int)
            election = await elections.find_election(reader, election_id=election_id)
            tally = await elections.find_tally(reader, election_id=election_id)
            assert election is not None
            assert tally is not None
            known[row["id"]] = election, tally
            faults += await _faults_of_tally(reader, election=election, tally=tally)
        for policy in voted:
            if policy["tally_id"] not in known:
                faults.append(f"the policy {policy['id']} names a tally that is not there")
                continue
            fault = _fault_of_policy(policy, *known[policy["tally_id"]])
            faults += [fault] if fault else []
    return Recounted(len(tallies) + len(voted), tuple(faults))


async def _faults_of_tally(
    reader: Transaction, *, election: elections.Election, tally: elections.TallyRow
) -> list[str]:
    """Return what is wrong with a tally: by the verifier, and by the hash that was published."""
    pieces = await read_pieces(reader, election=election)
    found = await recount_as_announced(pieces, result=tally.result)
    faults = [f"election {election.id}: {fault.kind.value}" for fault in found.faults[:3]]
    if tuple(found.counted) != tally.counted:
        faults.append(f"election {election.id}: another number of ballots was counted")
    if package_hash(make_package(pieces, result=tally.result)) != tally.package_hash:
        faults.append(f"election {election.id}: its package is not the one that was published")
    return faults


def _fault_of_policy(
    policy: Any, election: elections.Election, tally: elections.TallyRow
) -> str | None:
    """Return how a voted policy differs from what its tally decided, or None."""
    assert election.manifest is not None
    parameters = election.manifest.parameters
    key = policy_of(tally.rule, parameters=parameters)
    decided: Any = tally.result.get("value")
    if key == BUDGET_POLICY:
        decided = {"pots": parameters["pots"], "shares": tally.result["shares"]}
    if key != policy["key"] or decided != policy["value"]:
        return f"the policy {policy['id']} is not what election {election.id} decided"
    if not changes_anything(tally.rule, result=tally.result, parameters=parameters):
        return f"the policy {policy['id']} was set though election {election.id} changed nothing"
    return None


@asynccontextmanager
async def reading_json(connection: Any) -> AsyncIterator[Transaction]:
    """Lend a reader that gets documents as such, whatever the connection did before and after."""
    as_text = isinstance(await connection.fetchval("select '{}'::jsonb"), str)
    if as_text:
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=orjson.loads
        )
    try:
        yield Transaction(connection)
    finally:
        if as_text:
            await connection.reset_type_codec("jsonb", schema="pg_catalog")
