"""What solidarity refuses."""

from app.foundation.problems import Problem


class CircleNameTaken(Problem):
    """Another circle has this name. Choose one of your own."""

    slug = "circle-name-taken"
    title = "There is a circle of this name"


class CircleFull(Problem):
    """A circle has 50 members at most, so that they know each other. Join or open another."""

    slug = "circle-full"
    title = "This circle is full"


class InACircle(Problem):
    """You are in a circle. Leave it first; your waiting time then begins anew in the next."""

    slug = "in-a-circle"
    title = "You are in a circle already"


class NotInACircle(Problem):
    """You are in no gift circle now. Join one first."""

    slug = "not-in-a-circle"
    title = "You are in no circle"


class TierUnknown(Problem):
    """Choose one of the amounts that `GET /v1/solidarity` lists."""

    status = 422
    slug = "tier-unknown"
    title = "This is no amount to choose"


class DayOutOfRange(Problem):
    """Say a day between your joining and today, at most 30 days ago and after the last illness."""

    status = 422
    slug = "day-out-of-range"
    title = "This day cannot be"


class ReportedBefore(Problem):
    """You have said that you cannot work. Say first when you are well again."""

    slug = "reported-before"
    title = "Your illness is known"


class NotReported(Problem):
    """Nothing is known of an illness of yours that has not ended."""

    slug = "not-reported"
    title = "You are not reported sick"


class MonthPaid(Problem):
    """A gift was made for this time already. Say a later day, and talk to your circle about it."""

    slug = "month-paid"
    title = "This time was paid for already"


class NotYoursToConfirm(Problem):
    """Two members of the same circle confirm, or a steward. Nobody confirms their own illness."""

    status = 403
    slug = "not-yours-to-confirm"
    title = "Somebody else confirms this"


class CircleTooSmall(Problem):
    """A circle gives from 20 members on. Win others for it; until then nothing is confirmed."""

    slug = "circle-too-small"
    title = "This circle has too few members"


class NothingOwed(Problem):
    """The rider owes nothing of this payment any more, or it was written off before."""

    slug = "nothing-owed"
    title = "There is nothing to write off"
