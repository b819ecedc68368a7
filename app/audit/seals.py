"""Audits the seals: the chain and every block come out again, and nothing is left out of it."""

from typing import Any

from app.foundation.database import Transaction
from app.ledger.seal_recount import SealsChecked, verify_seals

RECOUNT = "sealed journals come out again as they were sealed"

UNIQUE_INDEXES = (
    "seal_pkey",
    "a_seal_has_one_successor",
    "seal_leaf_pkey",
    "one_leaf_in_a_place",
    "account_secret_pkey",
    "line_code_pkey",
)
CONSTRAINTS = (
    "seals_hold_something",
    "seals_are_hashed_and_signed",
    "salts_cannot_be_guessed",
    "secrets_cannot_be_guessed",
)
APPEND_ONLY = ("seal_epoch", "seal", "seal_leaf", "line_code")

SEALS_FOLLOW_EACH_OTHER = """
select case when s.height > 1 and b.height is null
    then 'block ' || s.height || ' follows no block'
    when s.height > 1 and b.hash <> s.previous
    then 'block ' || s.height || ' does not name the hash of the block before'
    when s.size <> (select count(*) from seal_leaf l where l.height = s.height)
    then 'block ' || s.height || ' does not hold the ' || s.size || ' journals it sealed'
    end as fault
from seal s left join seal b on b.height = s.height - 1
"""

# Salts and secrets may be deleted, for a person erased; they are never others than when sealed.
SALTS_ARE_GUARDED = """
select case when t.oid is null then 'salts or secrets lost their guard ' || guard.name
    when t.tgenabled not in ('O', 'A')
    then 'the guard of salts ' || guard.name || ' is switched off' end as fault
from (values ('journal_salt'), ('account_secret')) as guarded(name)
cross join lateral (values (guarded.name || '_is_erased_for_a_person'),
  (guarded.name || '_is_never_emptied')) as guard(name)
left join pg_trigger t on t.tgname = guard.name
  and t.tgrelid = to_regclass('public.' || guarded.name)
"""


async def recount_seals(connection: Any) -> SealsChecked:
    """Work every block out again: no statement hashes as the seals do."""
    return await verify_seals(Transaction(connection))
