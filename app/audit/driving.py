"""Invariants of who drives and rides with whom, each as one statement."""
# ruff: noqa: S608 - only constants of this program are put into the statements

from app.rides import lifecycle

MOST_SHARED_RIDES = 3  # in one car; the database's trigger says so too


def states(some: tuple[lifecycle.RideState, ...]) -> str:
    """Return states of rides as the members of an IN list."""
    return ", ".join(repr(str(state)) for state in some)


ONE_RIDE_PER_DRIVER = f"""
select case when count(*) filter (where not is_shared) > 1
      or (bool_or(is_shared) and not bool_and(is_shared)) or count(*) > {MOST_SHARED_RIDES}
    then 'driver ' || driver_id || ' has ' || count(*) || ' open rides, '
      || count(*) filter (where is_shared) || ' of them shared' end as fault
from ride where state in ({states(lifecycle.DRIVING_STATES)}) group by driver_id
"""

CARS_HOLD_THEIR_SEATS = f"""
select case when sum(r.seats) > v.seats
    then 'car ' || v.id || ' has ' || v.seats || ' seats and ' || sum(r.seats) || ' riders' end
    as fault
from ride r join vehicle v on v.id = r.vehicle_id
where r.state in ({states(lifecycle.DRIVING_STATES)}) group by v.id, v.seats
"""

WHEELCHAIRS_FIT = f"""
select case when q.with_wheelchair and not v.takes_wheelchair
    then 'ride ' || r.id || ' has a wheelchair, and car ' || v.id || ' takes none' end as fault
from ride r join quote q on q.id = r.quote_id join vehicle v on v.id = r.vehicle_id
where r.state in ({states(lifecycle.DRIVING_STATES)})
"""

CARS_ARE_GUARDED = """
select case when t.oid is null then 'table ride lost its guard ' || wanted.name
    when t.tgenabled not in ('O', 'A')
    then 'the guard ' || wanted.name || ' of table ride is switched off' end as fault
from (values ('cars_keep_within_their_seats'), ('wheelchairs_ride_in_cars_that_take_them'))
  as wanted(name)
left join pg_trigger t on t.tgname = wanted.name and t.tgrelid = to_regclass('public.ride')
"""

ONE_RIDE_PER_RIDER = f"""
select case when count(*) > 1
    then 'rider ' || rider_id || ' has ' || count(*) || ' open rides' end as fault
from ride where state in ({states(lifecycle.OPEN_STATES)}) group by rider_id
"""

PICKUP_WINDOWS_ARE_APART = """
select case when other.id is not null
    then 'rides ' || r.id || ' and ' || other.id || ' of one rider are for one time' end as fault
from ride r left join lateral (
  select o.id from ride o where o.rider_id = r.rider_id and o.id > r.id and o.ended_at is null
    and o.pickup_from < r.pickup_until and o.pickup_until > r.pickup_from limit 1) as other on true
where r.ended_at is null
"""

# An accepted offer is the beginning of an assignment: were there two for one, somebody drives in
# vain. Each driver's accepted offers are compared with the times the ride was given to them.
ONE_ACCEPTED_OFFER = """
select case when accepted.times > coalesce(given.times, 0)
    then 'ride ' || accepted.ride_id || ': driver ' || accepted.driver_id || ' accepted '
      || accepted.times || ' offers but was given the ride ' || coalesce(given.times, 0)
      || ' times' end as fault
from (select ride_id, driver_id, count(*) as times from offer where state = 'accepted'
      group by ride_id, driver_id) as accepted
left join (select stream_id, (data->>'driver_id')::uuid as driver_id, count(*) as times
           from event_log where type = 'ride.assigned' group by 1, 2) as given
  on given.stream_id = accepted.ride_id and given.driver_id = accepted.driver_id
"""
