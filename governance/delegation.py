"""Lets a member lend her voice in open votes: per topic, until revoked, expired or overridden."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from governance.electorate import Roll
from governance.inequality import gini


@dataclass(frozen=True, slots=True)
class Delegation:
    """One member's voice lent to another on one topic, for a time. Moments are aware.

    Refused (ValueError): lending to oneself, a moment without a time zone, an expiry that is not
    after the lending.
    """

    giver: str
    taker: str
    topic: str
    given_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.giver == self.taker:
            raise ValueError(f"{self.giver} cannot lend a voice to herself")
        for moment in (self.given_at, self.expires_at, self.revoked_at):
            if moment is not None and moment.utcoffset() is None:
                raise ValueError(f"{moment} has no time zone")
        if self.expires_at <= self.given_at:
            raise ValueError("a delegation must end after it was given")

    def holds(self, *, topic: str, at: datetime) -> bool:
        """Whether it counts for a topic at a moment: given, not expired and not revoked."""
        revoked = self.revoked_at is not None and self.revoked_at <= at
        return self.topic == topic and self.given_at <= at < self.expires_at and not revoked


@dataclass(frozen=True, slots=True)
class Concentration:
    """How unequally voices are held among those who vote.

    `carried` are the voices per member who voted, most first; `gini` is 0 where everybody carries
    as many; `over_cap` are those who carry a larger part of all voices than the warning allows.
    """

    carried: tuple[tuple[str, int], ...]
    largest_share: Fraction
    gini: Fraction
    over_cap: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenVotes[Vote]:
    """Every vote of an open ballot, lent ones included, each of them one ballot.

    `carrier` names for each voice who cast it in the end; `abstained` are those on the roll who
    neither voted nor are carried, `in_circle` those of them whose delegations end in a circle.
    """

    votes: dict[str, Vote]
    carrier: dict[str, str]
    abstained: tuple[str, ...]
    in_circle: tuple[str, ...]
    concentration: Concentration


def resolve[Vote](
    own: Mapping[str, Vote],
    *,
    delegations: Iterable[Delegation],
    roll: Roll,
    topic: str,
    at: datetime,
    cap: Fraction = Fraction(1, 20),
) -> OpenVotes[Vote]:
    """Follow every lent voice, at the close of an open vote, to a member who voted herself.

    An own vote always overrides a delegation. Of several delegations of one member on a topic
    the last one given counts, and revoking it does not revive an earlier one. Voices pass on
    from taker to taker; who lends in a circle, or to somebody who neither votes nor lends,
    abstains. Voices stay within their house: a delegation to another house, or to somebody not
    on the roll, does not count. Never for secret ballots: carrying a secret vote for another
    would show it. Refused (ValueError): a vote of somebody not on the roll.
    """
    if strangers := [voter for voter in own if voter not in roll]:
        raise ValueError(f"not on the roll: {', '.join(sorted(strangers))}")
    lent_to = _lent_to(delegations, roll=roll, topic=topic, at=at)
    carrier: dict[str, str] = {}
    in_circle: list[str] = []
    for member, _ in roll.seats:
        seen, holder = {member}, member
        while holder not in own and holder in lent_to and lent_to[holder] not in seen:
            holder = lent_to[holder]
            seen.add(holder)
        if holder in own:
            carrier[member] = holder
        elif holder in lent_to:
            in_circle.append(member)
    abstained = tuple(member for member, _ in roll.seats if member not in carrier)
    votes = {member: own[holder] for member, holder in carrier.items()}
    return OpenVotes(votes, carrier, abstained, tuple(in_circle), _concentration(carrier, cap=cap))


def _lent_to(
    delegations: Iterable[Delegation], *, roll: Roll, topic: str, at: datetime
) -> dict[str, str]:
    """Return to whom each member's voice is lent at a moment."""
    last: dict[str, Delegation] = {}
    for delegation in delegations:
        if delegation.topic != topic or delegation.given_at > at:
            continue
        known = last.get(delegation.giver)
        if known is None or _order(known) < _order(delegation):
            last[delegation.giver] = delegation
    return {
        giver: delegation.taker
        for giver, delegation in last.items()
        if delegation.holds(topic=topic, at=at)
        and giver in roll
        and roll.house_of(giver) is roll.house_of(delegation.taker)
    }


def _order(delegation: Delegation) -> tuple[datetime, str]:
    """Two delegations of one moment are ordered by taker, so that their listing decides nothing."""
    return delegation.given_at, delegation.taker


def _concentration(carrier: Mapping[str, str], *, cap: Fraction) -> Concentration:
    voices = Counter(carrier.values())
    most_first = tuple(sorted(voices.items(), key=lambda item: (-item[1], item[0])))
    whole = max(1, voices.total())
    # One's own voice is never too much, however few voted.
    over = tuple(voter for voter, held in most_first if held > 1 and Fraction(held, whole) > cap)
    largest = Fraction(most_first[0][1], whole) if most_first else Fraction(0)
    return Concentration(most_first, largest, gini(voices.values()), over)
