"""What an issuer looks at before it seals terms: that they are whole, and that it is in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.ballot_rule import BALLOT_RULES
from governance.manifest import Manifest, roll_hash


@dataclass(frozen=True, slots=True)
class RollLine:
    """One member on a house's roll: a pseudonym, and the key that asks for the stamp, if any."""

    member: str
    key: str


@dataclass(frozen=True, slots=True)
class Own:
    """What an issuer has given for one vote: its name, its houses' moduli, its seal."""

    name: str
    houses: tuple[str, ...]
    moduli: tuple[str, ...]
    seal_key: str


type Rolls = Sequence[Sequence[RollLine]]


def find_place(manifest: Manifest, *, own: Own, cooperative_key: bytes) -> int:
    """The issuer's number in these terms.

    Refused (ValueError): another board's key, an issuer list in which this issuer does not stand
    once with its own name and keys, other houses than the keys were made for, an unknown rule.
    """
    if manifest.board_key != cooperative_key.hex():
        raise ValueError("the board's key is not the one this issuer knows")
    _check_rule(manifest)
    if tuple(house.name for house in manifest.houses) != own.houses:
        raise ValueError("the houses are not those the keys were made for")
    places = [
        number for number, issuer in enumerate(manifest.issuers) if issuer.seal_key == own.seal_key
    ]
    if len(places) != 1:
        raise ValueError("this issuer's seal key does not stand once in the terms")
    if manifest.issuers[places[0]].moduli != own.moduli:
        raise ValueError("the moduli are not those this issuer gave for the vote")
    if manifest.issuers[places[0]].name != own.name:
        raise ValueError(f"this issuer is called {own.name}")
    return places[0]


def _check_rule(manifest: Manifest) -> None:
    rule = BALLOT_RULES.get(manifest.rule)
    if rule is None or rule.houses != len(manifest.houses):
        raise ValueError(f"no rule {manifest.rule!r} for {len(manifest.houses)} houses")
    try:
        rule.decide([[] for _ in manifest.houses], manifest.parameters)
    except (KeyError, TypeError, IndexError) as wrong:
        raise ValueError(f"the rule's figures are not whole: {wrong!r}") from wrong


def check_rolls(manifest: Manifest, *, rolls: Rolls) -> None:
    """The rolls are those of the terms, each person on one of them once, each with an own key.

    Whether a key is the right one for a pseudonym only its owner can tell, who knows the salt and
    the number behind the pseudonym: that is why anybody may ask an issuer for the key of a line.

    Refused (ValueError): all else.
    """
    if len(rolls) != len(manifest.houses):
        raise ValueError("there is one roll for each house")
    for house, roll in zip(manifest.houses, rolls, strict=True):
        if (len(roll), roll_hash([line.member for line in roll])) != (
            house.roll_size,
            house.roll_hash,
        ):
            raise ValueError(f"the roll of {house.name} is not the one in the terms")
    lines = [line for roll in rolls for line in roll]
    keys = [line.key for line in lines if line.key]
    if len({line.member for line in lines}) != len(lines):
        raise ValueError("a member stands on the rolls twice")
    if len(set(keys)) != len(keys):
        raise ValueError("two members have the same key")


def check_time(manifest: Manifest, *, now: datetime) -> None:
    """There is still time to be stamped and to vote. Refused (ValueError): a vote that is over."""
    if now >= manifest.closes_at:
        raise ValueError("casting under these terms is over already")
