"""The clocks of a driver: each second of a shift is of one kind, whatever overlaps."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.statements.clocks import Clocks, RideTimes, ShiftTimes, read_clocks
from app.statements.periods import Span, calendar_period

NOON = datetime(2026, 5, 22, 12, 0, tzinfo=UTC)
HORIZON = 120


def at(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


@st.composite
def shifts(draw: st.DrawFn) -> ShiftTimes:
    start = draw(st.integers(0, HORIZON))
    end = draw(st.none() | st.integers(start, HORIZON))
    return ShiftTimes(at(start), None if end is None else at(end))


@st.composite
def rides(draw: st.DrawFn) -> RideTimes:
    first, second, third = sorted(draw(st.integers(0, HORIZON)) for _ in range(3))
    far = draw(st.sampled_from(["assigned", "under way", "ended", "called off"]))
    return RideTimes(
        assigned_at=at(first),
        started_at=at(second) if far in ("under way", "ended") else None,
        ended_at=at(third) if far in ("ended", "called off") else None,
    )


many_shifts = st.lists(shifts(), max_size=4)
many_rides = st.lists(rides(), max_size=6)
seconds = st.integers(0, HORIZON)


def counted(
    worked: list[ShiftTimes], driven: list[RideTimes], since: int, until: int, now: int
) -> Clocks:
    """The same clocks, counted second by second."""
    ran = {"available": 0, "dispatch": 0, "on_trip": 0}

    def within(start: datetime, end: datetime | None, moment: datetime) -> bool:
        return start <= moment < (end or at(now))

    for second in range(since, min(until, now)):
        moment = at(second)
        on_trip = any(
            r.started_at is not None and within(r.started_at, r.ended_at, moment) for r in driven
        )
        taken = any(within(r.assigned_at, r.started_at or r.ended_at, moment) for r in driven)
        if on_trip:
            ran["on_trip"] += 1
        elif taken:
            ran["dispatch"] += 1
        elif any(within(s.started_at, s.ended_at, moment) for s in worked):
            ran["available"] += 1
    return Clocks(
        available_s=ran["available"],
        dispatch_s=ran["dispatch"],
        on_trip_s=ran["on_trip"],
        online_s=sum(ran.values()),
    )


@given(many_shifts, many_rides, seconds, seconds, seconds)
def test_clocks_are_what_counting_each_second_gives(
    worked: list[ShiftTimes], driven: list[RideTimes], one: int, other: int, now: int
) -> None:
    since, until = sorted((one, other))

    ran = read_clocks(worked, driven, since=at(since), until=at(until), now=at(now))

    assert ran == counted(worked, driven, since, until, now)
    assert ran.available_s + ran.dispatch_s + ran.on_trip_s == ran.online_s


@given(many_shifts, many_rides, st.lists(st.floats(0, HORIZON), min_size=3, max_size=3))
def test_two_periods_in_a_row_run_as_long_as_both_in_one(
    worked: list[ShiftTimes], driven: list[RideTimes], edges: list[float]
) -> None:
    first, middle, last = (at(second) for second in sorted(edges))
    now = at(HORIZON)

    one = read_clocks(worked, driven, since=first, until=middle, now=now)
    other = read_clocks(worked, driven, since=middle, until=last, now=now)
    both = read_clocks(worked, driven, since=first, until=last, now=now)

    assert both == Clocks(
        available_s=one.available_s + other.available_s,
        dispatch_s=one.dispatch_s + other.dispatch_s,
        on_trip_s=one.on_trip_s + other.on_trip_s,
        online_s=one.online_s + other.online_s,
    )


@given(many_shifts, many_rides)
def test_a_ride_counted_twice_adds_nothing(
    worked: list[ShiftTimes], driven: list[RideTimes]
) -> None:
    period = {"since": at(0), "until": at(HORIZON), "now": at(HORIZON)}

    assert read_clocks(worked, driven * 2, **period) == read_clocks(worked, driven, **period)


def test_a_shift_with_one_ride_runs_on_all_three() -> None:
    ran = read_clocks(
        [ShiftTimes(at(0), at(100))],
        [RideTimes(at(20), at(35), at(80))],
        since=at(0),
        until=at(1000),
        now=at(1000),
    )

    assert ran == Clocks(available_s=40, dispatch_s=15, on_trip_s=45, online_s=100)


def test_a_ride_begun_before_the_period_is_cut_at_its_edge() -> None:
    ran = read_clocks(
        [ShiftTimes(at(0), at(100))],
        [RideTimes(at(20), at(35), at(80))],
        since=at(30),
        until=at(60),
        now=at(1000),
    )

    assert ran == Clocks(available_s=0, dispatch_s=5, on_trip_s=25, online_s=30)


def test_a_shared_ride_taken_while_a_rider_is_in_the_car_is_time_on_trip() -> None:
    ran = read_clocks(
        [ShiftTimes(at(0), at(100))],
        [RideTimes(at(0), at(10), at(60)), RideTimes(at(20), at(40), at(90))],
        since=at(0),
        until=at(100),
        now=at(100),
    )

    assert ran == Clocks(available_s=10, dispatch_s=10, on_trip_s=80, online_s=100)


def test_an_open_shift_runs_until_now_and_not_into_the_future() -> None:
    ran = read_clocks([ShiftTimes(at(0), None)], [], since=at(0), until=at(500), now=at(70))

    assert ran == Clocks(available_s=70, dispatch_s=0, on_trip_s=0, online_s=70)


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot end"):
        read_clocks([], [], since=at(1), until=at(0), now=at(5))


VADUZ_TIME = ZoneInfo("Europe/Vaduz")
# By day and its length in hours: the one that spring shortens, the one that autumn lengthens.
DAYS = [(date(2026, 3, 29), 23), (date(2026, 5, 22), 24), (date(2026, 10, 25), 25)]


@pytest.mark.parametrize(("day", "hours"), DAYS)
def test_a_night_shift_over_midnight_and_a_clock_change_is_as_long_as_it_was(
    day: date, hours: int
) -> None:
    eve = calendar_period(Span.DAY, on=day - timedelta(days=1), time_zone=VADUZ_TIME)
    changed = calendar_period(Span.DAY, on=day, time_zone=VADUZ_TIME)
    start = eve.until.astimezone(UTC) - timedelta(hours=2)
    end = start + timedelta(hours=2 + hours + 1)
    ride = RideTimes(start + timedelta(hours=1), start + timedelta(hours=1.5), end)

    before, during = (
        read_clocks(
            [ShiftTimes(start, end)], [ride], since=period.since, until=period.until, now=end
        )
        for period in (eve, changed)
    )

    assert before == Clocks(available_s=3600, dispatch_s=1800, on_trip_s=1800, online_s=7200)
    assert (during.on_trip_s, during.online_s) == (hours * 3600, hours * 3600)


def test_in_the_hour_that_comes_twice_a_period_may_end_earlier_on_the_wall() -> None:
    since = datetime(2026, 10, 25, 2, 30, tzinfo=VADUZ_TIME, fold=0)
    until = datetime(2026, 10, 25, 2, 15, tzinfo=VADUZ_TIME, fold=1)

    ran = read_clocks(
        [ShiftTimes(since.astimezone(UTC), None)],
        [],
        since=since,
        until=until,
        now=NOON.replace(year=2027),
    )

    assert ran.online_s == 45 * 60
    with pytest.raises(ValueError, match="cannot end"):
        read_clocks([], [], since=until, until=since, now=NOON)
