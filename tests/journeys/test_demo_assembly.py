"""What the demo's assembly promises before it runs: windows that fit, wishes that nobody counts."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from app.city import load_city
from app.demo.assembly import draft_of
from app.demo.assembly_report import assembly_failures, assembly_in_words
from app.demo.member_phone import value_of
from app.demo.plan import PlannedDriver, PlannedMember, PlannedRider
from app.demo.run import _with_windows
from app.demo.screen import money
from app.demo.windows import LATEST_SHARE, Windows, in_words, least_real_s, plan_windows
from app.demo.wishes import FEWEST, plan_members
from app.settings import BUILT_IN_CITY
from governance.ballot_rule import BALLOT_RULES
from governance.electorate import House
from governance.explanation import faults
from matching.travel import Point

NOW = datetime(2026, 5, 22, 15, tzinfo=UTC)
HERE = Point(lat=47.14, lng=9.52)
BOTH = (House.DRIVERS, House.RIDERS)
USUAL = {"minutes": 40.0, "speed": 25.0}


def _windows(*, minutes: float, speed: float) -> Windows:
    windows = plan_windows(minutes=minutes, speed=speed)
    assert windows is not None
    return windows


def _members(
    *, drivers: int = 60, riders: int = 110, seed: int = 1, houses: tuple[House, ...] = BOTH
) -> tuple[PlannedMember, ...]:
    return plan_members(
        houses=houses,
        drivers=[
            PlannedDriver(phone=f"d{number}", name="Ada", plate=str(number), stands_at=HERE)
            for number in range(drivers)
        ],
        riders=[
            PlannedRider(
                phone=f"r{number}",
                name="Bo",
                requests_at=NOW,
                pickup=HERE,
                dropoff=HERE,
                drive_s=None,
                cancels_after_s=None,
            )
            for number in range(riders)
        ],
        seed=seed,
    )


@pytest.mark.parametrize(
    "hour", [USUAL, {"minutes": 60, "speed": 60}, {"minutes": 480, "speed": 1}]
)
def test_the_windows_of_an_hour_leave_a_part_of_it_for_what_was_voted(
    hour: dict[str, float],
) -> None:
    assert _windows(**hour).total_s <= LATEST_SHARE * hour["minutes"] * 60


def test_the_usual_windows_are_longer_than_their_work_takes() -> None:
    usual = _windows(**USUAL)
    assert usual.total_s <= 0.61 * 40 * 60
    assert usual.total_s / 25 > 1.5 * 36


def test_the_faster_the_clock_the_longer_a_window_never_less_than_its_work_takes() -> None:
    slow, fast = _windows(minutes=120, speed=25), _windows(minutes=120, speed=100)
    assert fast.signing / 100 >= 6
    assert fast.voting == slow.voting == 120 * 60 / 8
    assert fast.signing > slow.signing


@pytest.mark.parametrize("speed", [1, 25, 60, 240])
def test_an_hour_too_short_in_real_time_gets_no_windows(speed: float) -> None:
    needed_s = least_real_s()
    assert plan_windows(minutes=needed_s * speed / 60, speed=speed) is not None
    assert plan_windows(minutes=(needed_s - 6) * speed / 60, speed=speed) is None


def test_the_windows_are_the_statutes_and_everything_else_is_as_the_file_says() -> None:
    city, windows = load_city(BUILT_IN_CITY), _windows(**USUAL)
    played = _with_windows(city, windows)
    assert played.statutes.voting_s == windows.voting == 300
    assert played.statutes_as_written["voting"] == "300 seconds"
    changed = {name for name, value in played.statutes if value != getattr(city.statutes, name)}
    assert changed == set(windows.statutes)
    assert (
        played.model_copy(
            update={
                "statutes": city.statutes,
                "statutes_as_written": city.statutes_as_written,
            }
        )
        == city
    )


def test_windows_are_told_in_minutes() -> None:
    told = in_words(replace(_windows(**USUAL), notice=90))
    assert told.startswith("joining 4 min, support 2 min, deliberation 1 min")
    assert told.endswith("notice 1.5 min")


def test_one_seed_draws_one_assembly_and_another_seed_another() -> None:
    assert _members() == _members()
    assert _members(seed=2) != _members()


def test_some_drivers_and_riders_become_members_some_stay_away_and_some_change_their_mind() -> None:
    members = _members()
    houses = Counter(member.house for member in members)
    assert houses == {House.DRIVERS: 36, House.RIDERS: 38}
    away = [member for member in members if member.wants_bp is None]
    assert 0 < len(away) < 0.2 * len(members)
    changing = [member for member in members if member.wanted_first_bp is not None]
    assert 0 < len(changing) < 0.3 * len(members)
    assert not set(away) & set(changing)
    assert all(0 <= member.joins_at <= 1 for member in members)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("drivers", "riders"), [(9, 20), (24, 60), (67, 117), (500, 2000)])
def test_whatever_the_seed_drivers_want_less_than_riders_and_both_less_than_now(
    drivers: int, riders: int, seed: int
) -> None:
    wishes = {
        house: [
            member.wants_bp
            for member in _members(drivers=drivers, riders=riders, seed=seed)
            if member.house is house and member.wants_bp is not None
        ]
        for house in BOTH
    }
    assert median(wishes[House.DRIVERS]) < median(wishes[House.RIDERS]) < 0


def test_too_few_people_hold_no_vote_and_one_house_alone_can() -> None:
    assert _members(drivers=3, riders=8) == ()
    assert _members(drivers=1, riders=200) == ()
    alone = _members(drivers=40, houses=(House.DRIVERS,))
    assert len(alone) >= FEWEST
    assert {member.house for member in alone} == {House.DRIVERS}


TERMS: dict[str, Any] = {
    "status_quo": 1500,
    "floor": 0,
    "ceiling": 2000,
    "largest_step": 300,
    "to_raise": [2, 3, False],
    "to_cut": [1, 2, True],
    "grid": 50,
}


@pytest.mark.parametrize(
    ("terms", "change_bp", "value"),
    [
        ({}, -300, 1200),
        ({}, 100, 1600),
        ({"floor": 1350}, -300, 1350),
        ({"status_quo": 1980}, 100, 2000),
        ({"status_quo": 120}, -300, 0),
        ({"status_quo": 1510}, 0, 1510),
    ],
)
def test_a_wish_becomes_the_nearest_number_that_the_terms_admit(
    terms: dict[str, Any], change_bp: int, value: int
) -> None:
    fixed = TERMS | terms
    assert value_of("two_houses", fixed, change_bp=change_bp) == value
    assert BALLOT_RULES["two_houses"].admits(value, fixed)


@pytest.mark.parametrize("currency", ["CHF", "USD"])
def test_the_proposal_explains_itself_with_an_example_in_money(currency: str) -> None:
    explanation = draft_of(1500, currency=currency)["explanation"]
    assert faults(explanation, money=(currency,)) == ()
    assert f"of {currency} 30 the driver gets {currency} 25.50" in explanation
    assert f"One point less means {currency} 25.80" in explanation


@pytest.mark.parametrize(
    ("currency", "shown"), [("CHF", "4,205.07 CHF"), ("JPY", "420,507 JPY"), ("KWD", "420.507 KWD")]
)
def test_money_is_shown_with_the_digits_of_its_currency(currency: str, shown: str) -> None:
    assert money(420_507, currency) == shown


PLAYED: dict[str, Any] = {
    "stage": "enacted",
    "void_ground": None,
    "roll": {"drivers": 40, "riders": 41},
    "issuers": 2,
    "voted": 71,
    "changed_minds": 8,
    "result": {"value": 1300},
    "effective_from": "2026-05-22T15:21:33+00:00",
    "share_before_bp": 1500,
    "share_after_bp": 1300,
    "rides_before": 67,
    "rides_after": 50,
    "rides_with_wrong_share": 0,
    "package": "package.json",
    "package_faults": 0,
    "faults": [],
    "troubles": [],
}
UNCHANGED = {"effective_from": None, "result": None, "stage": "void", "share_after_bp": 1500}


def test_an_assembly_that_changed_the_share_is_told_and_fails_nothing() -> None:
    assert assembly_failures(PLAYED, restarts={"api": 0}) == []
    assert assembly_failures(None, restarts={"api": 0}) == []
    told, how = assembly_in_words(PLAYED)
    assert "commission 15 % → 13 %, 71 of 81 members voted" in told
    assert "67 rides were quoted before at 15 %, 50 after at 13 %" in told
    command, package = how.removeprefix("Recount it yourself: ").split()
    # It works as it is told, wherever whoever reads it stands.
    assert Path(command).is_absolute()
    assert Path(command).is_file()
    assert package == "package.json"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (UNCHANGED, "the share did not change: the assembly ended at void"),
        ({"rides_with_wrong_share": 2}, "2 rides carry another share than was in force"),
        ({"package_faults": 1, "faults": ["a ballot is gone"]}, "the recount found: a ballot"),
        ({"package_faults": None}, "nobody could fetch the vote's package"),
    ],
)
def test_an_assembly_that_went_wrong_fails_the_demo(change: dict[str, Any], said: str) -> None:
    (wrong,) = assembly_failures({**PLAYED, **change}, restarts={"api": 0})
    assert wrong.startswith(said)


def test_a_vote_that_missed_its_deadline_as_the_program_was_killed_is_told_and_no_failure() -> None:
    missed = {**PLAYED, **UNCHANGED, "void_ground": "not_signed", "rides_after": 0}
    assert assembly_failures(missed, restarts={"api": 2}) == []
    (told,) = assembly_in_words(missed)
    assert "ended at void (not_signed)" in told
