"""What came of the demo's assembly: the vote, its recount, and the share that each ride carries."""

import json
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.demo.assembly import POLICY, percent
from app.demo.plan import AssemblySeen, Plan
from governance.verify import recount

_VOTE = """
select p.stage, p.void_ground, t.result, t.counted, v.effective_from,
  (select jsonb_object_agg(house ->> 'name', house -> 'roll_size')
   from jsonb_array_elements(e.terms -> 'houses') as house) as roll,
  (select count(*) from election_issuer where election_id = e.id) as issuers,
  (select count(*) from (
     select from issuance where election_id = e.id group by house_no, member_hash
     having count(*) = (select count(*) from election_issuer where election_id = e.id)
   ) as stamped) as stamps,
  (select count(*) from ballot where election_id = e.id) as ballots,
  (select count(*) from board_root where election_id = e.id) as batches
from proposal p
left join election e on e.proposal_id = p.id
left join tally t on t.election_id = e.id
left join policy_version v on v.tally_id = t.id
where p.id = $1
"""
_SHARES = """
select (value #>> '{}')::int as share_bp from policy_version
where key = $1 and effective_from <= database_now() order by effective_from
"""
# A ride's share is that of its quote, and a quote's that which was in force when it was given.
_RIDES = """
select count(*) filter (where $2::timestamptz is null or q.quoted_at < $2) as before,
  count(*) filter (where q.quoted_at >= $2) as after,
  count(*) filter (where q.commission_bp is distinct from (
    select (value #>> '{}')::int from policy_version
    where key = $1 and effective_from <= q.quoted_at order by effective_from desc limit 1)) as wrong
from ride r join quote q on q.id = r.quote_id
"""


@dataclass(frozen=True, slots=True)
class Recounted:
    """What an independent recount of the package found, and how long it took."""

    faults: tuple[str, ...]
    seconds: float


def recount_papers(plan: Plan) -> Recounted | None:
    """Recount the package in the run's folder as `meent-verify` does, with every voter's receipt.

    None where no phone could fetch it.
    """
    if not (plan.package_path.exists() and plan.receipts_path.exists()):
        return None
    package, receipts = (
        json.loads(path.read_bytes()) for path in (plan.package_path, plan.receipts_path)
    )
    begun_s = time.perf_counter()
    found = recount(package, receipts=receipts)
    lasted_s = time.perf_counter() - begun_s
    return Recounted(tuple(f"{fault.kind}: {fault.detail}" for fault in found.faults), lasted_s)


async def read_assembly(
    connection: Any, *, plan: Plan, seen: AssemblySeen | None, recounted: Recounted | None
) -> dict[str, Any] | None:
    """Return the report's part on the assembly: times in seconds, shares in basis points.

    None where none was played.

    Of all rides it says before or after which share was in force they were quoted, and how many
    carry another one than was.
    """
    if plan.assembly is None or seen is None:
        return None
    shares = [row["share_bp"] for row in await connection.fetch(_SHARES, POLICY)]
    vote = await connection.fetchrow(_VOTE, seen.proposal) if seen.proposal else None
    since: datetime | None = vote and vote["effective_from"]
    rides = await connection.fetchrow(_RIDES, POLICY, since)
    result = vote["result"] if vote else None
    return {
        "proposal": seen.proposal or None,
        "stage": vote["stage"] if vote else None,
        "void_ground": vote["void_ground"] if vote else None,
        "windows_s": plan.assembly.windows.as_dict(),
        "members": len(plan.assembly.members),
        "roll": json.loads(vote["roll"]) if vote and vote["roll"] else {},
        "issuers": vote["issuers"] if vote else 0,
        "stamps": vote["stamps"] if vote else 0,
        "ballots": vote["ballots"] if vote else 0,
        "batches": vote["batches"] if vote else 0,
        "voted": sum(json.loads(vote["counted"])) if vote and vote["counted"] else 0,
        "receipts": seen.ballots,
        "changed_minds": seen.changed_minds,
        "result": json.loads(result) if result else None,
        "effective_from": since and since.isoformat(),
        "share_before_bp": shares[0],
        "share_after_bp": shares[-1],
        "rides_before": rides["before"],
        "rides_after": rides["after"],
        "rides_with_wrong_share": rides["wrong"],
        "package": str(plan.package_path) if recounted else None,
        "package_faults": len(recounted.faults) if recounted else None,
        "faults": list(recounted.faults[:20]) if recounted else [],
        "recount_s": round(recounted.seconds, 3) if recounted else None,
        "troubles": seen.troubles,
    }


def assembly_failures(section: dict[str, Any] | None, *, restarts: dict[str, int]) -> list[str]:
    """Return what went wrong with the assembly, a sentence each; nothing where none was played."""
    if section is None:
        return []
    wrong = [f"the recount found: {fault}" for fault in section["faults"][:3]]
    if section["rides_with_wrong_share"]:
        wrong.append(
            f"{section['rides_with_wrong_share']} rides carry another share than was in force"
        )
    if section["result"] is not None and section["package_faults"] is None:
        wrong.append("nobody could fetch the vote's package")
    # Who was away too long misses a deadline, as the statutes say; that is no fault of the vote.
    if section["share_after_bp"] == section["share_before_bp"] and not any(restarts.values()):
        wrong.append(f"the share did not change: the assembly ended at {section['stage']}")
        wrong += section["troubles"][:3]
    return wrong


def assembly_in_words(section: dict[str, Any]) -> list[str]:
    """Return what came of the assembly as plain lines, and how anybody can recount it."""
    before, after = percent(section["share_before_bp"]), percent(section["share_after_bp"])
    if section["effective_from"] is None:
        ground = f" ({section['void_ground']})" if section["void_ground"] else ""
        told = (
            f"The members did not come to a new commission: their proposal ended at "
            f"{section['stage']}{ground}; all {section['rides_before']} rides were quoted at "
            f"{before}."
        )
        return [told]
    faults = section["package_faults"]
    found = "no faults" if faults == 0 else f"{faults} faults"
    roll = sum(section["roll"].values())
    told = (
        f"The members voted: commission {before} → {after}, {section['voted']} of {roll} members "
        f"voted ({section['changed_minds']} changed their mind), {section['issuers']} issuers "
        f"stamped, recounted by meent-verify: {found}; {section['rides_before']} rides were quoted "
        f"before at {before}, {section['rides_after']} after at {after}."
    )
    verify = Path(sys.executable).with_name("meent-verify")
    return [told, f"Recount it yourself: {verify} {section['package']}"]
