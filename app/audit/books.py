"""Invariants of the books themselves, each as one statement: every cent is somewhere, for good."""

CONSTRAINTS = (
    "transfers_are_positive",
    "transfers_go_somewhere",
    "debits_keep_currency",
    "credits_keep_currency",
    "never_below_the_limit",
    "holds_are_not_negative",
    "holds_are_positive",
    "holds_expire_later",
    "posted_holds_have_a_journal",
    "house_accounts_are_nobodys",
    "partners_accounts_have_a_partner",
    "corrections_have_a_reason",
    "periods_are_closed_after_their_end",
)
BOOKS = (
    "journal",
    "transfer",
    "hold",
    "hold_end",
    "account",
    "journal_reason",
    "period_lock",
    "journal_horizon",
    "account_rollup",
)

JOURNALS_HAVE_TRANSFERS = """
select case when not exists (select from transfer t where t.journal_id = j.id)
    then 'journal ' || j.id || ' has no transfer' end as fault
from journal j
"""

TRANSFERS_BALANCE = """
select case when d.currency is distinct from t.currency or c.currency is distinct from t.currency
    then 'journal ' || t.journal_id || ', line ' || t.line || ' does not balance in ' || t.currency
    when t.amount_minor <= 0 or t.debit_id = t.credit_id
    then 'journal ' || t.journal_id || ', line ' || t.line || ' moves nothing' end as fault
from transfer t
left join account d on d.id = t.debit_id
left join account c on c.id = t.credit_id
"""

BALANCES_ARE_SUMS = """
select case when b.account_id is null then 'account ' || a.id || ' has no balance'
    when b.posted_minor <> coalesce(moved.minor, 0)
    then 'account ' || a.id || ' shows ' || b.posted_minor || ' but its transfers add up to '
      || coalesce(moved.minor, 0) end as fault
from account a
left join balance b on b.account_id = a.id
left join (select account_id, sum(minor) as minor
           from (select credit_id as account_id, amount_minor as minor from transfer
                 union all select debit_id, -amount_minor from transfer) as line
           group by account_id) as moved on moved.account_id = a.id
where a.member_id is not null or a.partner_id is not null
"""

HELD_IS_OPEN_HOLDS = """
select case when b.held_minor <> coalesce(held.minor, 0)
    then 'account ' || b.account_id || ' shows ' || b.held_minor
      || ' held but its open holds add up to ' || coalesce(held.minor, 0) end as fault
from balance b
left join (select h.account_id, sum(h.amount_minor) as minor from hold h
           where not exists (select from hold_end e where e.hold_id = h.id)
           group by h.account_id) as held on held.account_id = b.account_id
"""

ABOVE_THE_LIMIT = """
select case when posted_minor - held_minor < lowest_minor
    then 'account ' || account_id || ' may fall to ' || lowest_minor || ' and stands at '
      || posted_minor - held_minor end as fault
from balance
"""

HOLDS_END_AS_BOOKED = """
select case when e.outcome = 'posted' and not exists (
      select from transfer t where t.journal_id = e.journal_id and t.debit_id = h.account_id)
    then 'hold ' || h.id || ' was posted by journal ' || e.journal_id || ', which takes nothing'
    when e.outcome = 'expired' and coalesce(h.expires_at > e.ended_at, true)
    then 'hold ' || h.id || ' expired before its time' end as fault
from hold_end e join hold h on h.id = e.hold_id
"""

# Each roll-up adds what came after the one before, so every transfer is looked at once.
ROLL_UPS_ARE_SUMS = """
select case when bad.through_journal is not null
    then 'the roll-up of account ' || a.kind || ' up to journal ' || bad.through_journal
      || ' is not the sum of its transfers' end as fault
from account a left join lateral (
  select r.through_journal from (
    select *, lag(through_journal, 1, 0::bigint) over journals as since,
      lag(debits_minor, 1, 0::bigint) over journals as debits,
      lag(credits_minor, 1, 0::bigint) over journals as credits
    from account_rollup where account_id = a.id window journals as (order by through_journal)) as r
  cross join lateral (
    select coalesce(sum(amount_minor) filter (where debit_id = a.id), 0) as debits,
      coalesce(sum(amount_minor) filter (where credit_id = a.id), 0) as credits
    from transfer where a.id in (debit_id, credit_id)
      and journal_id > r.since and journal_id <= r.through_journal) as moved
  where (r.debits_minor - r.debits, r.credits_minor - r.credits) <> (moved.debits, moved.credits)
  order by r.through_journal limit 1) as bad on true
where a.member_id is null and a.partner_id is null
"""

CLOSED_PERIODS_STAY_CLOSED = """
select case when late.until is not null
    then 'journal ' || j.id || ' concerns ' || j.effective_at || ', closed up to ' || late.until
    end as fault
from journal j left join lateral (
  select l.until from period_lock l
  where l.until > j.effective_at and l.through_journal < j.id limit 1) as late on true
"""

CORRECTIONS_HAVE_A_REASON = """
select case when r.journal_id is null and e.reason is null
    then 'journal ' || j.id || ' corrects without a reason' end as fault
from journal j
left join journal_reason r on r.journal_id = j.id
left join cost_entry e on e.journal_id = j.id
where j.kind in ('reversal', 'adjustment')
"""

RESERVE_IS_INDIVISIBLE = """
select case when spent.journal_id is not null
    then 'journal ' || spent.journal_id || ' spends the statutory reserve' end as fault
from account a left join lateral (
  select t.journal_id from transfer t join journal j on j.id = t.journal_id
  join account c on c.id = t.credit_id
  where t.debit_id = a.id and (j.kind <> 'loss_absorption' or c.kind <> 'surplus')
  order by t.journal_id limit 1) as spent on true
where a.kind = 'statutory_reserve'
"""

LEDGER_IS_GUARDED = """
select case when t.oid is null then 'table ' || guard.book || ' lost its guard ' || guard.name
    when t.tgenabled not in ('O', 'A')
    then 'the guard ' || guard.name || ' of table ' || guard.book || ' is switched off' end
    as fault
from (values ('journal', 'journal_is_of_an_open_period'), ('journal', 'corrections_are_explained'),
             ('journal', 'costs_are_explained'), ('transfer', 'the_reserve_is_indivisible'))
  as guard(book, name)
left join pg_trigger t on t.tgname = guard.name
  and t.tgrelid = to_regclass('public.' || guard.book)
"""
