"""A proposal goes through its stages in order and in time, and the clock never forgets it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.proposal import (
    DUE_STEPS,
    FINAL_STAGES,
    TRANSITIONS,
    Durations,
    Progress,
    Stage,
    Step,
    StepRefused,
    VoidGround,
    due_step,
    effective_from,
    later,
    take,
)

VADUZ = ZoneInfo("Europe/Vaduz")
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
WEEKS = Durations(
    support=30 * DAY,
    deliberation=14 * DAY,
    signing=2 * DAY,
    credentials=7 * DAY,
    voting=7 * DAY,
    counting=DAY,
    objection=7 * DAY,
    notice=14 * DAY,
)
NOON = datetime(2026, 3, 1, 11, tzinfo=UTC)
DRAFT = Progress(Stage.DRAFT, NOON)


def after(step: Step, progress: Progress, at: datetime) -> Progress:
    return take(step, progress, at=at, durations=WEEKS, zone=VADUZ)


def due(progress: Progress) -> datetime:
    assert progress.due_at is not None
    return progress.due_at


def lived_until(stage: Stage) -> Progress:
    """A proposal that reached a stage of the ordinary life as soon as it could."""
    progress = DRAFT
    for step in (
        Step.SUBMIT,
        Step.SUPPORT,
        Step.FREEZE,
        Step.OPEN_CREDENTIALS,
        Step.OPEN_VOTING,
        Step.TALLY,
        Step.PUBLISH,
        Step.ENACT,
        Step.SUPERSEDE,
    ):
        if progress.stage is stage:
            return progress
        at = progress.since
        if step in {Step.FREEZE, Step.OPEN_VOTING, Step.ENACT}:
            at = due(progress)
        elif step is Step.TALLY:
            assert progress.times is not None
            at = progress.times.closes_at
        progress = after(step, progress, at)
    assert progress.stage is stage
    return progress


def test_an_ordinary_life_keeps_the_calendar_of_the_city() -> None:
    frozen = lived_until(Stage.FROZEN)
    assert frozen.times is not None
    times = [
        frozen.since,
        frozen.times.sign_by,
        frozen.times.opens_at,
        frozen.times.closes_at,
        frozen.times.count_by,
    ]
    local = [moment.astimezone(VADUZ) for moment in times]
    assert [later - earlier for earlier, later in pairwise(local)] == [
        2 * DAY,
        7 * DAY,
        7 * DAY,
        DAY,
    ]
    # Clocks went forward on 29 March; noon stays noon.
    assert {moment.hour for moment in local} == {12}
    assert lived_until(Stage.SUPERSEDED).times == frozen.times


def test_what_is_enacted_is_in_force_after_the_full_notice() -> None:
    enacted = lived_until(Stage.ENACTED)
    assert effective_from(enacted.since, durations=WEEKS, zone=VADUZ) - enacted.since == 14 * DAY


def test_ballots_are_taken_from_opening_until_closing_and_in_no_other_stage() -> None:
    voting = lived_until(Stage.VOTING)
    assert voting.times is not None
    opens, closes = voting.times.opens_at, voting.times.closes_at
    taken = [voting.takes_ballots(at) for at in (opens - SECOND, opens, closes - SECOND, closes)]
    assert taken == [False, True, True, False]
    assert not lived_until(Stage.CREDENTIALS_OPEN).takes_ballots(opens)
    assert not lived_until(Stage.TALLIED).takes_ballots(opens)


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("stage", [stage for stage in Stage if stage not in FINAL_STAGES])
def test_a_step_is_taken_from_the_stages_of_its_line_only(step: Step, stage: Stage) -> None:
    progress = lived_until(stage) if stage is not Stage.DRAFT else DRAFT
    closes_at = progress.times.closes_at if progress.times else None
    moments = [progress.since, progress.due_at, closes_at]
    stages = set()
    for at in moments:
        if at is None:
            continue
        try:
            stages.add(after(step, progress, at).stage)
        except StepRefused:
            continue
    assert stages == ({TRANSITIONS[step].target} if stage in TRANSITIONS[step].sources else set())


def test_final_stages_are_those_the_statutes_know() -> None:
    assert set(FINAL_STAGES) == {
        Stage.UNCHANGED,
        Stage.SUPERSEDED,
        Stage.WITHDRAWN,
        Stage.LAPSED,
        Stage.VOID,
    }


@pytest.mark.parametrize(
    ("stage", "step", "early", "late"),
    [
        (Stage.SEEKING_SUPPORT, Step.SUPPORT, None, True),
        (Stage.SEEKING_SUPPORT, Step.LAPSE, True, None),
        (Stage.DELIBERATION, Step.FREEZE, True, None),
        (Stage.FROZEN, Step.OPEN_CREDENTIALS, None, True),
        (Stage.CREDENTIALS_OPEN, Step.OPEN_VOTING, True, None),
        (Stage.VOTING, Step.TALLY, True, True),
        (Stage.TALLIED, Step.PUBLISH, None, True),
        (Stage.OBJECTION_WINDOW, Step.ENACT, True, None),
        (Stage.OBJECTION_WINDOW, Step.LEAVE_UNCHANGED, True, None),
    ],
)
def test_a_step_is_refused_before_its_time_and_after_it(
    stage: Stage,
    step: Step,
    early: bool | None,  # noqa: FBT001  pytest names what it gives
    late: bool | None,  # noqa: FBT001  pytest names what it gives
) -> None:
    progress = lived_until(stage)
    if early:
        with pytest.raises(StepRefused, match="too early"):
            after(step, progress, progress.since)
    if late:
        with pytest.raises(StepRefused, match="too late"):
            after(step, progress, due(progress))
    else:
        assert after(step, progress, due(progress)).since == due(progress)


def test_a_vote_may_not_be_counted_before_it_closes() -> None:
    voting = lived_until(Stage.VOTING)
    assert voting.times is not None
    with pytest.raises(StepRefused, match="has not closed"):
        after(Step.TALLY, voting, voting.times.closes_at - SECOND)
    assert after(Step.TALLY, voting, voting.times.closes_at).stage is Stage.TALLIED


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (Stage.SEEKING_SUPPORT, (Step.LAPSE, None)),
        (Stage.DELIBERATION, (Step.FREEZE, None)),
        (Stage.FROZEN, (Step.VOID, VoidGround.NOT_SIGNED)),
        (Stage.CREDENTIALS_OPEN, (Step.OPEN_VOTING, None)),
        (Stage.VOTING, (Step.VOID, VoidGround.NOT_COUNTED)),
        (Stage.TALLIED, (Step.VOID, VoidGround.NOT_COUNTED)),
        (Stage.OBJECTION_WINDOW, (Step.ENACT, None)),
    ],
)
def test_the_clock_alone_moves_what_is_due_and_nothing_sooner(
    stage: Stage, expected: tuple[Step, VoidGround | None]
) -> None:
    progress = lived_until(stage)
    assert due_step(progress, at=due(progress) - SECOND) is None
    assert due_step(progress, at=due(progress)) == expected
    after(expected[0], progress, due(progress))


def test_every_stage_with_a_deadline_has_a_step_when_it_passes() -> None:
    for stage in Stage:
        if stage in FINAL_STAGES or stage in {Stage.DRAFT, Stage.ENACTED}:
            assert stage not in DUE_STEPS
        else:
            assert lived_until(stage).due_at is not None
            assert stage in DUE_STEPS


def test_a_vote_that_changes_nothing_is_left_unchanged_and_never_enacted() -> None:
    window = lived_until(Stage.OBJECTION_WINDOW)
    assert due_step(window, at=due(window), changes=False) == (Step.LEAVE_UNCHANGED, None)


def test_a_vote_can_be_voided_until_it_is_enacted_and_no_longer() -> None:
    window = lived_until(Stage.OBJECTION_WINDOW)
    assert after(Step.VOID, window, window.since).stage is Stage.VOID
    with pytest.raises(StepRefused, match="does not follow"):
        after(Step.VOID, lived_until(Stage.ENACTED), NOON)


def test_an_author_may_withdraw_only_before_others_have_carried_it_on() -> None:
    assert after(Step.WITHDRAW, DRAFT, NOON).stage is Stage.WITHDRAWN
    with pytest.raises(StepRefused, match="does not follow"):
        after(Step.WITHDRAW, lived_until(Stage.DELIBERATION), NOON)


def test_a_day_over_a_change_of_clocks_is_a_day_of_the_calendar_and_a_second_a_second() -> None:
    saturday_noon = datetime(2026, 10, 24, 12, tzinfo=VADUZ)
    assert later(saturday_noon, DAY, zone=VADUZ) - saturday_noon.astimezone(UTC) == timedelta(
        hours=25
    )
    # At this moment clocks go back an hour; half a minute is half a minute nevertheless.
    doubled = datetime(2026, 10, 25, 0, 59, 50, tzinfo=UTC)
    assert later(doubled, 30 * SECOND, zone=VADUZ) - doubled == 30 * SECOND


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.timedeltas(SECOND, 60 * DAY),
)
def test_a_deadline_never_moves_by_more_than_the_change_of_clocks(
    moment: datetime, duration: timedelta
) -> None:
    moved = later(moment, duration, zone=VADUZ) - (moment + duration)
    assert abs(moved) <= timedelta(hours=1)
    assert duration >= DAY or not moved


def test_an_hour_that_clocks_show_twice_takes_no_time_from_a_deadline() -> None:
    """On the last Sunday of October 02:30 comes twice in Vaduz, an hour apart."""
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    for moment in (first, second):
        assert later(moment, timedelta(minutes=10), zone=VADUZ) - moment == timedelta(minutes=10)
        assert later(moment - 7 * DAY, 7 * DAY, zone=VADUZ) >= moment
    assert later(first - 7 * DAY, 7 * DAY, zone=VADUZ) == second


def test_a_moment_that_clocks_leave_out_comes_when_they_have_been_put_on() -> None:
    skipped = datetime(2026, 3, 22, 2, 30, tzinfo=VADUZ)
    assert later(skipped, 7 * DAY, zone=VADUZ) == datetime(2026, 3, 29, 3, 30, tzinfo=VADUZ)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        later(datetime(2026, 1, 1), DAY, zone=VADUZ)  # noqa: DTZ001


@pytest.mark.parametrize("name", ["support", "voting", "counting", "objection"])
def test_statutes_that_leave_no_time_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"no time for {name}"):
        replace(WEEKS, **{name: timedelta(0)})


def test_statutes_may_do_without_notice_but_not_with_less() -> None:
    assert replace(WEEKS, notice=timedelta(0)).notice == timedelta(0)
    with pytest.raises(ValueError, match="no time for notice"):
        replace(WEEKS, notice=-SECOND)
