"""Invariants of what follows a ride: tips whole, refunds paid before, each week filled up once."""

UNIQUE_INDEXES = (
    "a_tip_has_its_own_journal",
    "one_open_dispute_per_ride_and_person",
    "one_decision_stands_per_round",
    "a_decision_has_its_own_journal",
    "fare_split_pkey",
    "one_part_per_position",
    "a_member_takes_one_part",
    "a_hold_is_of_one_part",
    "a_part_has_its_own_journal",
    "pay_floor_week_pkey",
    "a_top_up_has_its_own_journal",
)
CONSTRAINTS = (
    "tips_are_positive",
    "disputes_say_what_happened",
    "an_appeal_is_somebodys",
    "decisions_say_who_bears_them",
    "decisions_have_a_reason",
    "drivers_do_not_pay_themselves",
    "somebody_else_releases_a_decision",
    "two_people_decide_on_much",
    "decisions_that_move_money_have_a_journal",
    "a_decision_stands_or_was_withdrawn",
    "accepted_parts_are_held",
    "paid_parts_have_a_journal",
    "nobody_pays_more_than_they_accepted",
    "weeks_are_reckoned_after_their_end",
    "a_week_is_filled_up_to_its_floor",
    "top_ups_have_a_journal",
)
APPEND_ONLY = ("tip", "pay_floor_week", "pay_floor_round")

# A tip's journal is one line from the rider to the driver of its ride; none is without its tip.
TIPS_REACH_DRIVERS_WHOLE = """
select case when t.id is null then 'tip journal ' || j.id || ' belongs to no tip'
    when (select count(*) from transfer line where line.journal_id = j.id) <> 1
      or not exists (
        select from transfer line join account d on d.id = line.debit_id
        join account c on c.id = line.credit_id join ride r on r.id = t.ride_id
        where line.journal_id = j.id and line.amount_minor = t.amount_minor
          and (d.kind, d.member_id, c.kind, c.member_id)
            = ('rider', r.rider_id, 'driver', r.driver_id))
    then 'tip ' || t.id || ' did not reach its driver whole'
    when exists (select from journal undoing where undoing.reverses = j.id)
    then 'tip ' || t.id || ' was taken back without a dispute' end as fault
from journal j left join tip t on t.journal_id = j.id where j.kind = 'tip'
union all
select case when j.kind is distinct from 'tip' then 'tip ' || t.id || ' has no tip journal' end
from tip t left join journal j on j.id = t.journal_id
"""

# As the books have it: all that disputes gave the rider of a ride, but what was taken back.
REFUNDS_WERE_PAID_BEFORE = """
select case when refunded.minor > s.fare_minor + tips.minor
    then 'ride ' || s.ride_id || ' cost ' || s.fare_minor + tips.minor || ' and disputes gave '
      || refunded.minor || ' back' end as fault
from ride_settlement s
cross join lateral (select coalesce(sum(amount_minor), 0) as minor from tip
                    where ride_id = s.ride_id) as tips
cross join lateral (
  select coalesce(sum(line.amount_minor), 0) as minor
  from journal j join transfer line on line.journal_id = j.id
  join account c on c.id = line.credit_id and c.kind = 'rider'
  where j.subject_id = s.ride_id and j.idem_scope = 'dispute'
    and not exists (select from journal undoing where undoing.reverses = j.id)) as refunded
"""

OTHERS_DECIDE = """
select case when o.decided_by in (r.rider_id, r.driver_id)
      or o.released_by in (r.rider_id, r.driver_id)
    then 'dispute ' || d.id || ' was decided by a party of its ride'
    when o.effective_at is not null and o.amount_minor > 5000 and o.released_by is null
    then 'dispute ' || d.id || ' moved ' || o.amount_minor || ' by one person'
    when o.round = 2 and exists (
      select from dispute_decision first where first.dispute_id = d.id and first.round = 1
        and first.effective_at is not null
        and o.decided_by in (first.decided_by, first.released_by))
    then 'the appeal in dispute ' || d.id || ' was decided by who decided first' end as fault
from dispute_decision o join dispute d on d.id = o.dispute_id join ride r on r.id = d.ride_id
"""

DECISIONS_ARE_BOOKED = """
select case when o.amount_minor > 0 and (j.idem_scope, j.kind, j.subject_id)
      is distinct from ('dispute', 'adjustment', d.ride_id)
    then 'decision ' || o.id || ' has no adjustment of its ride'
    when (o.undone_at is not null)
      <> exists (select from journal undoing where undoing.reverses = j.id)
    then 'decision ' || o.id || ' and its journal disagree on whether it was taken back'
    when booked.minor <> o.amount_minor
    then 'decision ' || o.id || ' moved ' || booked.minor || ' instead of ' || o.amount_minor
    end as fault
from dispute_decision o join dispute d on d.id = o.dispute_id
left join journal j on j.id = o.journal_id
cross join lateral (
  select coalesce(sum(case when c.kind = a.kind then t.amount_minor else -t.amount_minor end), 0)
    as minor
  from (values (case o.outcome when 'refund' then 'rider' else 'driver' end)) as a(kind)
  cross join transfer t join account c on c.id = t.credit_id join account e on e.id = t.debit_id
  where t.journal_id = o.journal_id and a.kind in (c.kind, e.kind)) as booked
where o.effective_at is not null
"""

SPLITS_ARE_BOOKED = """
select case when p.state = 'paid' and (
      (select count(*) from transfer t where t.journal_id = p.journal_id) <> 1 or not exists (
        select from journal j join transfer t on t.journal_id = j.id
        join account d on d.id = t.debit_id join account c on c.id = t.credit_id
        where j.id = p.journal_id and j.kind = 'fare_share' and j.subject_id = s.ride_id
          and t.amount_minor = p.amount_minor and (d.kind, d.member_id, c.kind, c.member_id)
            = ('rider', p.member_id, 'rider', s.rider_id)))
    then 'part ' || p.id || ' of a shared fare was booked otherwise'
    when s.settled_at is not null and p.state in ('invited', 'accepted')
    then 'part ' || p.id || ' of a settled split is still ' || p.state end as fault
from fare_split_part p join fare_split s on s.ride_id = p.ride_id
union all
select case when not exists (select from fare_split_part p where p.journal_id = j.id)
    then 'fare share ' || j.id || ' belongs to no part' end
from journal j where j.kind = 'fare_share'
"""

WEEKS_ARE_FILLED_UP_ONCE = """
select case when w.driver_id is null then 'pay floor journal ' || j.id || ' belongs to no week'
    when (select count(*) from transfer t where t.journal_id = j.id) <> 1 or not exists (
      select from transfer t join account d on d.id = t.debit_id
      join account c on c.id = t.credit_id
      where t.journal_id = j.id and t.amount_minor = w.top_up_minor and d.kind = 'platform_costs'
        and (c.kind, c.member_id) = ('driver', w.driver_id))
    then 'the week of ' || w.week_start || ' of driver ' || w.driver_id || ' was filled otherwise'
    end as fault
from journal j left join pay_floor_week w on w.journal_id = j.id where j.kind = 'pay_floor'
union all
select case when extract(isodow from w.week_start at time zone c.time_zone) <> 1
      or (w.week_start at time zone c.time_zone)::time <> '00:00'
      or (w.week_start at time zone c.time_zone) + interval '7 days'
        <> w.week_end at time zone c.time_zone
    then 'the week of ' || w.week_start || ' of driver ' || w.driver_id || ' is no calendar week'
    end
from pay_floor_week w cross join cooperative c
"""

# Reckoned anew from the rides: pieces of time at the highest rate of the rides they belong to.
WEEKS_COME_OUT_AGAIN = """
with ended as (
  select w.driver_id, w.week_start, r.assigned_at, r.ended_at,
    case when r.arrived_at is null then 0 else coalesce((select o.pickup_m from offer o
      where o.ride_id = r.id and o.driver_id = r.driver_id and o.state = 'accepted'
        and o.run is null limit 1), 0) end
      + case when r.state = 'completed' then q.distance_m else 0 end as distance_m,
    coalesce(s.driver_net_minor - s.pass_through_minor + s.remitted_minor, 0) as earned_minor,
    coalesce((select value::numeric from policy_version where key = 'pay_floor_per_hour_minor'
      and effective_from <= q.quoted_at order by effective_from desc limit 1), 0) as per_hour,
    coalesce((select value::numeric from policy_version where key = 'pay_floor_per_km_minor'
      and effective_from <= q.quoted_at order by effective_from desc limit 1), 0) as per_km
  from pay_floor_week w join ride r on r.driver_id = w.driver_id
    and r.assigned_at <= r.ended_at and r.ended_at >= w.week_start and r.ended_at < w.week_end
  join quote q on q.id = r.quote_id left join ride_settlement s on s.ride_id = r.id),
edge as (
  select driver_id, week_start, assigned_at as at from ended
  union select driver_id, week_start, ended_at from ended),
piece as (
  select driver_id, week_start, at,
    lead(at) over (partition by driver_id, week_start order by at) as until from edge),
rated as (
  select driver_id, week_start, extract(epoch from until - at) * 1000000 as us,
    (select max(per_hour) from ended e where e.driver_id = p.driver_id
      and e.week_start = p.week_start and e.assigned_at <= p.at and e.ended_at >= p.until) as rate
  from piece p where until is not null),
engaged as (
  select driver_id, week_start, coalesce(sum(us) filter (where rate is not null), 0) as us,
    coalesce(sum(us * rate), 0) as weighted from rated group by 1, 2),
driven as (
  select driver_id, week_start, sum(distance_m) as distance_m, sum(earned_minor) as earned_minor,
    sum(distance_m * per_km) as weighted from ended group by 1, 2)
select case when (w.engaged_s, w.distance_m, w.earned_minor, w.floor_minor) is distinct from
      (div(coalesce(e.us, 0), 1000000), d.distance_m, d.earned_minor,
       div(coalesce(e.weighted, 0) + d.weighted * 3600000 + 3599999999, 3600000000))
    then 'the week of ' || w.week_start || ' of driver ' || w.driver_id || ' comes out as '
      || div(coalesce(e.weighted, 0) + d.weighted * 3600000 + 3599999999, 3600000000)
      || ' at least and was reckoned as ' || w.floor_minor end as fault
from pay_floor_week w left join driven d using (driver_id, week_start)
left join engaged e using (driver_id, week_start)
"""

CARE_IS_GUARDED = """
select case when t.oid is null then 'table ' || guard.book || ' lost its guard ' || guard.name
    when t.tgenabled not in ('O', 'A')
    then 'the guard ' || guard.name || ' of table ' || guard.book || ' is switched off' end
    as fault
from (select 'tip', 'tips_are_sensible'
      union all select 'dispute_decision', 'decisions_are_fair'
      union all select book, book || guard from
        unnest(array['dispute', 'dispute_decision', 'fare_split', 'fare_split_part']) as book
        cross join unnest(array['_keeps_its_history', '_is_never_deleted', '_is_never_emptied'])
          as guard) as guard(book, name)
left join pg_trigger t on t.tgname = guard.name
  and t.tgrelid = to_regclass('public.' || guard.book)
"""

PROMISES = (
    ("tips reach drivers whole", TIPS_REACH_DRIVERS_WHOLE),
    ("refunds stay within what was paid", REFUNDS_WERE_PAID_BEFORE),
    ("others decide on a ride", OTHERS_DECIDE),
    ("decisions are booked as decided", DECISIONS_ARE_BOOKED),
    ("shared fares are booked as accepted", SPLITS_ARE_BOOKED),
    ("weeks are filled up once", WEEKS_ARE_FILLED_UP_ONCE),
    ("weeks come out again as reckoned", WEEKS_COME_OUT_AGAIN),
    ("what follows a ride keeps its guard", CARE_IS_GUARDED),
)
