"""What a freeze fixes and what a result means: terms, rolls, manifest, and the policy it sets."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from governance.apportionment import apportion
from governance.ballot_rule import BALLOT_RULES
from governance.electorate import House as MemberHouse
from governance.electorate import Roll, RollRules
from governance.manifest import House, Issuer, Manifest, member_hash, roll_hash
from governance.number_vote import NumberTerms
from governance.ranked_vote import NO_CHANGE
from governance.tally import Majority

SALT_BYTES = 32
EVERYBODY = "members"  # the one house of a vote that is not by houses
BUDGET_POLICY = "surplus_pots"
FEWEST_SHOWN = 10  # of fewer ballots a count would say who voted what
# Of the public reason for which two auditors stop a vote.
FEWEST_REASON_CHARACTERS, MOST_REASON_CHARACTERS = 20, 2_000
_NUMBER_RULES = ("number", "two_houses")
_SAID = ("yes", "no", "abstain")


@dataclass(frozen=True, slots=True)
class RollLine:
    """One seat: the pseudonym that everybody sees, and who it is, which only the register knows."""

    house_no: int
    member_hash: str
    member_id: UUID
    public_key: bytes | None


@dataclass(frozen=True, slots=True)
class Terms:
    """Of a manifest all that is known when a vote is frozen: everything but the issuers' keys."""

    question: str
    explanation: str
    options: tuple[str, ...]
    rule: str
    parameters: Mapping[str, Any]
    houses: tuple[House, ...]

    def document(self) -> dict[str, Any]:
        """The terms as they are stored; `terms_from` reads them."""
        return asdict(self)


def terms_from(document: Mapping[str, Any]) -> Terms:
    """Return the terms that a stored document holds."""
    return Terms(
        question=document["question"],
        explanation=document["explanation"],
        options=tuple(document["options"]),
        rule=document["rule"],
        parameters=document["parameters"],
        houses=tuple(House(**house) for house in document["houses"]),
    )


def voting_houses(rule: str) -> tuple[MemberHouse | None, ...]:
    """Return the houses of a vote in the rule's order; None is everybody together."""
    if BALLOT_RULES[rule].houses == 1:
        return (None,)
    return (MemberHouse.DRIVERS, MemberHouse.RIDERS)


def seat_members(
    roll: Roll, keys: Mapping[UUID, bytes | None], *, rule: str, salt: bytes
) -> tuple[RollLine, ...]:
    """Return the roll line of each member, house by house, sorted by pseudonym.

    The pseudonym binds the member key too: an issuer that was given another key for a member holds
    another roll than the one everybody sees.
    """
    lines = []
    for house_no, house in enumerate(voting_houses(rule)):
        for member_id, seat in roll.seats:
            if house in {None, seat}:
                key = keys.get(UUID(member_id))
                lines.append(
                    RollLine(house_no, pseudonym(member_id, key, salt=salt), UUID(member_id), key)
                )
    return tuple(sorted(lines, key=lambda line: (line.house_no, line.member_hash)))


def pseudonym(member_id: UUID | str, public_key: bytes | None, *, salt: bytes) -> str:
    """Return the name under which a member stands on the roll of one vote.

    Whoever knows the salt of a seat, its member and the key can compute it: so the member can,
    and two members can never be told the same name.
    """
    named = f"{member_id}:{(public_key or b'').hex()}"
    return member_hash(named, salt=seat_salt(salt, member_id))


def seat_salt(salt: bytes, member_id: UUID | str) -> bytes:
    """Return the salt of one member's seat: theirs alone to know, made from the vote's secret one.

    The vote's own would tell too much. Issuers show the key on each line, and members see each
    other's ids beside proposals: with one salt for all, they could find who fetched a credential.
    """
    return hmac.digest(salt, str(member_id).encode(), "sha256")


def rolls_of(lines: Sequence[RollLine], *, houses: int) -> tuple[tuple[str, ...], ...]:
    """Return the pseudonyms of each house, ascending."""
    return tuple(
        tuple(sorted(line.member_hash for line in lines if line.house_no == house_no))
        for house_no in range(houses)
    )


def manifest_houses(lines: Sequence[RollLine], *, rule: str) -> tuple[House, ...]:
    """Return the houses as a manifest names them, with hash and size of their rolls."""
    houses = voting_houses(rule)
    rolls = rolls_of(lines, houses=len(houses))
    return tuple(
        House(str(house) if house else EVERYBODY, roll_hash(roll), len(roll))
        for house, roll in zip(houses, rolls, strict=True)
    )


def quorums(roll: Roll, *, rule: str, rules: RollRules) -> list[int]:
    """Return the quorum of each house, from those of the roll who were active lately."""
    return [roll.quorum(rules, house=house) for house in voting_houses(rule)]


def number_parameters(key: str, terms: NumberTerms) -> dict[str, Any]:
    """Return the figures of a number as a manifest holds them, with the policy they are for."""
    return {
        "key": key,
        "status_quo": terms.status_quo,
        "floor": terms.floor,
        "ceiling": terms.ceiling,
        "largest_step": terms.largest_step,
        "to_raise": _fraction(terms.to_raise),
        "to_cut": _fraction(terms.to_cut),
        "grid": terms.grid,
    }


def present_division(
    pots: Sequence[str], *, points: int, in_force: Mapping[str, Any] | None
) -> list[int]:
    """Return how the pots are divided now, in whole points; evenly where nothing was voted yet.

    A pot that is new has no part of it, and one that is gone leaves its part to the others.
    """
    voted = (
        {
            pot: Fraction(*share)
            for pot, share in zip(in_force["pots"], in_force["shares"], strict=True)
        }
        if in_force
        else {}
    )
    weights = {number: voted.get(pot, Fraction(0)) for number, pot in enumerate(pots)}
    if not any(weights.values()):
        weights = dict.fromkeys(weights, Fraction(1))
    parts = apportion(points, weights=weights)
    return [parts[number] for number in range(len(pots))]


def check_terms(terms: Terms) -> None:
    """Nothing, if the rule can decide on these terms. Refused (ValueError): if it cannot."""
    try:
        BALLOT_RULES[terms.rule].decide([[] for _ in terms.houses], terms.parameters)
    except (KeyError, TypeError) as missing:
        raise ValueError(f"the terms of {terms.rule} lack {missing}") from missing


def compose_manifest(
    election_id: UUID,
    *,
    terms: Terms,
    issuers: Sequence[Issuer],
    board_key: str,
    opens_at: datetime,
    closes_at: datetime,
    published_by: datetime,
) -> Manifest:
    """Return the manifest of an election. Refused (ValueError): what `Manifest` refuses."""
    return Manifest(
        election=str(election_id),
        question=terms.question,
        explanation=terms.explanation,
        options=terms.options,
        rule=terms.rule,
        parameters=dict(terms.parameters),
        houses=terms.houses,
        issuers=tuple(issuers),
        board_key=board_key,
        opens_at=opens_at,
        closes_at=closes_at,
        published_by=published_by,
    )


def changes_anything(
    rule: str, *, result: Mapping[str, Any], parameters: Mapping[str, Any]
) -> bool:
    """Whether a result is other than "leave it as it is"."""
    if rule in _NUMBER_RULES:
        return bool(result["value"] != parameters["status_quo"])
    if rule == "text":
        return bool(result["carried"])
    if rule == "choice":
        return bool(result["winner"] != NO_CHANGE)
    points = parameters["points"]
    present = [Fraction(part, points) for part in parameters["present"]]
    return [Fraction(*share) for share in result["shares"]] != present


def policy_of(rule: str, *, parameters: Mapping[str, Any]) -> str | None:
    """Return the key of the policy that a result sets; texts and choices set none."""
    if rule in _NUMBER_RULES:
        return str(parameters["key"])
    return BUDGET_POLICY if rule == "budget" else None


def shown_result(result: Mapping[str, Any], *, counted: Sequence[int]) -> dict[str, Any]:
    """Return what is told of a result: where few said yes, no or abstained only what was decided.

    All counts or none: the one left out would be the difference to the others.
    """
    said = [result[name] for name in _SAID if name in result]
    if min(counted, default=0) >= FEWEST_SHOWN and not any(0 < n < FEWEST_SHOWN for n in said):
        return dict(result)
    return {name: said for name, said in result.items() if name not in _SAID}


def shown_counts(counted: Sequence[int]) -> list[int | None]:
    """Return the ballots counted in each house, None everywhere where one had fewer than ten.

    Beside the other house's and the size of the box, the few would be the difference.
    """
    if min(counted, default=0) < FEWEST_SHOWN:
        return [None] * len(counted)
    return list(counted)


def _fraction(majority: Majority) -> list[Any]:
    return [majority.numerator, majority.denominator, majority.more_than]
