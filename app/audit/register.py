"""Invariants of the register of members, each as one statement: one person, one paid seat."""

UNIQUE_INDEXES = ("one_open_membership_per_member", "member_key_pkey", "one_current_key_per_member")
CONSTRAINTS = (
    "somebody_else_books_a_share",
    "who_is_admitted_has_paid",
    "nobody_admits_themselves_as_member",
    "a_person_admits_members",
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

REGISTER_IS_GUARDED = """
select case when t.oid is null then 'table ' || wanted.name || ' lost its guard ' || guard.name
    when t.tgenabled not in ('O', 'A')
    then 'the guard ' || guard.name || ' of table ' || wanted.name || ' is switched off' end
    as fault
from (values ('membership'), ('member_key')) as wanted(name)
cross join lateral (values (wanted.name || '_keeps_its_history'),
                           (wanted.name || '_is_never_deleted'),
                           (wanted.name || '_is_never_emptied')) as guard(name)
left join pg_trigger t on t.tgname = guard.name
  and t.tgrelid = to_regclass('public.' || wanted.name)
"""
