"""Who may vote: the two houses fixed by statute, who is a member, and the roll of one vote."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class House(StrEnum):
    """The classes of members; the statutes fix them and a person sits in one."""

    DRIVERS = "drivers"
    RIDERS = "riders"


class Standing(StrEnum):
    """Whether a member is on the roll, and what is missing when not."""

    ON_ROLL = "on_roll"
    NOT_ADMITTED = "not_admitted"
    LEFT = "left"
    SHARES_UNPAID = "shares_unpaid"
    TOO_NEW = "too_new"  # admitted, but not long enough before the roll was frozen


@dataclass(frozen=True, slots=True)
class Member:
    """One person in the register. Moments are aware; None is "not yet" or "never".

    Refused (ValueError): a moment without a time zone, leaving before being admitted.
    """

    id: str
    house: House
    admitted_at: datetime | None = None
    shares_paid_at: datetime | None = None
    left_at: datetime | None = None
    last_active_at: datetime | None = None

    def __post_init__(self) -> None:
        moments = (self.admitted_at, self.shares_paid_at, self.left_at, self.last_active_at)
        for moment in moments:
            if moment is not None and moment.utcoffset() is None:
                raise ValueError(f"member {self.id}: {moment} has no time zone")
        if self.left_at and not (self.admitted_at and self.admitted_at <= self.left_at):
            raise ValueError(f"member {self.id} left before being admitted")


@dataclass(frozen=True, slots=True)
class RollRules:
    """What the statutes ask of who is on a roll.

    `waiting` is how long before the roll is frozen a member must have been admitted; `active_for`
    is how recently a member must have driven, ridden or signed in to count as active; Refused
    (ValueError): negative times, a quorum above all members, fewer than one supporter.
    """

    waiting: timedelta = timedelta(0)
    active_for: timedelta = timedelta(days=90)
    quorum_bp: int = 2_000
    support_bp: int = 300
    least_supporters: int = 5

    def __post_init__(self) -> None:
        if min(self.waiting, self.active_for) < timedelta(0):
            raise ValueError("waiting and active_for must not be negative")
        if not (0 <= self.quorum_bp <= 10_000 and 0 <= self.support_bp <= 10_000):
            raise ValueError("quorum_bp and support_bp must be from 0 to 10,000")
        if self.least_supporters < 1:
            raise ValueError("least_supporters must be 1 or more")


def standing(member: Member, *, at: datetime, rules: RollRules) -> Standing:
    """Say whether a member would be on a roll frozen at a moment, else the first thing missing."""
    if member.admitted_at is None or member.admitted_at > at:
        return Standing.NOT_ADMITTED
    if member.left_at is not None and member.left_at <= at:
        return Standing.LEFT
    if member.shares_paid_at is None or member.shares_paid_at > at:
        return Standing.SHARES_UNPAID
    if member.admitted_at > at - rules.waiting:
        return Standing.TOO_NEW
    return Standing.ON_ROLL


@dataclass(frozen=True, slots=True)
class Roll:
    """Everybody who has one vote, frozen at a moment, in the order of their ids.

    `active` are those of them who were active lately; they count for support and quorum alone,
    and nobody loses a vote for having been away.
    """

    frozen_at: datetime
    seats: tuple[tuple[str, House], ...]
    active: frozenset[str]
    _house: dict[str, House] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_house", dict(self.seats))
        if len(self._house) != len(self.seats):
            raise ValueError("one member has one seat: an id is on the roll twice")
        if not self.active <= self._house.keys():
            raise ValueError("who is active must be on the roll")

    def __contains__(self, member_id: str) -> bool:
        return member_id in self._house

    def __len__(self) -> int:
        return len(self.seats)

    def house_of(self, member_id: str) -> House | None:
        """Return the house in which a member votes, or None if not on the roll."""
        return self._house.get(member_id)

    def members(self, house: House) -> tuple[str, ...]:
        """Return the ids of one house, ascending."""
        return tuple(member_id for member_id, seat in self.seats if seat is house)

    def quorum(self, rules: RollRules, *, house: House | None = None) -> int:
        """Return the quorum of a vote on this roll, of one house or of all, rounded up.

        It is a part of the *active* members, so that sleepers do not block the cooperative, and
        it is odd where it is not 0, so that a vote which just reaches it has a middle.
        """
        counted = sum(house in {None, self._house[member_id]} for member_id in self.active)
        seats = -(-counted * rules.quorum_bp // 10_000)
        return seats + 1 if seats and seats % 2 == 0 else seats

    def supporters_needed(self, rules: RollRules) -> int:
        """Return how many active members must support a proposal before it is deliberated."""
        return supporters_needed(len(self.active), rules=rules)


def supporters_needed(active: int, *, rules: RollRules) -> int:
    """Return how many must support a proposal where so many members are active, rounded up."""
    return max(rules.least_supporters, -(-active * rules.support_bp // 10_000))


def freeze_roll(members: Iterable[Member], *, at: datetime, rules: RollRules) -> Roll:
    """Return the roll of a vote: one member, one seat, whatever she drives, rides or owns.

    Source: the second of the ICA's cooperative principles. Refused (ValueError): an id twice.
    """
    voting = sorted(
        (member for member in members if standing(member, at=at, rules=rules) is Standing.ON_ROLL),
        key=lambda member: member.id,
    )
    since = at - rules.active_for
    active = frozenset(
        member.id for member in voting if member.last_active_at and member.last_active_at >= since
    )
    return Roll(at, tuple((member.id, member.house) for member in voting), active)
