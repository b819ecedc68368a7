"""Invariants of solidarity, each as one statement: the fund, its gifts, what it took over."""

UNIQUE_INDEXES = (
    "one_circle_per_member",
    "one_illness_at_a_time",
    "one_gift_per_month",
    "a_journal_is_of_one_gift",
    "solidarity_contribution_pkey",
    "a_journal_is_of_one_contribution",
    "solidarity_month_pkey",
    "guarantee_pkey",
    "a_journal_is_of_one_guarantee",
    "guarantee_write_off_pkey",
    "a_journal_is_of_one_write_off",
)
CONSTRAINTS = (
    "gifts_last_two_years_at_most",
    "gifts_are_never_above_the_full_one",
    "gifts_have_a_journal",
    "nobody_contributes_more_than_is_due",
    "contributions_have_a_journal",
    "rates_are_as_voted",
    "the_fund_covers_up_to_the_cap",
    "guarantees_have_a_journal",
    "returns_are_positive",
    "write_offs_are_positive",
    "write_offs_have_a_reason",
)
APPEND_ONLY = (
    "sick_leave_confirmation",
    "sick_gift",
    "solidarity_contribution",
    "solidarity_month",
    "guarantee",
    "guarantee_return",
    "guarantee_write_off",
)

# Only one at a time takes from the fund, so the order of journals is that of what was there.
FUND_IS_NEVER_OVERDRAWN = """
select case when j.idem_scope in ('sick_gift', 'guarantee') and line.left_minor < 0
    then 'journal ' || j.id || ' (' || j.idem_scope || ') left the fund at ' || line.left_minor
    end as fault
from (select t.journal_id, sum(sum(case when t.credit_id = a.id then t.amount_minor
        else -t.amount_minor end)) over (order by t.journal_id) as left_minor
      from account a join transfer t on a.id in (t.credit_id, t.debit_id)
      where a.kind = 'solidarity_fund' group by t.journal_id) as line
join journal j on j.id = line.journal_id
"""

# Each row that moved money, and the one transfer that its journal must consist of.
FUND_PAYMENTS_ARE_BOOKED = """
with booked(what, journal_id, scope, minor, member_id, debit, credit) as (
  select 'gift ' || g.id, g.journal_id, 'sick_gift', g.amount_minor, m.member_id,
    'solidarity_fund', 'driver'
  from sick_gift g join sick_leave l on l.id = g.sick_leave_id
  join circle_membership m on m.id = l.membership_id where g.amount_minor > 0
  union all select 'contribution of ' || s.membership_id || ' for ' || s.month, s.journal_id,
    'solidarity_contribution', s.paid_minor, m.member_id, 'driver', 'solidarity_fund'
  from solidarity_contribution s join circle_membership m on m.id = s.membership_id
  where s.paid_minor > 0
  union all select 'guarantee of payment ' || payment_id, journal_id, 'guarantee', covered_minor,
    rider_id, 'solidarity_fund', 'rider' from guarantee where covered_minor > 0
  union all select 'return of payment ' || g.payment_id, r.journal_id, 'guarantee_return',
    r.amount_minor, g.rider_id, 'rider', 'solidarity_fund'
  from guarantee_return r join guarantee g using (payment_id)
  union all select 'write-off of payment ' || g.payment_id, w.journal_id, 'bad_debt',
    w.amount_minor, g.rider_id, 'platform_costs', 'rider'
  from guarantee_write_off w join guarantee g using (payment_id))
select case when j.id is null then b.what || ' has no journal'
    when j.idem_scope <> b.scope then b.what || ' names the journal of something else'
    when (select count(*) from transfer t where t.journal_id = j.id) <> 1 or not exists (
      select from transfer t join account d on d.id = t.debit_id
      join account c on c.id = t.credit_id where t.journal_id = j.id
        and t.amount_minor = b.minor and (d.kind, c.kind) = (b.debit, b.credit)
        and b.member_id in (d.member_id, c.member_id))
    then b.what || ' was booked by other lines than its own' end as fault
from booked b left join journal j on j.id = b.journal_id
"""

JOURNALS_ARE_EXPLAINED = """
select case when not exists (select from sick_gift where journal_id = j.id)
      and not exists (select from solidarity_contribution where journal_id = j.id)
      and not exists (select from guarantee where journal_id = j.id)
      and not exists (select from guarantee_return where journal_id = j.id)
      and not exists (select from guarantee_write_off where journal_id = j.id)
    then 'journal ' || j.id || ' (' || j.idem_scope || ') belongs to nothing the fund did' end
    as fault
from journal j where j.idem_scope in
  ('sick_gift', 'solidarity_contribution', 'guarantee', 'guarantee_return', 'bad_debt')
"""

# An illness that begins less than 28 days after the one before goes on with it: days ill before
# count as waited, and days given before come off the longest time.
GIFTS_ARE_IN_TIME = """
with ill as (
  select l.*, least(l.ended_on, (m.left_at at time zone c.time_zone)::date) as ill_until
  from sick_leave l join circle_membership m on m.id = l.membership_id cross join cooperative c
  where l.confirmed_at is not null),
line as (
  select *, lag(ill_until) over (partition by membership_id order by began_on, id) as before
  from ill),
row_of as (
  select *, count(*) filter (where before is null or began_on >= before + 28)
    over (partition by membership_id order by began_on, id) as no from line),
chain as (
  select *, began_on + greatest(waiting_days - coalesce(sum(ill_until - began_on) over (
    partition by membership_id, no order by began_on, id
    rows between unbounded preceding and 1 preceding), 0), 0)::int as gifts_from from row_of)
select case when g.days > least((g.month + interval '1 month')::date, l.ill_until,
        (l.gifts_from + make_interval(months => l.longest_months))::date - given.days)
      - greatest(g.month, l.gifts_from)
    then 'gift ' || g.id || ' for ' || g.month || ' is outside waiting time or duration' end
    as fault
from sick_gift g join chain l on l.id = g.sick_leave_id
cross join lateral (select coalesce(sum(o.days), 0)::int as days
  from sick_gift o join chain f on f.id = o.sick_leave_id
  where (f.membership_id, f.no) = (l.membership_id, l.no)
    and (f.began_on, f.id) < (l.began_on, l.id) and o.paid_at <= g.paid_at) as given
union all
select case when l.confirmed_at is null or l.confirmed_at > g.paid_at
    then 'gift ' || g.id || ' was made before anybody confirmed' end
from sick_gift g join sick_leave l on l.id = g.sick_leave_id
union all
select case when p.value is distinct from to_jsonb(l.waiting_days)
      or q.value is distinct from to_jsonb(l.longest_months)
    then 'sick leave ' || l.id || ' goes by other rules than were in force' end
from sick_leave l
left join lateral (select value from policy_version where key = 'gift_waiting_days'
  and effective_from <= l.reported_at order by effective_from desc limit 1) as p on true
left join lateral (select value from policy_version where key = 'gift_longest_months'
  and effective_from <= l.reported_at order by effective_from desc limit 1) as q on true
"""

PEOPLE_CONFIRMED = """
select case when f.own > 0 then 'sick leave ' || l.id || ' was confirmed by whose it is'
    when l.confirmed_at is not null and f.stewards = 0 and f.peers < 2
    then 'sick leave ' || l.id || ' was confirmed by ' || f.peers || ' peers and no steward' end
    as fault
from sick_leave l join circle_membership m on m.id = l.membership_id
cross join lateral (select count(*) filter (where is_steward) as stewards,
    count(*) filter (where not is_steward) as peers,
    count(*) filter (where confirmed_by = m.member_id) as own
  from sick_leave_confirmation where sick_leave_id = l.id) as f
"""

CONTRIBUTIONS_ARE_AS_VOTED = """
select case when d.month is null
    then 'a contribution for ' || s.month || ' was taken that nobody decided'
    when s.rate_bp <> d.rate_bp or s.due_minor <> m.tier_minor * d.rate_bp / 10000
    then 'member ' || m.member_id || ' was to contribute ' || s.due_minor || ' for ' || s.month
      || ', which is not the share decided' end as fault
from solidarity_contribution s join circle_membership m on m.id = s.membership_id
left join solidarity_month d on d.month = s.month
union all
select case when not exists (select from policy_version p
        where p.key = 'solidarity_contribution_bp' and p.value = to_jsonb(d.base_bp))
      or not exists (select from policy_version p
        where p.key = 'solidarity_most_bp' and p.value = to_jsonb(d.most_bp))
    then 'the contribution for ' || d.month || ' goes by figures that nobody voted' end
from solidarity_month d
"""

GUARANTEES_KEEP_THE_CAP = """
select case when p.key is distinct from 'guarantee_cap_minor'
      or p.value <> to_jsonb(g.cap_minor)
    then 'payment ' || g.payment_id || ' was taken over up to a cap that nobody voted'
    when f.id is null then 'payment ' || g.payment_id || ' was taken over and is unknown'
    when g.covered_minor < back.minor
    then 'payment ' || g.payment_id || ' gave back more than was taken over'
    when ride.minor > ride.cap_minor
    then 'for ride ' || g.ride_id || ' more was taken over than the cap' end as fault
from guarantee g left join policy_version p on p.id = g.policy_version_id
left join payment f on f.id = g.payment_id and f.ride_id = g.ride_id
cross join lateral (select coalesce(sum(amount_minor), 0) as minor from guarantee_return r
  where r.payment_id = g.payment_id) as back
cross join lateral (select sum(covered_minor) as minor, max(cap_minor) as cap_minor
  from guarantee o where o.ride_id = g.ride_id) as ride
"""

CIRCLES_ARE_GUARDED = """
select case when t.oid is null then 'table ' || wanted.name || ' lost its guard ' || guard.name
    when t.tgenabled not in ('O', 'A')
    then 'the guard ' || guard.name || ' of table ' || wanted.name || ' is switched off' end
    as fault
from (values ('circle'), ('circle_membership'), ('sick_leave')) as wanted(name)
cross join lateral (values (wanted.name || '_keeps_its_history'),
                           (wanted.name || '_is_never_deleted'),
                           (wanted.name || '_is_never_emptied')) as guard(name)
left join pg_trigger t on t.tgname = guard.name
  and t.tgrelid = to_regclass('public.' || wanted.name)
union all
select case when count(*) > 50 then 'circle ' || circle_id || ' has ' || count(*) || ' members' end
from circle_membership where left_at is null group by circle_id
"""
