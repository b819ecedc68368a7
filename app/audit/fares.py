"""Invariants of fares: priced by what was decided, settled once, and booked as settled."""

CONSTRAINTS = (
    "a_fare_is_split_to_the_cent",
    "commission_is_the_share_rounded_down",
    "what_passes_through_is_a_part",
    "surge_is_at_most_the_voted_cap",
    "a_wheelchair_costs_nothing",
    "settlements_are_split_to_the_cent",
    "settled_commission_is_the_share_rounded_down",
    "settlements_pass_a_part_through",
    "settlements_are_positive",
    "somebody_remits_vat",
    "somebody_else_releases_a_tariff",
    "two_people_set_a_tariff",
    "tariffs_are_for_later",
    "a_tariff_is_decided_once",
    "changes_are_accepted_in_time",
)
UNIQUE_INDEXES = (
    "one_tariff_at_a_moment",
    "ride_settlement_pkey",
    "a_journal_settles_one_ride",
    "a_quote_is_of_one_change",
    "one_open_change_per_ride",
)
APPEND_ONLY = ("ride_settlement",)
GUARDED_TABLES = ("tariff_proposal", "ride_change")

COMPLETED_RIDES_ARE_PAID_ONCE = """
select case when count(j.id) <> 1
    then 'completed ride ' || r.id || ' has ' || count(j.id) || ' fare journals' end as fault
from ride r left join journal j on j.subject_id = r.id and j.kind = 'ride_fare'
where r.state = 'completed' group by r.id
"""

FARES_ARE_OF_COMPLETED_RIDES = """
select case when r.id is null then 'fare journal ' || j.id || ' belongs to no ride'
    when (j.kind = 'ride_fare') <> (r.state = 'completed')
      or r.state not in ('completed', 'cancelled', 'no_show')
    then 'journal ' || j.id || ', a ' || j.kind || ', belongs to ride ' || r.id || ', which is '
      || r.state end
    as fault
from journal j left join ride r on r.id = j.subject_id where j.kind in ('ride_fare', 'ride_fee')
"""

# Each journal of a ride has its settlement and each settlement its journal.
RIDES_ARE_SETTLED_ONCE = """
select case when s.ride_id is null then 'journal ' || j.id || ' settles no ride'
    when j.id is null then 'ride ' || s.ride_id || ' was settled without a journal of its own'
    when (s.kind = 'fare') <> (j.kind = 'ride_fare')
    then 'ride ' || s.ride_id || ' was settled for a ' || s.kind || ' by a ' || j.kind end as fault
from (select * from journal where kind in ('ride_fare', 'ride_fee')) as j
full join ride_settlement s on s.journal_id = j.id and s.ride_id = j.subject_id
"""

FARES_ARE_BOOKED_AS_SETTLED = """
select case when lines.fare <> s.fare_minor
    then 'ride ' || r.id || ' was settled at ' || s.fare_minor || ' and booked at ' || lines.fare
    when lines.commission <> s.commission_minor
    then 'ride ' || r.id || ' owes a commission of ' || s.commission_minor
      || ' and was booked at ' || lines.commission
    when lines.passed <> s.remitted_minor
    then 'ride ' || r.id || ' owes others ' || s.remitted_minor || ' and was booked at '
      || lines.passed
    when lines.other > 0 then 'the journal of ride ' || r.id || ' moves other money too' end
    as fault
from ride_settlement s join ride r on r.id = s.ride_id
cross join lateral (
  select coalesce(sum(t.amount_minor) filter (where way.is_fare), 0) as fare,
    coalesce(sum(t.amount_minor) filter (where way.is_commission), 0) as commission,
    coalesce(sum(t.amount_minor) filter (where way.is_passed), 0) as passed,
    count(*) filter (where not way.is_fare and not way.is_commission and not way.is_passed)
      as other
  from transfer t
  join account d on d.id = t.debit_id
  join account c on c.id = t.credit_id
  cross join lateral (select
    d.kind = 'rider' and d.member_id = r.rider_id
      and c.kind = 'driver' and c.member_id = r.driver_id as is_fare,
    d.kind = 'driver' and d.member_id = r.driver_id
      and c.kind = 'commission_income' as is_commission,
    d.kind = 'driver' and d.member_id = r.driver_id
      and c.kind = 'pass_through' as is_passed) as way
  where t.journal_id = s.journal_id) as lines
"""

# A fare is the quote and perhaps waiting, by its terms; a fee is never above the fare.
FARES_ARE_AS_QUOTED = """
select case when lines.total <> s.fare_minor
    then 'the lines of ride ' || r.id || ' add up to ' || lines.total || ', it cost '
      || s.fare_minor
    when s.commission_bp <> q.commission_bp
    then 'ride ' || r.id || ' was settled under another share than it was quoted'
    when s.kind = 'fare' and s.fare_minor - lines.waiting <> q.fare_minor
    then 'ride ' || r.id || ' was quoted ' || q.fare_minor || ' and settled at '
      || s.fare_minor - lines.waiting || ' without waiting'
    when lines.waiting > waited.most_minor
    then 'ride ' || r.id || ' was charged ' || lines.waiting || ' for waiting, its terms allow '
      || waited.most_minor
    when s.kind = 'fee' and s.fare_minor > q.fare_minor
    then 'ride ' || r.id || ' cost ' || s.fare_minor || ' by not taking place, and '
      || q.fare_minor || ' if it had' end as fault
from ride_settlement s join ride r on r.id = s.ride_id join quote q on q.id = r.quote_id
cross join lateral (
  select coalesce(sum(amount_minor), 0) as total,
    coalesce(sum(amount_minor) filter (where code = 'waiting'), 0) as waiting
  from jsonb_to_recordset(s.items) as item(code text, amount_minor bigint)) as lines
cross join lateral (
  select coalesce(greatest(floor(extract(epoch from
      r.started_at - greatest(r.arrived_at, r.pickup_from)))::bigint
    - (q.terms ->> 'free_wait_s')::bigint, 0)
    * (q.terms ->> 'wait_per_minute_minor')::bigint / 60, 0) as most_minor) as waited
"""

FARES_NAME_THEIR_POLICY = """
select case when j.policy_version_id is distinct from q.policy_version_id
    then 'ride ' || r.id || ' was booked under another policy than it was quoted' end as fault
from journal j join ride r on r.id = j.subject_id join quote q on q.id = r.quote_id
where j.kind in ('ride_fare', 'ride_fee')
"""

# The price of a change rests on what was in force when the ride was first quoted.
QUOTES_USE_THE_POLICY_IN_FORCE = """
select case when p.id is null then 'quote ' || q.id || ' was given while no share was in force'
    when p.id <> q.policy_version_id
    then 'quote ' || q.id || ' names another policy than the one in force when it was given'
    when p.value <> to_jsonb(q.commission_bp)
    then 'quote ' || q.id || ' takes ' || q.commission_bp || ' bp, the members decided ' || p.value
    end as fault
from quote q left join quote first on first.id = q.changes_quote_id
left join lateral (select id, value from policy_version
                   where key = 'commission_bp'
                     and effective_from <= coalesce(first.quoted_at, q.quoted_at)
                   order by effective_from desc limit 1) as p on true
"""

SURGE_KEEPS_TO_THE_CAP = """
select case when q.surge_bp > 10000 and (p.value is null or to_jsonb(q.surge_bp) > p.value)
    then 'quote ' || q.id || ' asks ' || q.surge_bp || ' bp, the members allow '
      || coalesce(p.value::text, 'none')
    when q.surge_policy_version_id is not null and q.surge_policy_version_id <> p.id
    then 'quote ' || q.id || ' names another cap than the one in force when it was given'
    end as fault
from quote q left join quote first on first.id = q.changes_quote_id
left join lateral (select id, value from policy_version
                   where key = 'surge_cap_bp'
                     and effective_from <= coalesce(first.quoted_at, q.quoted_at)
                   order by effective_from desc limit 1) as p on true
"""

SHARING_COSTS_NO_MORE = """
select case when fare_minor > solo_fare_minor
    then 'quote ' || id || ' costs ' || fare_minor || ' shared and ' || solo_fare_minor || ' alone'
    end as fault
from quote
"""

WHEELCHAIRS_COST_NOTHING = """
select case when fare_minor > plain_fare_minor
    then 'quote ' || id || ' costs ' || fare_minor || ' with a wheelchair and '
      || plain_fare_minor || ' without' end as fault
from quote
"""

TWO_PEOPLE_SET_PRICES = """
select case when t.proposed_by is null and t.effective_from <> c.founded_at
    then 'tariff ' || t.id || ' is not the first one and nobody proposed it'
    when t.proposed_by = t.released_by
    then 'tariff ' || t.id || ' was released by whoever proposed it'
    when t.proposed_by is not null and (p.id is null or p.released_at is null
      or (p.proposed_by, p.released_by, p.effective_from)
        <> (t.proposed_by, t.released_by, t.effective_from))
    then 'tariff ' || t.id || ' is not as it was proposed and released' end as fault
from tariff_version t left join cooperative c on true left join tariff_proposal p on p.id = t.id
"""

CHANGES_WERE_ACCEPTED = """
select case when q.changes_quote_id is not null and c.accepted_at is null
    then 'ride ' || r.id || ' goes by a price that its rider did not accept' end as fault
from ride r join quote q on q.id = r.quote_id
left join ride_change c on c.quote_id = q.id and c.ride_id = r.id
"""

HISTORIES_ARE_GUARDED = f"""
select case when t.oid is null then 'table ' || wanted.name || ' lost its guard ' || guard.name
    when t.tgenabled not in ('O', 'A')
    then 'the guard ' || guard.name || ' of table ' || wanted.name || ' is switched off' end
    as fault
from (values {", ".join(f"('{name}')" for name in GUARDED_TABLES)}) as wanted(name)
cross join lateral (values (wanted.name || '_keeps_its_history'),
                           (wanted.name || '_is_never_deleted'),
                           (wanted.name || '_is_never_emptied')) as guard(name)
left join pg_trigger t on t.tgname = guard.name
  and t.tgrelid = to_regclass('public.' || wanted.name)
"""  # noqa: S608 - constants of this module
