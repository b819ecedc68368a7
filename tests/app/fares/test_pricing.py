"""A price is its lines, each by a stated rule, and nobody's share is taken of what passes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import h3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.fares.division import PASSED_THROUGH, divide
from app.fares.pricing import Trip, contains, count_near, is_night, price, surge_bp
from app.fares.rules import FareItem
from app.fares.words import describe, example
from app.tariff import Night, Tariff, Vat, Zone
from matching.travel import Point

VADUZ, BALZERS = Point(lat=47.1410, lng=9.5209), Point(lat=47.0660, lng=9.5030)
ZONE = ZoneInfo("Europe/Vaduz")
NOON = datetime(2026, 5, 20, 10, tzinfo=UTC)  # a Wednesday
AROUND_VADUZ = {"name": "Vaduz", "corners": [[47.13, 9.51], [47.13, 9.53], [47.15, 9.52]]}
AROUND_BALZERS = {"name": "Balzers", "cells": [h3.latlng_to_cell(47.0660, 9.5030, 6)]}


def tariff(**more: Any) -> Tariff:
    prices = {
        "base_minor": 600,
        "per_km_minor": 320,
        "per_minute_minor": 70,
        "minimum_minor": 1000,
        "free_wait_s": 180,
        "wait_per_minute_minor": 70,
    }
    return Tariff.model_validate(prices | more)


def trip(**more: Any) -> Trip:
    usual = Trip(distance_m=10_000, duration_s=600, pickup=VADUZ, dropoff=BALZERS, at=NOON)
    return replace(usual, **more)


def lines(of: Tariff, ride: Trip, **more: Any) -> dict[str, int]:
    found = price(of, trip=ride, time_zone=ZONE, **more)
    assert len({item.code for item in found}) == len(found)
    return {item.code: item.amount_minor for item in found}


MINOR = st.integers(0, 20_000)
TRIPS = st.builds(
    trip,
    distance_m=st.integers(0, 200_000),
    duration_s=st.integers(0, 20_000),
    at=st.integers(0, 1_000_000).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    is_shared=st.booleans(),
)
TARIFFS = st.builds(
    tariff,
    base_minor=st.integers(1, 5_000),
    per_km_minor=MINOR,
    per_minute_minor=MINOR,
    minimum_minor=MINOR,
    shared_discount_bp=st.integers(0, 9_000),
    nights=st.lists(
        st.builds(
            dict,
            name=st.just("Night"),
            begins=st.just("22:00"),
            ends=st.sampled_from(["06:00", "23:00"]),
            share_bp=st.integers(1, 10_000),
        ),
        max_size=2,
    ),
    zones=st.just([AROUND_VADUZ, AROUND_BALZERS]),
    charges=st.lists(
        st.builds(
            dict,
            name=st.just("Charge"),
            code=st.sampled_from(["zone", "airport", "toll", "tax"]),
            amount_minor=st.integers(1, 5_000),
            zone=st.sampled_from([None, "Vaduz", "Balzers"]),
        ),
        max_size=3,
    ),
    fixed_fares=st.lists(
        st.just({"name": "Fixed", "between": ["Vaduz", "Balzers"], "amount_minor": 4_000}),
        max_size=1,
    ),
    bounds=st.none()
    | st.builds(
        dict,
        law=st.just("a law"),
        least_minor=st.integers(0, 500),
        most_minor=st.integers(501, 30_000),
        least_per_km_minor=st.integers(0, 100),
        most_per_km_minor=st.integers(101, 10_000),
    ),
    vat=st.just({})
    | st.builds(
        dict,
        rate_bp=st.integers(1, 2_500),
        remitted_by=st.sampled_from(["driver", "cooperative"]),
    ),
)


@given(of=TARIFFS, ride=TRIPS, cap_bp=st.integers(10_000, 100_000), share=st.integers(0, 10_000))
def test_every_part_of_a_fare_belongs_to_somebody_and_no_share_is_taken_of_what_passes(
    of: Tariff, ride: Trip, cap_bp: int, share: int
) -> None:
    items = price(of, trip=ride, time_zone=ZONE, multiplier_bp=cap_bp)
    parts = divide(items, commission_bp=share, vat=of.vat)

    passed = sum(item.amount_minor for item in items if item.code in PASSED_THROUGH)
    own = parts.fare_minor - passed
    assert parts.fare_minor == sum(item.amount_minor for item in items) > 0
    assert parts.commission_minor + parts.driver_net_minor + parts.remitted_minor == (
        parts.fare_minor
    )
    assert min(parts.commission_minor, parts.driver_net_minor, parts.remitted_minor) >= 0
    # The share is of the price without what passes, and a part of a cent is never commission.
    exact = (parts.fare_minor - parts.pass_through_minor) * share
    assert 0 <= exact - parts.commission_minor * 10_000 < 10_000
    assert abs(parts.vat_minor * (10_000 + of.vat.rate_bp) - own * of.vat.rate_bp) <= (
        (10_000 + of.vat.rate_bp) / 2
    )


@given(of=TARIFFS, ride=TRIPS, multiplier_bp=st.integers(10_000, 100_000))
def test_neither_a_wheelchair_nor_sharing_ever_costs_more(
    of: Tariff, ride: Trip, multiplier_bp: int
) -> None:
    def fare(**more: Any) -> int:
        items = price(of, trip=replace(ride, **more), time_zone=ZONE, multiplier_bp=multiplier_bp)
        return sum(item.amount_minor for item in items)

    assert fare(with_wheelchair=True) <= fare(with_wheelchair=False)
    assert fare(is_shared=True) <= fare(is_shared=False)


@given(
    waiting=st.integers(0, 500),
    free=st.integers(0, 500),
    step_bp=st.integers(0, 10_000),
    cap_bp=st.integers(10_000, 100_000),
)
def test_surge_never_exceeds_the_voted_cap_and_is_none_while_drivers_are_free(
    waiting: int, free: int, step_bp: int, cap_bp: int
) -> None:
    found = surge_bp(waiting=waiting, free_drivers=free, step_bp=step_bp, cap_bp=cap_bp)

    assert 10_000 <= found <= cap_bp
    assert waiting > free or found == 10_000


@given(of=TARIFFS, ride=TRIPS, multiplier_bp=st.integers(10_000, 30_000))
def test_the_surge_line_is_at_most_its_share_of_the_lines_before_it(
    of: Tariff, ride: Trip, multiplier_bp: int
) -> None:
    items = price(of, trip=ride, time_zone=ZONE, multiplier_bp=multiplier_bp)
    codes = [item.code for item in items]
    if "surge" not in codes:
        return
    before = sum(item.amount_minor for item in items[: codes.index("surge")])

    extra = items[codes.index("surge")].amount_minor
    assert 0 <= before * (multiplier_bp - 10_000) - extra * 10_000 < 10_000


@given(of=TARIFFS, ride=TRIPS, multiplier_bp=st.integers(10_000, 100_000))
def test_the_price_of_a_ride_is_never_above_what_the_law_allows(
    of: Tariff, ride: Trip, multiplier_bp: int
) -> None:
    items = price(of, trip=ride, time_zone=ZONE, multiplier_bp=multiplier_bp)
    own = sum(item.amount_minor for item in items if item.code not in PASSED_THROUGH)

    if of.bounds is not None:
        most = min(
            of.bounds.most_minor, max(ride.distance_m * of.bounds.most_per_km_minor // 1000, 1)
        )
        assert own <= most
        assert own >= min(of.bounds.least_minor, most)


def test_surge_is_a_line_of_its_own() -> None:
    assert lines(tariff(), trip(), multiplier_bp=12_500) == {
        "base": 600,
        "distance": 3200,
        "time": 700,
        "surge": 1125,
    }


def test_who_is_near_is_counted_by_cells() -> None:
    assert count_near(VADUZ, others=[VADUZ, Point(lat=47.1450, lng=9.5209), BALZERS]) == 2


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-05-22T19:59:59+00:00", False),  # Friday, 21:59:59 on the wall
        ("2026-05-22T20:00:00+00:00", True),
        ("2026-05-23T03:59:59+00:00", True),  # the night of Friday reaches into Saturday
        ("2026-05-23T04:00:00+00:00", False),
        ("2026-05-23T20:00:00+00:00", False),  # the night of Saturday is not meant
        ("2026-01-09T21:00:00+00:00", True),  # in winter an hour later in UTC
        ("2026-01-09T20:59:59+00:00", False),
    ],
)
def test_the_night_goes_by_the_clock_on_the_wall_and_by_the_day_it_began(
    at: str, *, expected: bool
) -> None:
    night = Night(name="Night", begins="22:00", ends="06:00", weekdays=(5,), share_bp=2000)

    assert is_night(night, at=datetime.fromisoformat(at), time_zone=ZONE) is expected


def test_the_hour_that_comes_twice_is_night_both_times_and_the_lost_one_never_comes() -> None:
    night = Night(name="Small hours", begins="02:00", ends="03:00", amount_minor=500)

    def minutes(day: datetime) -> int:
        return sum(
            is_night(night, at=day + timedelta(minutes=m), time_zone=ZONE) for m in range(1440)
        )

    assert minutes(datetime(2026, 10, 24, 22, tzinfo=UTC)) == 120  # clocks go back
    assert minutes(datetime(2026, 3, 28, 23, tzinfo=UTC)) == 0  # clocks go forward
    assert minutes(datetime(2026, 6, 1, 22, tzinfo=UTC)) == 60


def test_a_night_without_a_zone_of_time_is_refused() -> None:
    night = Night(name="Night", begins="22:00", ends="06:00", share_bp=2000)
    with pytest.raises(ValueError, match="no time zone"):
        is_night(night, at=datetime(2026, 1, 1), time_zone=ZONE)  # noqa: DTZ001 - what is refused


def test_zones_are_cells_or_polygons() -> None:
    vaduz, balzers = Zone.model_validate(AROUND_VADUZ), Zone.model_validate(AROUND_BALZERS)

    assert (contains(vaduz, VADUZ), contains(vaduz, BALZERS)) == (True, False)
    assert (contains(balzers, VADUZ), contains(balzers, BALZERS)) == (False, True)


def test_charges_go_by_the_end_that_is_in_their_zone() -> None:
    def charged(at: str) -> dict[str, int]:
        charge = {"name": "Gate", "code": "airport", "amount_minor": 400, "zone": "Vaduz", "at": at}
        return lines(tariff(zones=[AROUND_VADUZ], charges=[charge]), trip())

    assert charged("pickup")["airport"] == charged("either")["airport"] == 400
    assert "airport" not in charged("dropoff")


def test_a_fixed_fare_stands_for_distance_time_night_and_surge() -> None:
    fixed = {"name": "Valley", "between": ["Balzers", "Vaduz"], "amount_minor": 3_000}
    night = {"name": "All day", "begins": "00:00", "ends": "23:59", "share_bp": 5_000}
    toll = {"name": "Tunnel", "code": "toll", "amount_minor": 250}
    of = tariff(
        zones=[AROUND_VADUZ, AROUND_BALZERS], fixed_fares=[fixed], nights=[night], charges=[toll]
    )

    assert lines(of, trip(), multiplier_bp=20_000) == {"fixed": 3_000, "toll": 250}
    assert "fixed" not in lines(of, trip(dropoff=VADUZ))


@pytest.mark.parametrize(
    ("bounds", "line"),
    [
        ({"most_per_km_minor": 300}, ("legal_most", -1500)),
        ({"most_minor": 4_000}, ("legal_most", -500)),
        ({"least_per_km_minor": 500}, ("legal_least", 500)),
        ({"least_minor": 4_500, "most_minor": 4_500}, None),
    ],
)
def test_the_law_clamps_a_price_with_a_line_that_says_so(
    bounds: dict[str, int], line: tuple[str, int] | None
) -> None:
    found = lines(tariff(bounds={"law": "a law"} | bounds), trip())

    legal = {code: minor for code, minor in found.items() if code.startswith("legal")}
    assert legal == ({line[0]: line[1]} if line else {})


def test_a_toll_goes_whole_to_the_driver_and_a_tax_whole_to_others() -> None:
    items = [FareItem("base", 1_000), FareItem("toll", 300), FareItem("tax", 50)]

    parts = divide(items, commission_bp=1_500, vat=Vat())

    assert (parts.commission_minor, parts.remitted_minor) == (150, 50)
    assert parts.driver_net_minor == 850 + 300


@pytest.mark.parametrize(
    ("remitted_by", "expected"), [("driver", (162, 0, 919)), ("cooperative", (150, 81, 850))]
)
def test_vat_is_in_the_price_and_goes_through_the_house_where_the_cooperative_remits_it(
    remitted_by: str, expected: tuple[int, int, int]
) -> None:
    vat = Vat.model_validate({"rate_bp": 810, "remitted_by": remitted_by})

    parts = divide([FareItem("base", 1_081)], commission_bp=1_500, vat=vat)

    assert parts.vat_minor == 81
    assert (parts.commission_minor, parts.remitted_minor, parts.driver_net_minor) == expected


@pytest.mark.parametrize(
    "fault",
    [
        {"base_minor": 0, "minimum_minor": 0},
        {"charges": [{"name": "Gate", "code": "airport", "amount_minor": 1, "zone": "nowhere"}]},
        {"charges": [{"name": "Wheelchair", "code": "wheelchair", "amount_minor": 1}]},
        {"zones": [AROUND_VADUZ, AROUND_VADUZ]},
        {"zones": [{"name": "Nowhere"}]},
        {"zones": [{"name": "Line", "corners": [[1, 1], [2, 2]]}]},
        {"zones": [{"name": "Words", "cells": ["no cell"]}]},
        {"nights": [{"name": "N", "begins": "22:00", "ends": "06:00"}]},
        {"nights": [{"name": "N", "begins": "22:00", "ends": "22:00", "share_bp": 1}]},
        {"nights": [{"name": "N", "begins": "24:00", "ends": "06:00", "share_bp": 1}]},
        {"vat": {"rate_bp": 810}},
        {"bounds": {"law": "a law", "least_minor": 2, "most_minor": 1}},
    ],
)
def test_a_tariff_that_contradicts_itself_is_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        tariff(**fault)


def test_a_tariff_says_each_of_its_rules_in_words() -> None:
    of = tariff(
        nights=[{"name": "Late", "begins": "22:00", "ends": "06:00", "share_bp": 1250}],
        zones=[AROUND_VADUZ, AROUND_BALZERS],
        charges=[{"name": "Gate", "code": "airport", "amount_minor": 400, "zone": "Vaduz"}],
        fixed_fares=[{"name": "Valley", "between": ["Vaduz", "Balzers"], "amount_minor": 3_000}],
        fees={"cancellation_minor": 600, "no_show_minor": 1_000},
        vat={"rate_bp": 810, "remitted_by": "driver"},
        bounds={"law": "the Taxi Act", "most_per_km_minor": 500},
    )

    said = " ".join(describe(of, currency="CHF"))

    for words in ("CHF 6.00", "Late: from 22:00", "12.5 %", "Gate: CHF 4.00", "Valley", "8.1 %"):
        assert words in said
    assert "the Taxi Act) asks, waiting apart: at most CHF 5.00 a kilometre" in said
    assert sum(item.amount_minor for item in example(of, time_zone=ZONE)) == 2_500  # of 2,900
