"""Invariants of payouts, each as one statement: paid once, by two people, to the cent."""

UNIQUE_INDEXES = (
    "one_current_bank_account_per_member",
    "one_open_payout_per_driver",
    "one_payout_per_driver_and_batch",
    "a_journal_releases_one_payout",
    "a_journal_settles_one_payout",
    "a_journal_returns_one_payout",
    "payout_file_pkey",
)
CONSTRAINTS = (
    "somebody_else_releases_a_batch",
    "a_person_releases_batches",
    "a_batch_is_decided_once",
    "payouts_are_positive",
    "released_payouts_have_a_journal",
    "settled_payouts_have_a_journal",
    "returned_payouts_have_a_journal",
    "payouts_go_to_the_drivers_own_account",
    "files_match_their_hash",
)
APPEND_ONLY = ("payout_file",)

CLEARING_IS_ON_ITS_WAY = """
select case when booked.minor <> on_its_way.minor
    then 'the clearing account shows ' || booked.minor || ' but ' || on_its_way.minor
      || ' are released and neither settled nor returned' end as fault
from (select coalesce(sum(case when t.credit_id = a.id then t.amount_minor
                          else -t.amount_minor end), 0) as minor
      from account a left join transfer t on a.id in (t.credit_id, t.debit_id)
      where a.kind = 'payout_clearing') as booked,
  (select coalesce(sum(amount_minor), 0) as minor from payout where state = 'released')
    as on_its_way
"""

# Each journal that a payout names, and the one transfer that it must consist of.
PAYOUTS_ARE_BOOKED = """
select case when j.id is null
    then 'payout ' || p.id || ' was ' || booked.step || ' without a journal'
    when j.subject_id <> p.id
    then 'payout ' || p.id || ' was ' || booked.step || ' by the journal of something else'
    when (select count(*) from transfer t where t.journal_id = j.id) <> 1
      or not exists (
        select from transfer t join account d on d.id = t.debit_id
        join account c on c.id = t.credit_id
        where t.journal_id = j.id and t.amount_minor = p.amount_minor
          and (d.kind, c.kind) = (booked.debit, booked.credit)
          and (p.account_id in (d.id, c.id)) = ('driver' in (booked.debit, booked.credit)))
    then 'payout ' || p.id || ' was ' || booked.step || ' by other lines than its own' end as fault
from payout p
cross join lateral (values
  ('released', p.release_journal_id, 'driver', 'payout_clearing',
   p.state in ('released', 'settled', 'returned')),
  ('settled', p.settle_journal_id, 'payout_clearing', 'bank', p.settled_at is not null),
  ('returned', p.return_journal_id,
   case when p.settled_at is null then 'payout_clearing' else 'bank' end, 'driver',
   p.state = 'returned')) as booked(step, journal_id, debit, credit, happened)
left join journal j on j.id = booked.journal_id
where booked.happened
"""

PAYOUT_JOURNALS_ARE_OF_PAYOUTS = """
select case when not exists (
      select from payout p where p.id = j.subject_id
        and j.id in (p.release_journal_id, p.settle_journal_id, p.return_journal_id))
    then 'payout journal ' || j.id || ' belongs to no payout' end as fault
from journal j where j.kind in ('payout', 'payout_return')
"""

TWO_PEOPLE_PAY = """
select case when released_by is not distinct from prepared_by
    then 'batch ' || id || ' was released by whoever prepared it' end as fault
from payout_batch where released_at is not null
"""

FILES_PAY_WHAT_WAS_RELEASED = """
select case when sha256(f.content) <> f.content_sha256
    then 'the file of batch ' || f.batch_id || ' is not the one that was drawn'
    when b.released_at is null
    then 'batch ' || f.batch_id || ' has a file and is not released' end as fault
from payout_file f join payout_batch b on b.id = f.batch_id
"""

PAYOUTS_ARE_GUARDED = """
select case when t.oid is null then 'table ' || wanted.name || ' lost its guard ' || guard.name
    when t.tgenabled not in ('O', 'A')
    then 'the guard ' || guard.name || ' of table ' || wanted.name || ' is switched off' end
    as fault
from (values ('bank_account'), ('payout_batch'), ('payout')) as wanted(name)
cross join lateral (values (wanted.name || '_keeps_its_history'),
                           (wanted.name || '_is_never_deleted'),
                           (wanted.name || '_is_never_emptied')) as guard(name)
left join pg_trigger t on t.tgname = guard.name
  and t.tgrelid = to_regclass('public.' || wanted.name)
"""
