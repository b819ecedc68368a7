"""The pay floor: by time and distance, once a week, to the cent."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.pay_floor import EngagedRide, week_of, week_pay

VADUZ = ZoneInfo("Europe/Vaduz")
MONDAY = datetime(2026, 5, 18, 6, 0, tzinfo=UTC)


def ride(
    *,
    after_s: float = 0,
    lasts_s: float = 3600,
    distance_m: int = 0,
    earned: int = 0,
    per_hour: int = 2400,
    per_km: int = 0,
) -> EngagedRide:
    begins = MONDAY + timedelta(seconds=after_s)
    return EngagedRide(
        accepted_at=begins,
        ended_at=begins + timedelta(seconds=lasts_s),
        distance_m=distance_m,
        earned_minor=earned,
        per_hour_minor=per_hour,
        per_km_minor=per_km,
    )


RIDES = st.builds(
    ride,
    after_s=st.integers(0, 5000),
    lasts_s=st.integers(0, 3000),
    distance_m=st.integers(0, 60_000),
    earned=st.integers(0, 20_000),
    per_hour=st.sampled_from([0, 2400, 2500, 3100]),
    per_km=st.sampled_from([0, 30, 35]),
)


def test_a_week_below_the_floor_is_filled_up() -> None:
    pay = week_pay([ride(lasts_s=5400, distance_m=20_000, earned=3000, per_km=40)])

    assert (pay.engaged_s, pay.distance_m, pay.floor_minor) == (5400, 20_000, 3600 + 800)
    assert pay.top_up_minor == 1400


def test_a_week_at_or_above_the_floor_gets_nothing() -> None:
    assert week_pay([ride(earned=2400)]).top_up_minor == 0
    assert week_pay([ride(earned=2399)]).top_up_minor == 1
    assert week_pay([ride(earned=9000)]).top_up_minor == 0


def test_a_good_ride_fills_up_a_bad_one_of_the_same_week() -> None:
    assert week_pay([ride(earned=400), ride(after_s=7200, earned=4400)]).top_up_minor == 0


def test_a_week_without_rides_owes_nothing() -> None:
    pay = week_pay([])

    assert (pay.engaged_s, pay.floor_minor, pay.top_up_minor) == (0, 0, 0)


def test_the_floor_is_rounded_up_once() -> None:
    third = ride(lasts_s=1, per_hour=1200)  # a third of a cent

    assert week_pay([third]).floor_minor == 1
    assert week_pay([ride(after_s=n, lasts_s=1, per_hour=1200) for n in range(3)]).floor_minor == 1


def test_time_of_shared_rides_counts_once_and_at_the_highest_rate() -> None:
    together = [ride(), ride(after_s=1800, per_hour=3000)]

    pay = week_pay(together)

    assert pay.engaged_s == 5400
    assert pay.floor_minor == 1200 + 3000


@pytest.mark.parametrize(
    "wrong", [{"lasts_s": -1}, {"distance_m": -1}, {"earned": -1}, {"per_hour": -1}, {"per_km": -1}]
)
def test_impossible_rides_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"0 or more|before"):
        ride(**wrong)


@given(st.lists(RIDES, max_size=8))
def test_the_floor_is_what_each_second_and_metre_adds_up_to(rides: list[EngagedRide]) -> None:
    exact = Fraction()
    engaged = 0
    for second in range(8000):
        at = MONDAY + timedelta(seconds=second)
        rates = [r.per_hour_minor for r in rides if r.accepted_at <= at < r.ended_at]
        if rates:
            engaged += 1
            exact += Fraction(max(rates), 3600)
    exact += sum((Fraction(r.distance_m * r.per_km_minor, 1000) for r in rides), Fraction())

    pay = week_pay(rides)

    assert pay.engaged_s == engaged
    assert pay.floor_minor == ceil(exact)
    assert pay.earned_minor + pay.top_up_minor == max(pay.earned_minor, pay.floor_minor)


@given(st.lists(RIDES, min_size=1, max_size=8), st.data())
def test_another_ride_never_lowers_the_floor_and_their_order_never_matters(
    rides: list[EngagedRide], data: st.DataObject
) -> None:
    assert week_pay(rides).floor_minor >= week_pay(rides[:-1]).floor_minor
    assert week_pay(data.draw(st.permutations(rides))) == week_pay(rides)


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        (datetime(2026, 5, 20, tzinfo=UTC), 168),
        (datetime(2026, 3, 26, tzinfo=UTC), 167),  # clocks go forward on Sunday 29 March
        (datetime(2026, 10, 22, tzinfo=UTC), 169),  # and back on Sunday 25 October
    ],
)
def test_a_week_is_a_calendar_week_also_where_clocks_change(moment: datetime, hours: int) -> None:
    week = week_of(moment, zone=VADUZ)

    for end in (week.start, week.end):
        local = end.astimezone(VADUZ)
        assert (local.weekday(), local.hour, local.minute) == (0, 0, 0)
    assert (week.end - week.start) == timedelta(hours=hours)


def test_sunday_night_belongs_to_the_week_before() -> None:
    midnight = datetime(2026, 5, 24, 22, 0, tzinfo=UTC)  # of Monday the 25th in Vaduz

    assert week_of(midnight - timedelta(microseconds=1), zone=VADUZ).end == midnight
    assert week_of(midnight, zone=VADUZ).start == midnight


def test_a_moment_without_a_zone_is_in_no_week() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        week_of(datetime(2026, 5, 24), zone=VADUZ)  # noqa: DTZ001 - that is what is refused


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the zone is given beside
    st.sampled_from(["Europe/Vaduz", "America/New_York", "Asia/Beirut", "America/Santiago"]),
)
def test_each_moment_is_in_exactly_one_week(moment: datetime, key: str) -> None:
    zone = ZoneInfo(key)
    week = week_of(moment, zone=zone)

    assert week.start <= moment < week.end
    assert week_of(week.end, zone=zone).start == week.end
    assert week_of(week.start, zone=zone) == week
