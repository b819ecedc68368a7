"""Invariants of the register: one person, one paid seat, and nobody erased by one alone."""

UNIQUE_INDEXES = (
    "one_open_membership_per_member",
    "member_key_pkey",
    "one_current_key_per_member",
    "one_open_erasure_per_person",
)
CONSTRAINTS = (
    "somebody_else_books_a_share",
    "who_is_admitted_has_paid",
    "nobody_admits_themselves_as_member",
    "a_person_admits_members",
    "nobody_asks_to_be_erased_by_themselves",
    "somebody_else_confirms_an_erasure",
    "a_person_decides_erasures",
    "an_erasure_is_decided_once",
)

# A membership lasts from admission to leaving; two of one person never overlap.
NOBODY_IS_ON_THE_REGISTER_TWICE = """
select case when other.id is not null
    then 'member ' || m.member_id || ' is on the register twice, by ' || m.id || ' and '
      || other.id end as fault
from membership m left join lateral (
  select o.id from membership o
  where o.member_id = m.member_id and o.id > m.id and o.admitted_at is not null
    and o.admitted_at < coalesce(m.left_at, 'infinity')
    and coalesce(o.left_at, 'infinity') > m.admitted_at limit 1) as other on true
where m.admitted_at is not null
"""

# Shares are paid back in a later step; until then what was asked is what stands there.
SHARES_ARE_PAID_IN = """
select case when coalesce(b.posted_minor, 0) <> m.shares_minor
    then 'member ' || m.member_id || ' was asked a share of ' || m.shares_minor || ' and has paid '
      || coalesce(b.posted_minor, 0) end as fault
from membership m
left join account a on a.member_id = m.member_id and a.kind = 'member_share'
left join balance b on b.account_id = a.id
where m.admitted_at is not null and m.left_at is null
"""

SHARES_ARE_BOOKED_AS_SUCH = """
select case when m.id is null then 'share journal ' || j.id || ' belongs to no membership'
    when m.shares_paid_at is null
    then 'share journal ' || j.id || ' is of membership ' || m.id || ', whose share is not paid'
    when lines.other > 0 then 'share journal ' || j.id || ' moves other money too' end as fault
from journal j left join membership m on m.id = j.subject_id
cross join lateral (
  select count(*) filter (where not (d.kind = 'bank' and c.kind = 'member_share'
    and c.member_id = m.member_id)) as other
  from transfer t join account d on d.id = t.debit_id join account c on c.id = t.credit_id
  where t.journal_id = j.id) as lines
where j.kind = 'member_share'
"""

MEMBERS_WERE_ADMITTED_BY_ANOTHER = """
select case when admitted_by is null or admitted_by = member_id
    then 'nobody else admitted member ' || member_id
    when shares_booked_by = member_id
    then 'member ' || member_id || ' booked their own share as paid' end as fault
from membership where admitted_at is not null
"""

TWO_PEOPLE_ERASE = """
select case when confirmed_by in (asked_by, member_id) or asked_by = member_id
    then 'erasure ' || id || ' was not decided by two others' end as fault
from erasure where confirmed_at is not null
"""

# What was sealed later has salts anew.
WHO_WAS_ERASED_IS_GONE = """
select case when exists (
      select from account a join transfer t on a.id in (t.debit_id, t.credit_id)
      join seal_leaf l using (journal_id) join seal s using (height)
      join journal_salt k using (journal_id)
      where a.member_id = e.member_id and s.sealed_at < e.confirmed_at)
    then 'erasure ' || e.id || ' left salts of what was sealed before' end as fault
from erasure e where e.confirmed_at is not null
"""

SALTS_WENT_BY_ERASURES = """
select case when not exists (
      select from transfer t join account a on a.id in (t.debit_id, t.credit_id)
      join erasure e using (member_id)
      where t.journal_id = l.journal_id and e.confirmed_at is not null)
    then 'the salt of journal ' || l.journal_id || ' is gone and nobody in it was erased' end
    as fault
from seal_leaf l where not exists (
  select from journal_salt k where k.journal_id = l.journal_id)
"""

REGISTER_IS_GUARDED = """
select case when t.oid is null then 'table ' || wanted.name || ' lost its guard ' || guard.name
    when t.tgenabled not in ('O', 'A')
    then 'the guard ' || guard.name || ' of table ' || wanted.name || ' is switched off' end
    as fault
from (values ('membership'), ('member_key'), ('erasure')) as wanted(name)
cross join lateral (values (wanted.name || '_keeps_its_history'),
                           (wanted.name || '_is_never_deleted'),
                           (wanted.name || '_is_never_emptied')) as guard(name)
left join pg_trigger t on t.tgname = guard.name
  and t.tgrelid = to_regclass('public.' || wanted.name)
"""
