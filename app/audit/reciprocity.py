"""Invariants of reciprocity, each as one statement: booked once, within limits, mirrored."""

UNIQUE_INDEXES = (
    "clearing_pkey",
    "a_journal_books_one_clearing",
    "one_pending_clearing_per_visit",
    "one_statement_per_peer_and_month",
    "one_peer_per_key",
    "one_visit_per_visitor",
    "one_account_of_a_kind_per_partner",
)
CONSTRAINTS = (
    "somebody_else_confirms_a_peer",
    "a_person_confirms_peers",
    "letters_are_spent_within_their_limit",
    "visits_claim_within_their_letter",
    "clearings_are_booked",
    "rejected_claims_are_reversed",
    "agreed_statements_are_signed_by_both",
    "only_agreed_statements_are_settled",
    "somebody_else_settles_a_statement",
)

# Credit is positive: what we claim lessens what we owe, what we accept makes it more.
SISTERS_ACCOUNTS_ARE_THEIR_CLEARINGS = """
select case when b.posted_minor <> cleared.minor - settled.minor
    then 'the account of sister ' || p.id || ' shows ' || b.posted_minor
      || ' but its clearings and settlements add up to ' || cleared.minor - settled.minor end
    as fault
from peer p join balance b on b.account_id = p.account_id
cross join lateral (
  select coalesce(sum(case when direction = 'received' then amount_minor else -amount_minor end), 0)
    as minor
  from clearing c where c.peer_id = p.id and c.state <> 'rejected') as cleared
cross join lateral (
  select coalesce(-sum(net_minor), 0) as minor
  from peer_statement s where s.peer_id = p.id and s.settled_at is not null) as settled
"""

# Each journal of a clearing, and the one transfer that it must consist of.
CLEARINGS_ARE_BOOKED = """
select case when j.subject_id is distinct from c.id or j.kind <> 'peer_ride'
    then 'clearing ' || c.id || ' was booked by the journal of something else'
    when (select count(*) from transfer t where t.journal_id = j.id) <> 1 or not exists (
      select from transfer t
      where t.journal_id = j.id and t.amount_minor = abs(c.amount_minor)
        and case when (c.direction = 'claimed') = (c.amount_minor > 0)
          then t.debit_id else t.credit_id end = p.account_id)
    then 'clearing ' || c.id || ' was booked by other lines than its own'
    when c.state = 'rejected' and undone.id is null
    then 'clearing ' || c.id || ' was rejected and its journal stands'
    when c.state <> 'rejected' and undone.id is not null
    then 'clearing ' || c.id || ' is ' || c.state || ' and its journal was taken back' end as fault
from clearing c join peer p on p.id = c.peer_id
left join journal j on j.id = c.journal_id
left join journal undone on undone.reverses = j.id
where c.journal_id is not null
"""

NO_CLEARING_IS_BOOKED_TWICE = """
select case when not exists (select from clearing c where c.journal_id = j.id)
    then 'journal ' || j.id || ' books clearing ' || j.subject_id || ' beside its own' end as fault
from journal j where j.kind = 'peer_ride'
"""

SISTERS_OWE_WITHIN_LIMITS = """
select case when b.lowest_minor <> -p.they_may_owe_minor
    then 'the account of sister ' || p.id || ' has another limit than agreed'
    when b.posted_minor - b.held_minor < -p.they_may_owe_minor
    then 'sister ' || p.id || ' may come to owe more than agreed'
    when b.posted_minor > p.we_may_owe_minor
    then 'we owe sister ' || p.id || ' more than agreed' end as fault
from peer p join balance b on b.account_id = p.account_id
"""

LETTERS_ARE_SPENT_AS_CLAIMED = """
select case when l.spent_minor <> claimed.minor
    then 'letter ' || l.id || ' shows ' || l.spent_minor || ' spent but ' || claimed.minor
      || ' were accepted' end as fault
from guest_letter l cross join lateral (
  select coalesce(sum(c.amount_minor), 0) as minor from clearing c
  where c.letter_id = l.id and c.direction = 'received' and c.state = 'accepted') as claimed
union all
select case when v.claimed_minor <> claimed.minor
    then 'visit ' || v.id || ' shows ' || v.claimed_minor || ' claimed but ' || claimed.minor
      || ' were' end
from visit v cross join lateral (
  select coalesce(sum(c.amount_minor), 0) as minor from clearing c
  where c.letter_id = v.id and c.direction = 'claimed' and c.state <> 'rejected') as claimed
"""

TWO_PEOPLE_REGISTER_SISTERS = """
select case when confirmed_by is not distinct from proposed_by
    then 'sister ' || id || ' was confirmed by whoever proposed it' end as fault
from peer where confirmed_at is not null
"""

SETTLEMENTS_ARE_AGREED = """
select case when s.id is null
    then 'settlement journal ' || j.id || ' belongs to no statement that both signed' end as fault
from journal j
left join peer_statement s on s.journal_id = j.id and s.id = j.subject_id and s.state = 'agreed'
where j.kind = 'peer_settlement'
"""

SISTERS_ARE_GUARDED = """
select case when t.oid is null then 'table ' || wanted.name || ' lost its guard ' || guard.name
    when t.tgenabled not in ('O', 'A')
    then 'the guard ' || guard.name || ' of table ' || wanted.name || ' is switched off' end
    as fault
from (values ('peer'), ('guest_letter'), ('visit'), ('clearing'), ('peer_statement'))
  as wanted(name)
cross join lateral (values (wanted.name || '_keeps_its_history'),
                           (wanted.name || '_is_never_deleted'),
                           (wanted.name || '_is_never_emptied')) as guard(name)
left join pg_trigger t on t.tgname = guard.name
  and t.tgrelid = to_regclass('public.' || wanted.name)
union all
select case when not exists (select from pg_trigger
      where tgname = 'visitors_ride_while_their_letter_holds' and tgenabled in ('O', 'A'))
    then 'visitors may ride after their letter has ended' end
"""
