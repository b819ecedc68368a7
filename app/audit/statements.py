"""Invariants of statements: nothing on an account is left out, each share names its decision."""

from app.statements.queries import LINES

STATEMENTS_SHOW_EVERYTHING = f"""
select case when b.posted_minor <> coalesce(shown.minor, 0)
    then 'the statements of driver ' || a.member_id || ' show ' || coalesce(shown.minor, 0)
      || ' but the account holds ' || b.posted_minor end as fault
from account a join balance b on b.account_id = a.id
left join (select account_id, sum(amount_minor) as minor from ({LINES}) as line group by 1) as shown
  on shown.account_id = a.id
where a.kind = 'driver'
"""  # noqa: S608 - a constant of this program

SHARES_NAME_THEIR_DECISION = """
select case when v.id is null or v.key <> 'commission_bp'
    then 'ride ' || s.ride_id || ' was settled under no share that was decided'
    when v.value <> to_jsonb(s.commission_bp)
    then 'ride ' || s.ride_id || ' was settled at ' || s.commission_bp || ' bp, decided was '
      || v.value
    when v.source = 'tally' and p.id is null
    then 'the share of ride ' || s.ride_id || ' names no vote' end as fault
from ride_settlement s left join policy_version v on v.id = s.policy_version_id
left join tally t on t.id = v.tally_id left join election e on e.id = t.election_id
left join proposal p on p.id = e.proposal_id
"""
