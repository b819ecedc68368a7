"""The life of a proposal as one table, with every deadline computed from the statutes."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Kind(StrEnum):
    """What a proposal asks, and thereby which rule decides it."""

    NUMBER = "number"
    BUDGET = "budget"
    TEXT = "text"
    CHOICE = "choice"


class Stage(StrEnum):
    """Where a proposal stands."""

    DRAFT = "draft"
    SEEKING_SUPPORT = "seeking_support"
    DELIBERATION = "deliberation"  # comments and amendments
    FROZEN = "frozen"  # the manifest is fixed; its issuers sign it
    CREDENTIALS_OPEN = "credentials_open"  # members fetch the right to vote
    VOTING = "voting"
    TALLIED = "tallied"
    OBJECTION_WINDOW = "objection_window"  # everybody may recount
    ENACTED = "enacted"
    UNCHANGED = "unchanged"  # voted upon, and everything stays as it is
    SUPERSEDED = "superseded"  # a later vote decided the same matter
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"  # too few supported it in time
    VOID = "void"  # the vote does not count


class Step(StrEnum):
    """What may happen to a proposal."""

    SUBMIT = "submit"
    WITHDRAW = "withdraw"  # by the author, before others have carried it on
    SUPPORT = "support"  # enough active members support it
    LAPSE = "lapse"
    FREEZE = "freeze"
    OPEN_CREDENTIALS = "open_credentials"  # all issuers have signed the manifest
    OPEN_VOTING = "open_voting"
    TALLY = "tally"
    PUBLISH = "publish"
    ENACT = "enact"
    LEAVE_UNCHANGED = "leave_unchanged"
    SUPERSEDE = "supersede"
    VOID = "void"


class VoidGround(StrEnum):
    """Why a vote does not count. An opinion about its outcome is no ground."""

    NOT_SIGNED = "not_signed"  # an issuer did not sign the manifest in time
    NOT_COUNTED = "not_counted"  # no tally was published in time
    PROOF_FAILED = "proof_failed"  # manifest, ballots or tally do not verify
    AUDIT = "audit"  # the statutory audit stopped it


class When(StrEnum):
    """When a step may be taken, seen from the deadline of the stage."""

    IN_TIME = "in_time"  # before the deadline
    WHEN_DUE = "when_due"  # at the deadline or later
    AFTER_CLOSE = "after_close"  # after voting has closed, before counting is due
    ANY_TIME = "any_time"


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the table: from any of `sources` to `target`, at its time."""

    sources: tuple[Stage, ...]
    target: Stage
    when: When
    event: str


S, W = Stage, When

TRANSITIONS: dict[Step, Transition] = {
    Step.SUBMIT: Transition((S.DRAFT,), S.SEEKING_SUPPORT, W.ANY_TIME, "proposal.submitted"),
    Step.WITHDRAW: Transition(
        (S.DRAFT, S.SEEKING_SUPPORT), S.WITHDRAWN, W.ANY_TIME, "proposal.withdrawn"
    ),
    Step.SUPPORT: Transition(
        (S.SEEKING_SUPPORT,), S.DELIBERATION, W.IN_TIME, "proposal.deliberation_began"
    ),
    Step.LAPSE: Transition((S.SEEKING_SUPPORT,), S.LAPSED, W.WHEN_DUE, "proposal.lapsed"),
    Step.FREEZE: Transition((S.DELIBERATION,), S.FROZEN, W.WHEN_DUE, "proposal.frozen"),
    # Opening waits for every signature, never for the clock alone.
    Step.OPEN_CREDENTIALS: Transition(
        (S.FROZEN,), S.CREDENTIALS_OPEN, W.IN_TIME, "proposal.credentials_opened"
    ),
    Step.OPEN_VOTING: Transition(
        (S.CREDENTIALS_OPEN,), S.VOTING, W.WHEN_DUE, "proposal.voting_opened"
    ),
    Step.TALLY: Transition((S.VOTING,), S.TALLIED, W.AFTER_CLOSE, "proposal.tallied"),
    Step.PUBLISH: Transition(
        (S.TALLIED,), S.OBJECTION_WINDOW, W.IN_TIME, "proposal.result_published"
    ),
    Step.ENACT: Transition((S.OBJECTION_WINDOW,), S.ENACTED, W.WHEN_DUE, "proposal.enacted"),
    Step.LEAVE_UNCHANGED: Transition(
        (S.OBJECTION_WINDOW,), S.UNCHANGED, W.WHEN_DUE, "proposal.left_unchanged"
    ),
    Step.SUPERSEDE: Transition((S.ENACTED,), S.SUPERSEDED, W.ANY_TIME, "proposal.superseded"),
    Step.VOID: Transition(
        (S.FROZEN, S.CREDENTIALS_OPEN, S.VOTING, S.TALLIED, S.OBJECTION_WINDOW),
        S.VOID,
        W.ANY_TIME,
        "proposal.voided",
    ),
}

# Nothing leads out of these.
FINAL_STAGES = tuple(
    stage for stage in Stage if not any(stage in line.sources for line in TRANSITIONS.values())
)
# What the clock alone does once a stage is due, and on which ground where it voids.
DUE_STEPS: dict[Stage, tuple[Step, VoidGround | None]] = {
    S.SEEKING_SUPPORT: (Step.LAPSE, None),
    S.DELIBERATION: (Step.FREEZE, None),
    S.FROZEN: (Step.VOID, VoidGround.NOT_SIGNED),
    S.CREDENTIALS_OPEN: (Step.OPEN_VOTING, None),
    S.VOTING: (Step.VOID, VoidGround.NOT_COUNTED),
    S.TALLIED: (Step.VOID, VoidGround.NOT_COUNTED),
    S.OBJECTION_WINDOW: (Step.ENACT, None),
}


@dataclass(frozen=True, slots=True)
class Durations:
    """How long each stage lasts, as the statutes say.

    Refused (ValueError): a duration of 0 or less; only the notice may be 0.
    """

    support: timedelta
    deliberation: timedelta
    signing: timedelta
    credentials: timedelta
    voting: timedelta
    counting: timedelta
    objection: timedelta
    notice: timedelta

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            least = timedelta(0) if name == "notice" else timedelta.resolution
            if getattr(self, name) < least:
                raise ValueError(f"the statutes leave no time for {name}")


@dataclass(frozen=True, slots=True)
class VotingTimes:
    """The moments of a vote, fixed in the manifest when it is frozen."""

    sign_by: datetime
    opens_at: datetime
    closes_at: datetime
    count_by: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a proposal stands, since when, and when the stage is due; None is never."""

    stage: Stage
    since: datetime
    due_at: datetime | None = None
    times: VotingTimes | None = None

    def takes_ballots(self, at: datetime) -> bool:
        """Whether a ballot may be cast at a moment: from opening until before closing."""
        if self.stage is not Stage.VOTING or self.times is None:
            return False
        return self.times.opens_at <= at < self.times.closes_at


class StepRefused(ValueError):
    """A step that the table does not have for this stage, or not at this moment."""


def later(moment: datetime, duration: timedelta, *, zone: ZoneInfo) -> datetime:
    """Return the moment a duration later, in UTC: whole days by the calendar of the zone.

    Seven days after a Sunday noon is the next Sunday noon, also when clocks change in between;
    what is left of the duration is real time. In the hour that a clock shows twice the later one
    is meant, so that nobody has less time than the statutes say. Refused (ValueError): a moment
    without a zone.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} has no time zone")
    days = timedelta(days=duration.days)
    if not days:
        return moment.astimezone(UTC) + duration
    # Adding to a local moment moves its wall clock; adding to UTC moves real time.
    on_the_wall = moment.astimezone(zone) + days
    on_the_day = max(on_the_wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    return on_the_day + (duration - days)


def voting_times(frozen_at: datetime, *, durations: Durations, zone: ZoneInfo) -> VotingTimes:
    """Return the moments of a vote frozen at a moment."""
    sign_by = later(frozen_at, durations.signing, zone=zone)
    opens_at = later(sign_by, durations.credentials, zone=zone)
    closes_at = later(opens_at, durations.voting, zone=zone)
    count_by = later(closes_at, durations.counting, zone=zone)
    return VotingTimes(sign_by, opens_at, closes_at, count_by)


def effective_from(enacted_at: datetime, *, durations: Durations, zone: ZoneInfo) -> datetime:
    """Return the first moment at which what was enacted is in force: after the full notice."""
    return later(enacted_at, durations.notice, zone=zone)


def due_step(
    progress: Progress, *, at: datetime, changes: bool = True
) -> tuple[Step, VoidGround | None] | None:
    """Return what the clock alone does to a proposal at a moment, or None.

    `changes` says whether the tally changes anything: if not, nothing is enacted after the
    objection window.
    """
    if progress.due_at is None or at < progress.due_at:
        return None
    if progress.stage is Stage.OBJECTION_WINDOW and not changes:
        return Step.LEAVE_UNCHANGED, None
    return DUE_STEPS[progress.stage]


def take(
    step: Step, progress: Progress, *, at: datetime, durations: Durations, zone: ZoneInfo
) -> Progress:
    """Return where a proposal stands after a step at a moment.

    Freezing fixes the moments of the vote; nothing later moves them. Refused (StepRefused): a
    step from another stage, before its time or too late.
    """
    line = TRANSITIONS[step]
    if progress.stage not in line.sources:
        raise StepRefused(f"{step} does not follow {progress.stage}")
    due, times = progress.due_at, progress.times
    if line.when is When.WHEN_DUE and (due is None or at < due):
        raise StepRefused(f"{step} is too early: {progress.stage} is due at {due}")
    if line.when in {When.IN_TIME, When.AFTER_CLOSE} and (due is None or at >= due):
        raise StepRefused(f"{step} is too late: {progress.stage} was due at {due}")
    if line.when is When.AFTER_CLOSE and (times is None or at < times.closes_at):
        raise StepRefused(f"{step} is too early: voting has not closed")
    if line.target is Stage.FROZEN:
        times = voting_times(at, durations=durations, zone=zone)
    due = _due(line.target, at=at, times=times, durations=durations, zone=zone)
    return Progress(line.target, at, due, times)


def _due(
    stage: Stage,
    *,
    at: datetime,
    times: VotingTimes | None,
    durations: Durations,
    zone: ZoneInfo,
) -> datetime | None:
    """Return when a stage entered at a moment is due: by its duration, or as the manifest says."""
    lasting = {
        Stage.SEEKING_SUPPORT: durations.support,
        Stage.DELIBERATION: durations.deliberation,
        Stage.OBJECTION_WINDOW: durations.objection,
    }
    if stage in lasting:
        return later(at, lasting[stage], zone=zone)
    if times is None:
        return None
    return {
        Stage.FROZEN: times.sign_by,
        Stage.CREDENTIALS_OPEN: times.opens_at,
        Stage.VOTING: times.count_by,
        Stage.TALLIED: times.count_by,
    }.get(stage)
