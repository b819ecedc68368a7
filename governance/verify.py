"""Recounts an election, or the money of a closed period, and names each fault: `meent-verify`.

This one file needs Python 3.12 or later and `cryptography`, nothing else. It imports nothing of
the program and writes hashing, signatures and counting rules a second time, by design: a recount
by the same code would repeat the same mistake. Copy it, read it, run it anywhere:

    python verify.py election.json --receipt mine.json --root seen-on-tuesday.json
    python verify.py period.json --member my-book-secrets.json --root seal-seen-on-tuesday.json
    python verify.py proof-of-my-ride.json --root seal-seen-on-tuesday.json

The file has three parts: elections, money, and what both need.

What no recount of an election can see: how a member was pressed (a vote can be proved with key and
receipt, so it is not coercion-proof), ballots a server refused before giving a receipt, a root
dated back where nobody kept an earlier one, a vote lost with its device before casting, and all
issuers together voting for members who never look at the log.

The package of a period names nobody, and no two of its lines have a code in common. Whoever gives
it their secrets (`--member`: a secret, or a file that holds them; all of one person's, of every
account and year) finds their own lines: that their balances come out, and that their row of the
period is what their own rides paid. Where rows are told falsely in ways that add up to the same,
money shifted from one driver's row to another's or rows exchanged, only that check sees it: the
drivers whose rows no longer fit.

What no recount of money can see: a ride that was never booked; whether a driver was a member, or
engaged for so long, where the package says so (each can check their own); what stood on accounts
before the first block (the package of the period before says); statutes and votes other than by
their own packages; a whole chain signed anew by who holds the key, where nobody kept a seal.
"""

import argparse
import hashlib
import hmac
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

Json = Mapping[str, Any]
FORMATS = ("meent-election-package:1", "meent-manifest:1")
PERIOD_FORMAT = "meent-period-package:1"
PROOF_FORMAT = "meent-journal-proof:1"
SHOWN_PER_KIND = 3
# What Python raises where a document is not of the form it should have.
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class FaultKind(StrEnum):
    """What can be wrong with an election or with money, in words for a member."""

    UNREADABLE = "the package cannot be read"
    CHANGED_TERMS = "the rule or its terms were changed"
    WEAK_TERMS = "the terms let fewer than two issuers make ballots"
    CHANGED_BALLOT = "a ballot was changed after its voter signed it"
    COPIED_CREDENTIAL = "a credential was copied from another ballot"
    DISHONEST_ISSUER = "a ballot is not stamped by all issuers"
    FALSE_CREDENTIAL = "a ballot carries no true credential"
    DUPLICATE = "a ballot lies in the box twice"
    SAME_SEQUENCE = "two ballots of one key have one sequence number"
    FALSE_VALUE = "a ballot's value is none the rule takes"
    LATE = "a ballot came too late"
    EARLY = "a ballot came before the vote opened"
    FORGED_ROOT = "a root does not fit the box, or is not the board's"
    TELLING_ORDER = "the order of a batch may tell who voted when"
    FALSE_ROLL = "the roll is not the one that was frozen"
    FALSE_LOG = "an issuance log is wrong"
    REVOKED = "a member was stamped after their membership ended"
    MORE_BALLOTS = "there are more voters than stamps"
    DROPPED = "a receipted ballot is missing from the box"
    FALSE_RECEIPT = "a receipt is not the board's"
    FALSE_RESULT = "the announced result is not what the ballots say"
    # Of money:
    CHANGED_BLOCK = "a block does not hold the journals that were sealed"
    BROKEN_CHAIN = "a seal does not follow the one before"
    FORGED_SEAL = "a seal is not signed by the cooperative's key"
    SWAPPED_SEAL = "a seal is not the one that was published"
    MISSING_BLOCKS = "the package leaves out blocks of the period"
    FALSE_OPENING = "the accounts do not add up to nothing"
    BOOKED_LATE = "a journal was booked into the closed period"
    FALSE_PATRONAGE = "what drivers paid is not what the journals say"
    FALSE_CLOSE = "the result or where it went is not what books and rules say"
    FALSE_REFUND = "a refund is not what books and rules say"
    FALSE_BOOKING = "the close was booked otherwise than it comes out"
    UNKNOWN_PERSON = "nothing in the package is of these secrets"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where."""

    kind: FaultKind
    detail: str


@dataclass(slots=True)
class Found:
    """What a recount found wrong, and what it could not look at."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fault(self, kind: FaultKind, detail: str) -> None:
        """Note one fault more."""
        self.faults.append(Fault(kind, detail))

    def summary(self) -> list[str]:
        """What was counted, in plain lines."""
        return []


# ELECTIONS


@dataclass(slots=True)
class Recount(Found):
    """What the recount found: faults, counted ballots by house, and the result they give."""

    counted: list[int] = field(default_factory=list)
    result: Any = None

    def summary(self) -> list[str]:
        """How many ballots were counted, and what they say."""
        return [
            f"ballots counted: {' + '.join(map(str, self.counted)) or 'none'}",
            f"result counted:  {_short(self.result)}",
        ]


def recount(package: Json, *, receipts: Sequence[Json] = (), roots: Sequence[Json] = ()) -> Recount:
    """All faults of the package, and the result of its faultless ballots.

    `receipts` are voters' own, `roots` are signed roots that someone kept while the vote ran: a
    box that dropped a ballot or was rewritten contradicts them. A package too broken to read is
    a fault, never an exception.
    """
    found = Recount()
    try:
        _recount(package, receipts, roots, found)
    except MALFORMED as wrong:
        found.fault(FaultKind.UNREADABLE, f"{type(wrong).__name__}: {wrong}")
    return found


def _recount(
    package: Json, receipts: Sequence[Json], roots: Sequence[Json], found: Recount
) -> None:
    manifest, ballots = package["manifest"], package["ballots"]
    if (package["format"], manifest["format"]) != FORMATS:
        found.fault(FaultKind.UNREADABLE, f"not of the formats {', '.join(FORMATS)}")
    terms = Terms(
        manifest=manifest,
        hash=hashlib.sha256(canonical(manifest)).digest(),
        keys=[
            [
                RSAPublicNumbers(65_537, int(modulus, 16)).public_key()
                for modulus in issuer["moduli"]
            ]
            for issuer in manifest["issuers"]
        ],
    )
    _check_terms(terms, package, found)
    leaves = [hashlib.sha256(b"\x00" + canonical(ballot)).digest() for ballot in ballots]
    in_time = _check_roots(terms, package["roots"], roots, leaves, found)
    _check_receipts(terms, receipts, leaves, found)
    good = _check_ballots(terms, ballots, leaves, found)
    counted = _newest(ballots, [number for number in good if number < in_time], found)
    _check_logs(terms, package, Counter(ballot["house"] for ballot in counted), found)
    values = [
        [ballot["value"] for ballot in counted if ballot["house"] == house]
        for house in range(len(manifest["houses"]))
    ]
    found.counted = [len(of_house) for of_house in values]
    found.result = RULES[manifest["rule"]].count(values, manifest["parameters"])
    if canonical(found.result) != canonical(package["result"]):
        found.fault(
            FaultKind.FALSE_RESULT,
            f"announced {_short(package['result'])}, counted {_short(found.result)}",
        )


# Terms, roll and logs.


@dataclass(frozen=True, slots=True)
class Terms:
    """The manifest, its hash, and the issuers' keys by issuer and house."""

    manifest: Json
    hash: bytes
    keys: list[list[RSAPublicKey]]

    def board_signed(self, domain: bytes, document: Json) -> bool:
        """Whether the board signed the document's other fields."""
        return _is_signed(self.manifest["board_key"], domain, document)


def _check_terms(terms: Terms, package: Json, found: Recount) -> None:
    issuers = terms.manifest["issuers"]
    moduli = [key.public_numbers().n for of_issuer in terms.keys for key in of_issuer]
    if len(issuers) < 2 or len({*moduli}) != len(moduli):
        found.fault(FaultKind.WEAK_TERMS, "there is one issuer, or two share a key")
    if min(modulus.bit_length() for modulus in moduli) < 2_048:
        found.fault(FaultKind.WEAK_TERMS, "an issuer's key is shorter than 2048 bits")
    if len(package["seals"]) != len(issuers):
        found.fault(FaultKind.CHANGED_TERMS, "not every issuer signed the terms")
    for issuer, seal in zip(issuers, package["seals"], strict=False):
        message = b"meent-manifest-seal:1" + terms.hash
        if not _verifies(issuer["seal_key"], message, seal):
            found.fault(FaultKind.CHANGED_TERMS, f"{issuer['name']} did not sign these terms")
    for house, roll in zip(terms.manifest["houses"], package["rolls"], strict=True):
        frozen = (house["roll_hash"], house["roll_size"])
        if (_roll_hash(roll), len(set(roll))) != frozen or len(set(roll)) != len(roll):
            found.fault(FaultKind.FALSE_ROLL, f"house {house['name']}")


def _check_logs(terms: Terms, package: Json, counted: Counter[int], found: Recount) -> None:
    logs = {(log["issuer"], log["house"]): log for log in package["issuance"]}
    revocations = package["revocations"]
    for number, revocation in enumerate(revocations):
        if not terms.board_signed(b"meent-revocation:1" + terms.hash, revocation):
            found.fault(FaultKind.FALSE_LOG, f"revocation {number} is not signed by the board")
    for issuer_no, issuer in enumerate(terms.manifest["issuers"]):
        for house_no, house in enumerate(terms.manifest["houses"]):
            place = f"{issuer['name']}, house {house['name']}"
            log = logs.get((issuer_no, house_no))
            domain = b"meent-issuance-log:1" + terms.hash
            if log is None or not _is_signed(issuer["seal_key"], domain, log):
                found.fault(FaultKind.FALSE_LOG, f"{place}: missing or not signed by the issuer")
                continue
            members = log["members"]
            if len({*members}) != len(members) or not {*members} <= {*package["rolls"][house_no]}:
                found.fault(FaultKind.FALSE_LOG, f"{place}: a member twice, or not on the roll")
            here = [revocation for revocation in revocations if revocation["house"] == house_no]
            valid = len(members) - _stamps_after_revocation(members, here, issuer_no, place, found)
            if counted[house_no] > valid:
                detail = f"{place}: {counted[house_no]} voters, {valid} valid stamps"
                found.fault(FaultKind.MORE_BALLOTS, detail)


def _stamps_after_revocation(
    members: Sequence[str],
    revocations: Sequence[Json],
    issuer_no: int,
    place: str,
    found: Recount,
) -> int:
    """Return how many of one log's stamps went to members whose membership had ended."""
    void = 0
    for revocation in revocations:
        before = members[: revocation["stamped_before"][issuer_no]]
        if _roll_hash(before) != revocation["stamped_hashes"][issuer_no]:
            found.fault(FaultKind.FALSE_LOG, f"{place}: rewritten after a revocation")
        if revocation["member"] in members[len(before) :]:
            void += 1
            found.fault(FaultKind.REVOKED, f"{place}: member {revocation['member'][:12]}")
    return void


# The box: roots, receipts, ballots.


def _check_roots(
    terms: Terms,
    published: Sequence[Json],
    kept: Sequence[Json],
    leaves: Sequence[bytes],
    found: Recount,
) -> int:
    """Return how many ballots, from the first, lie under a root published in time."""
    opens_at, published_by = (
        datetime.fromisoformat(terms.manifest[name]) for name in ("opens_at", "published_by")
    )
    in_time, before, last_at = 0, 0, None
    for signed in published:
        size, at = signed["size"], datetime.fromisoformat(signed["published_at"])
        name = f"root of {signed['published_at']} over {size}"
        _check_root(terms, signed, leaves, name, found)
        if not before <= size <= len(leaves) or (last_at is not None and at < last_at):
            found.fault(FaultKind.FORGED_ROOT, f"{name}: roots do not follow each other")
        batch = leaves[before:size]
        if list(batch) != sorted(batch):
            found.fault(FaultKind.TELLING_ORDER, name)
        if size > before and at > published_by:
            found.fault(FaultKind.LATE, f"ballots {before} to {size - 1} under the {name}")
        elif size > before and at < opens_at:
            found.fault(FaultKind.EARLY, f"ballots {before} to {size - 1} under the {name}")
        else:
            in_time = size
        before, last_at = max(before, size), at
    if before != len(leaves):
        found.fault(FaultKind.FORGED_ROOT, f"{len(leaves) - before} ballots lie under no root")
    for signed in kept:
        name = f"kept root of {signed['published_at']} over {signed['size']}"
        _check_root(terms, signed, leaves, name, found)
        at = datetime.fromisoformat(signed["published_at"])
        for other in published:
            earlier = datetime.fromisoformat(other["published_at"]) <= at
            if earlier and other["size"] > signed["size"]:
                found.fault(FaultKind.LATE, f"{name}: a published root was dated back")
                in_time = min(in_time, signed["size"])
    return in_time


def _check_root(
    terms: Terms, signed: Json, leaves: Sequence[bytes], name: str, found: Recount
) -> None:
    if signed["manifest"] != terms.hash.hex():
        found.fault(FaultKind.CHANGED_TERMS, f"{name}: signed under other terms")
    if not terms.board_signed(b"meent-root:1", signed):
        found.fault(FaultKind.FORGED_ROOT, f"{name}: not signed by the board")
    elif signed["size"] > len(leaves) or signed["root"] != _root(leaves[: signed["size"]]).hex():
        found.fault(FaultKind.FORGED_ROOT, f"{name}: the box gives another root")


def _check_receipts(
    terms: Terms, receipts: Sequence[Json], leaves: Sequence[bytes], found: Recount
) -> None:
    present = {leaf.hex() for leaf in leaves}
    for receipt in receipts:
        name = f"receipt for {receipt['leaf'][:12]}, due {receipt['due_at']}"
        if not terms.board_signed(b"meent-receipt:1", receipt):
            found.fault(FaultKind.FALSE_RECEIPT, name)
        elif receipt["manifest"] != terms.hash.hex():
            found.fault(FaultKind.CHANGED_TERMS, f"{name}: given under other terms")
        elif receipt["leaf"] not in present:
            found.fault(FaultKind.DROPPED, name)


def _check_ballots(
    terms: Terms, ballots: Sequence[Json], leaves: Sequence[bytes], found: Recount
) -> list[int]:
    """Return the numbers of the ballots without fault, each leaf once."""
    owners: dict[str, set[str]] = {}
    for ballot in ballots:
        for credential in ballot["credentials"]:
            owners.setdefault(credential["signature"], set()).add(ballot["vote_key"])
    good, seen = [], set()
    for number, (ballot, leaf) in enumerate(zip(ballots, leaves, strict=True)):
        if leaf in seen:
            found.fault(FaultKind.DUPLICATE, f"ballot {number}")
            continue
        seen.add(leaf)
        try:
            kind, detail = _ballot_fault(terms, ballot, owners) or (None, "")
        except MALFORMED as wrong:
            kind, detail = FaultKind.UNREADABLE, f"{type(wrong).__name__}: {wrong}"
        if kind is None:
            good.append(number)
        else:
            found.fault(kind, f"ballot {number}{detail and ': '}{detail}")
    return good


def _ballot_fault(
    terms: Terms, ballot: Json, owners: Mapping[str, set[str]]
) -> tuple[FaultKind, str] | None:
    """Return the first thing wrong with a ballot; None for a good one."""
    if ballot["manifest"] != terms.hash.hex():
        return FaultKind.CHANGED_TERMS, "cast under other terms"
    house_no, sequence = ballot["house"], ballot["sequence"]
    if type(sequence) is not int or type(house_no) is not int or min(sequence, house_no) < 0:
        return FaultKind.UNREADABLE, "house and sequence are whole numbers from 0"
    if not _is_signed(ballot["vote_key"], b"meent-ballot:1", ballot):
        return FaultKind.CHANGED_BALLOT, ""
    fault = _credential_fault(terms, ballot, owners)
    if fault is None and not RULES[terms.manifest["rule"]].admits(
        ballot["value"], terms.manifest["parameters"]
    ):
        return FaultKind.FALSE_VALUE, _short(ballot["value"])
    return fault


def _credential_fault(
    terms: Terms, ballot: Json, owners: Mapping[str, set[str]]
) -> tuple[FaultKind, str] | None:
    issuers, credentials = terms.manifest["issuers"], ballot["credentials"]
    house_no, key = ballot["house"], bytes.fromhex(ballot["vote_key"])
    missing = [issuer["name"] for issuer in issuers[len(credentials) :]]
    copied = []
    for issuer_no, (issuer, credential) in enumerate(zip(issuers, credentials, strict=False)):
        place = issuer_no.to_bytes(2) + house_no.to_bytes(2)
        stamped = b"meent-credential:1" + terms.hash + place + key
        if not _is_stamped(terms.keys[issuer_no][house_no], stamped, credential):
            missing.append(issuer["name"])
            copied += [issuer["name"]] * (len(owners[credential["signature"]]) > 1)
    if copied and len(missing) == len(issuers):
        return FaultKind.COPIED_CREDENTIAL, f"of {', '.join(copied)}"
    if missing and len(missing) < len(issuers):
        return FaultKind.DISHONEST_ISSUER, f"no stamp of {', '.join(missing)}"
    if missing or len(credentials) != len(issuers):
        return FaultKind.FALSE_CREDENTIAL, ""
    return None


def _newest(ballots: Sequence[Json], good: Sequence[int], found: Recount) -> list[Json]:
    """Return of each key the ballot with the highest sequence; of a tie, none of the tied."""
    by_key: dict[str, list[Json]] = {}
    for number in good:
        by_key.setdefault(ballots[number]["vote_key"], []).append(ballots[number])
    counted = []
    for key, of_key in by_key.items():
        highest = max(ballot["sequence"] for ballot in of_key)
        newest = [ballot for ballot in of_key if ballot["sequence"] == highest]
        if len(newest) == 1:
            counted.append(newest[0])
        else:
            found.fault(FaultKind.SAME_SEQUENCE, f"key {key[:12]}, sequence {highest}")
    return counted


# The rules, written a second time from the same sources.


@dataclass(frozen=True, slots=True)
class Rule:
    """What a ballot may say, and what the ballots of all houses decide."""

    admits: Callable[[Any, Json], bool]
    count: Callable[[Sequence[Sequence[Any]], Json], Any]


def _reaches(count: int, seats: int, majority: Sequence[Any]) -> bool:
    """Whether `count` is [numerator, denominator, more_than] of the seats; 0 never is."""
    numerator, denominator, more_than = majority
    excess = count * denominator - seats * numerator
    return count > 0 and (excess > 0 if more_than else excess >= 0)


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(high, value))


def _admits_number(value: Any, terms: Json) -> bool:
    low, high, now = terms["floor"], terms["ceiling"], terms["status_quo"]
    in_range = type(value) is int and low <= value <= high
    return in_range and (value % terms["grid"] == 0 or value in {low, high, _clamp(now, low, high)})


def _number(values: Sequence[int], terms: Json, quorum: int) -> int:
    """Median with empty chairs and the tie for no change (Moulin 1980), then step and range."""
    now, seats = terms["status_quo"], max(len(values), quorum)
    higher = [
        x
        for x in {*values}
        if x > now and _reaches(sum(v >= x for v in values), seats, terms["to_raise"])
    ]
    lower = [
        x
        for x in {*values}
        if x < now and _reaches(sum(v <= x for v in values), seats, terms["to_cut"])
    ]
    agreed = max(higher) if higher else min(lower, default=now)
    low, high, step = terms["floor"], terms["ceiling"], terms["largest_step"]
    if step is None:
        return _clamp(agreed, low, high)
    start = _clamp(now, low, high)
    return _clamp(_clamp(agreed, low, high), start - step, start + step)


def _count_number(values: Sequence[Sequence[int]], terms: Json) -> Json:
    (everyone,), (quorum,) = values, terms["quorums"]
    return {"value": _number(everyone, terms, quorum)}


def _count_two_houses(values: Sequence[Sequence[int]], terms: Json) -> Json:
    first, second = (
        _number(house, terms, quorum)
        for house, quorum in zip(values, terms["quorums"], strict=True)
    )
    no_change = _clamp(terms["status_quo"], terms["floor"], terms["ceiling"])
    return {"value": sorted((first, second, no_change))[1]}


def _count_text(values: Sequence[Sequence[str]], terms: Json) -> Json:
    (everyone,), (quorum,) = values, terms["quorums"]
    votes = Counter(everyone)
    empty = max(0, quorum - len(everyone))
    carried = _reaches(votes["yes"], votes["yes"] + votes["no"] + empty, terms["majority"])
    return {"carried": carried} | {said: votes[said] for said in ("yes", "no", "abstain")}


def _admits_budget(value: Any, terms: Json) -> bool:
    return (
        isinstance(value, list)
        and len(value) == len(terms["pots"])
        and all(type(points) is int and points >= 0 for points in value)
        and sum(value) == terms["points"]
    )


def _count_budget(values: Sequence[Sequence[Sequence[int]]], terms: Json) -> Json:
    """Independent markets (Freeman et al. 2019): one voice for all, grown until all is shared."""
    (everyone,), (quorum,) = values, terms["quorums"]
    present = terms["present"]
    seats = [*everyone, *[present] * max(0, quorum - len(everyone))] or [present]
    pots = [sorted(asked, reverse=True) for asked in zip(*seats, strict=True)]

    def prices(voice: Fraction) -> list[Fraction]:
        return [max(min(Fraction(ask), voice * k) for k, ask in enumerate(pot, 1)) for pot in pots]

    ends = {Fraction(ask, k) for pot in pots for k, ask in enumerate(pot, 1)}
    ends |= {Fraction(ask, k) for pot in pots for k, ask in enumerate(pot[1:], 1)} | {Fraction(0)}
    voices, low = sorted(ends), 0
    high = len(voices) - 1
    # Between two neighbouring ends every price is a straight line, so the voice comes out exactly.
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (
            (middle, high) if sum(prices(voices[middle])) < terms["points"] else (low, middle)
        )
    below, above = sum(prices(voices[low])), sum(prices(voices[high]))
    part = (terms["points"] - below) / (above - below)
    voice = voices[low] + part * (voices[high] - voices[low])
    shares = [price / terms["points"] for price in prices(voice)]
    return {"shares": [[share.numerator, share.denominator] for share in shares]}


def _admits_choice(value: Any, terms: Json) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(option, str) for option in value)
        and len({*value}) == len(value)
        and {*value} <= {*terms["options"], "no_change"}
    )


def _count_choice(values: Sequence[Sequence[Sequence[str]]], terms: Json) -> Json:
    """Schulze 2011 among the options a majority prefers to no change; ties to the first filed."""
    (everyone,), (quorum,) = values, terms["quorums"]
    seats = [*everyone, *[["no_change"]] * max(0, quorum - len(everyone))]
    options = [*terms["options"], "no_change"]
    prefer: Counter[tuple[str, str]] = Counter()
    for seat in seats:
        place = {option: seat.index(option) if option in seat else len(seat) for option in options}
        prefer.update((a, b) for a in options for b in options if place[a] < place[b])
    majority = terms.get("majority") or [1, 2, True]
    wanted = [
        a
        for a in options[:-1]
        for either in [prefer[a, "no_change"] + prefer["no_change", a]]
        if _reaches(prefer[a, "no_change"], either, majority)
    ]
    path = {(a, b): prefer[a, b] * (prefer[a, b] > prefer[b, a]) for a in wanted for b in wanted}
    for via in wanted:
        for (a, b), strength in path.items():
            path[a, b] = max(strength, min(path[a, via], path[via, b]))
    winners = [a for a in wanted if all(path[a, b] >= path[b, a] for b in wanted)]
    return {"winner": winners[0] if winners else "no_change"}


RULES = {
    "number": Rule(admits=_admits_number, count=_count_number),
    "two_houses": Rule(admits=_admits_number, count=_count_two_houses),
    "text": Rule(admits=lambda value, _: value in ("yes", "no", "abstain"), count=_count_text),
    "budget": Rule(admits=_admits_budget, count=_count_budget),
    "choice": Rule(admits=_admits_choice, count=_count_choice),
}


# MONEY


@dataclass(slots=True)
class PeriodRecount(Found):
    """What a recount of a period found: faults, the close as it comes out, balances asked for."""

    blocks: int = 0
    journals: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    balances: list[str] = field(default_factory=list)

    def summary(self) -> list[str]:
        """How much was looked at, the close step by step, and the balances asked for."""
        return [
            f"blocks checked: {self.blocks} with {self.journals} journals",
            *(f"  {key:18} {minor:>14}" for key, minor in self.steps.items()),
            *self.balances,
        ]


@dataclass(frozen=True, slots=True)
class Line:
    """One transfer of a sealed journal, and its place there, from 1."""

    number: int
    place: int
    kind: str
    in_period: bool
    debit: str
    credit: str
    minor: int

    @property
    def is_result(self) -> bool:
        """Whether it counts for what the period made."""
        return self.in_period and self.kind != "surplus_close"

    @property
    def payer(self) -> str:
        """Who paid the commission that it moved, or got it back."""
        return self.debit if self.credit == "commission_income" else self.credit

    def of(self, account: str) -> int:
        """What it brought the account; below 0 what it took."""
        return self.minor * ((self.credit == account) - (self.debit == account))


# Where a pot is kept; a pot of any other name waits with the investments.
KEPT_IN = {
    "reserve": "voted_reserve",
    "dividend": "refunds_payable",
    "education": "education_fund",
    "solidarity": "solidarity_fund",
}
CLOSING_KINDS = ("surplus_close", "surplus_share", "loss_absorption", "refund_allocation")


def recount_period(
    package: Json, *, heads: Sequence[Json] = (), secrets: Sequence[str] = ()
) -> PeriodRecount:
    """All faults of a closed period's package, and the close as its books and rules come out.

    `heads` are published seals that someone kept; `secrets` (hex) are all of one person's, whose
    balances and row are checked. A package too broken to read is a fault, never an exception.
    """
    found = PeriodRecount()
    try:
        _recount_period(package, heads, secrets, found)
    except MALFORMED as wrong:
        found.fault(FaultKind.UNREADABLE, f"{type(wrong).__name__}: {wrong}")
    return found


def _recount_period(
    package: Json, heads: Sequence[Json], secrets: Sequence[str], found: PeriodRecount
) -> None:
    period, rules = package["period"], package["rules"]
    _check_seals(package["seals"], heads, found)
    lines = _check_blocks(package, found)
    if sum(package["openings"].values()):
        found.fault(FaultKind.FALSE_OPENING, "what stood on all accounts is not 0 in sum")
    books = _add_up(package, lines, found)
    parts = _close(books, rules)
    found.steps = _steps(books, parts, rules)
    announced = package["announced"]
    for key in sorted(found.steps.keys() | announced.keys()):
        if announced.get(key, 0) != found.steps.get(key, 0):
            told, counted = announced.get(key, 0), found.steps.get(key, 0)
            found.fault(FaultKind.FALSE_CLOSE, f"{key}: announced {told}, comes to {counted}")
    _check_refunds(package["members"], parts, found)
    _check_bookings(lines, {*period["closing"]}, books, parts, found)
    if secrets:
        _check_own(package, lines, [bytes.fromhex(secret) for secret in secrets], found)


# Seals and blocks.


def _check_seals(seals: Sequence[Json], kept: Sequence[Json], found: Found) -> None:
    """Each seal follows the one before, is signed by one key, and is the one that was kept."""
    before = None
    for seal in seals:
        name, digest = f"block {seal['height']}", _seal_hash(seal)
        if seal["hash"] != digest.hex():
            found.fault(FaultKind.BROKEN_CHAIN, f"{name}: its hash is another")
        if not _verifies(seal["key"], b"meent-seal:1" + digest, seal["signature"]):
            found.fault(FaultKind.FORGED_SEAL, name)
        expected = (before["height"] + 1, before["hash"]) if before else None
        if before is None and seal["height"] == 1:
            expected = (1, "00" * 32)
        if expected is not None and (seal["height"], seal["previous"]) != expected:
            found.fault(FaultKind.BROKEN_CHAIN, f"{name} does not follow the block before it")
        if before is not None and seal["key"] != before["key"]:
            found.fault(FaultKind.FORGED_SEAL, f"{name} is signed by another key than before")
        before = seal
    if kept and seals:
        _check_kept(seals, kept, found)


def _check_kept(seals: Sequence[Json], kept: Sequence[Json], found: Found) -> None:
    """Kept seals are those of the file, or lead to it one by one; of the others it is noted."""
    hashes = {seal["height"]: _seal_hash(seal).hex() for seal in seals}
    chain = {head["height"]: _seal_hash(head).hex() for head in kept} | hashes
    for head in kept:
        if hashes.get(head["height"]) not in (None, _seal_hash(head).hex()):
            found.fault(
                FaultKind.SWAPPED_SEAL, f"block {head['height']}: another seal was kept of it"
            )
    for head in (*kept, *seals):
        height = head["height"]
        is_inside = height in hashes and height - 1 in hashes
        if not is_inside and head["previous"] != chain.get(height - 1, head["previous"]):
            found.fault(FaultKind.BROKEN_CHAIN, f"block {height} does not follow the one before")
    low, high = min(hashes), max(hashes)
    while low - 1 in chain:
        low -= 1
    while high + 1 in chain:
        high += 1
    lost = [head["height"] for head in kept if not low <= head["height"] <= high]
    if lost:
        found.notes.append(
            f"{len(lost)} of the seals you kept, such as {max(lost)}, are not compared: nothing"
            " leads from them to this file. Give those in between too (/v1/ledger/seals)."
        )


def _seal_hash(seal: Json) -> bytes:
    body = {name: value for name, value in seal.items() if name not in ("hash", "signature")}
    return hashlib.sha256(b"meent-seal:1" + canonical(body)).digest()


def _leaf(journal: Json) -> bytes:
    hidden = bytes.fromhex(journal["hidden"])
    return hashlib.sha256(b"\x00" + hidden + canonical(journal["shown"])).digest()


def _check_blocks(package: Json, found: PeriodRecount) -> list[Line]:
    """Every block holds the journals that its seal covers; return all their lines."""
    seals, blocks, period = package["seals"], package["blocks"], package["period"]
    ahead = len(seals) - len(blocks)
    if ahead not in (0, 1):
        found.fault(FaultKind.MISSING_BLOCKS, f"{len(seals)} seals of {len(blocks)} blocks")
    elif ahead and _moment(seals[0]["sealed_at"]) >= _moment(period["since"]):
        found.fault(FaultKind.MISSING_BLOCKS, "the blocks begin later than the period")
    elif blocks and not ahead and seals[0]["height"] != 1:
        found.fault(FaultKind.MISSING_BLOCKS, "the seal before the first block is missing")
    for seal, block in zip(seals[max(0, ahead) :], blocks, strict=False):
        if len(block) != seal["size"]:
            detail = f"block {seal['height']}: {seal['size']} journals sealed, {len(block)} here"
            found.fault(FaultKind.CHANGED_BLOCK, detail)
        elif _root([_leaf(journal) for journal in block]).hex() != seal["root"]:
            found.fault(FaultKind.CHANGED_BLOCK, f"block {seal['height']}: another root")
    found.blocks, found.journals = len(blocks), sum(map(len, blocks))
    return _lines([journal["shown"] for block in blocks for journal in block], package, found)


def _lines(journals: Sequence[Json], package: Json, found: Found) -> list[Line]:
    """Return the lines of journals, of which none is there twice, or booked after the close."""
    period, unit = package["period"], package["currency"]
    since, until = _moment(period["since"]), _moment(period["until"])
    lines = []
    for shown in journals:
        number, in_period = shown["journal"], since <= _moment(shown["at"]) < until
        if in_period and number > period["through_journal"]:
            found.fault(FaultKind.BOOKED_LATE, f"journal {number}")
        for place, (debit, credit, minor, of_unit) in enumerate(shown["lines"], start=1):
            if type(minor) is not int or minor <= 0 or of_unit != unit:
                found.fault(FaultKind.UNREADABLE, f"journal {number} moves {minor} {of_unit}")
            lines.append(Line(number, place, shown["kind"], in_period, debit, credit, minor))
    times = Counter(shown["journal"] for shown in journals)
    for number in (number for number, there in times.items() if there > 1):
        found.fault(FaultKind.CHANGED_BLOCK, f"journal {number} is there twice")
    missing = {*period["closing"]} - times.keys()
    if missing:
        found.fault(FaultKind.MISSING_BLOCKS, f"journals of the close: {sorted(missing)}")
    return lines


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


# The close, worked out from lines and rules.


@dataclass(frozen=True, slots=True)
class Books:
    """What a period made, and what stood when it was closed; commission and time by member."""

    paid: tuple[int, ...]
    engaged: tuple[int, ...]
    others: int
    other_income: int
    costs: int
    carried_loss: int
    reserve: int


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the result goes."""

    net: int
    indivisible: int
    reserve: int
    education: int
    pots: dict[str, int]
    refunds: tuple[tuple[int, int], ...]
    weights: tuple[Fraction, ...]
    undivided: int
    absorbed: int
    carried_forward: int


def _add_up(package: Json, lines: Sequence[Line], found: Found) -> Books:
    """Return the books of the period; who was a member and how long engaged is as stated."""
    members, guests = package["members"], package["guests"]
    by_drivers, by_others, income, costs = 0, 0, 0, 0
    for line in lines:
        if not line.is_result:
            continue
        income += line.of("other_income")
        costs -= line.of("platform_costs")
        if line.payer.startswith("driver:"):
            by_drivers += line.of("commission_income")
        else:
            by_others += line.of("commission_income")
    paid = tuple(member["commission_minor"] for member in members)
    of_guests = sum(guest["commission_minor"] for guest in guests)
    if sum(paid) + of_guests != by_drivers:
        detail = f"drivers are said to have paid {sum(paid) + of_guests}, paid {by_drivers}"
        found.fault(FaultKind.FALSE_PATRONAGE, detail)
    through = package["period"]["through_journal"]
    surplus, reserve = (
        package["openings"].get(account, 0)
        + sum(line.of(account) for line in lines if line.number <= through)
        for account in ("surplus", "statutory_reserve")
    )
    return Books(
        paid=paid,
        engaged=tuple(member["engaged_s"] for member in members),
        others=of_guests + by_others,
        other_income=income,
        costs=costs,
        carried_loss=max(0, -surplus),
        reserve=reserve,
    )


def _largest_remainder(total: int, weights: Sequence[int | Fraction]) -> list[int]:
    """Whole quotas, then a unit each for the largest fractions, the larger weight, the earlier."""
    whole = Fraction(sum(weights))
    quotas = [total * Fraction(weight) / whole for weight in weights]
    given = [int(quota) for quota in quotas]
    order = sorted(range(len(quotas)), key=lambda n: (given[n] - quotas[n], -quotas[n], n))
    for n in order[: total - sum(given)]:
        given[n] += 1
    return given


def _bound(rules: Json) -> tuple[int, int, dict[str, Fraction], Fraction]:
    """Return reserve and education in basis points, the pots, and the part by commission."""
    statutes, form, vote = rules["statutes"], rules["legal_form"], rules["vote"]
    reserve = max(statutes["reserve_bp"], form["reserve_bp"])
    education = max(statutes["education_bp"], form["education_bp"])
    pots = {"dividend": Fraction(0 if vote else 1)}
    if vote:
        pots |= {n: Fraction(*share) for n, share in zip(vote["pots"], vote["shares"], strict=True)}
    votable = 10_000 - reserve - education
    if votable:
        whole, least = sum(pots.values()), Fraction(form["refund_bp"], votable)
        pots = {name: share / whole for name, share in pots.items()}
        kept = pots["dividend"]
        if kept < least:
            pots = {name: share * (1 - least) / (1 - kept) for name, share in pots.items()}
            pots["dividend"] = least
    by_paid = 1 - Fraction(statutes["patronage_hours_bp"], 10_000)
    return reserve, education, pots, Fraction(1) if form["operations_only"] else by_paid


def _close(books: Books, rules: Json) -> Parts:
    """Earlier losses first, then reserves, pots and refunds, each by largest remainder."""
    reserve_bp, education_bp, pots, by_paid = _bound(rules)
    statutes, form = rules["statutes"], rules["legal_form"]
    paid = [max(0, minor) for minor in books.paid]
    back = -sum(min(0, minor) for minor in (*books.paid, books.others, books.other_income))
    costs = max(0, books.costs) + back + books.carried_loss
    income = max(0, books.other_income) + max(0, -books.costs)
    others = max(0, books.others)
    operating = sum(paid) + others - costs
    of_members, of_others = 0, operating
    if operating > 0:
        of_members, of_others = _largest_remainder(operating, [sum(paid), others])
    shares = [education_bp, reserve_bp, 10_000 - reserve_bp - education_bp]
    education, reserve, votable = _largest_remainder(of_members, shares)
    names = sorted(pots)
    potted = dict(zip(names, _largest_remainder(votable, [pots[n] for n in names]), strict=True))
    # A member for whom more was taken back than came has no claim, nor for their time.
    engaged = [s if minor >= 0 else 0 for s, minor in zip(books.engaged, books.paid, strict=True)]
    weights = tuple(
        by_paid * Fraction(minor, sum(paid) or 1) + (1 - by_paid) * Fraction(s, sum(engaged) or 1)
        for minor, s in zip(paid, engaged, strict=True)
    )
    refunds = [0] * len(weights)
    if any(weights):
        refunds = _largest_remainder(potted["dividend"], weights)
    cash_bp = max(statutes["refund_cash_bp"], form["cash_bp"])
    cash = [-(-refund * cash_bp // 10_000) for refund in refunds]
    net = operating + income
    loss = max(0, -net)
    absorbed = min(loss, max(0, books.reserve)) if statutes["reserve_bears_losses"] else 0
    return Parts(
        net=net,
        indivisible=of_others + income,
        reserve=reserve,
        education=education,
        pots=potted,
        refunds=tuple((c, refund - c) for c, refund in zip(cash, refunds, strict=True)),
        weights=weights,
        undivided=potted["dividend"] - sum(refunds),
        absorbed=absorbed,
        carried_forward=loss - absorbed,
    )


def _steps(books: Books, parts: Parts, rules: Json) -> dict[str, int]:
    """Return the close by the keys under which it was announced, without what is nothing."""
    steps = {
        "member_commission": sum(books.paid),
        "other_commission": books.others,
        "other_income": books.other_income,
        "costs": -books.costs,
        "result": parts.net + books.carried_loss,
    }
    if books.carried_loss:
        steps |= {"carried": -books.carried_loss, "net": parts.net}
    if parts.net < 0:
        if rules["statutes"]["reserve_bears_losses"]:
            steps["absorbed"] = parts.absorbed
        return steps | {"carried_forward": parts.carried_forward}
    steps |= {
        "indivisible": parts.indivisible,
        "reserve": parts.reserve,
        "education": parts.education,
    }
    steps |= {f"pot_{pot}": minor for pot, minor in parts.pots.items() if minor}
    steps |= {
        "cash": sum(cash for cash, _ in parts.refunds),
        "capital": sum(capital for _, capital in parts.refunds),
        "undivided": parts.undivided,
    }
    return steps


def _check_refunds(members: Sequence[Json], parts: Parts, found: Found) -> None:
    """Every member got their part; among equal weights it is open who got the last cent."""
    told: dict[Fraction, list[tuple[int, int]]] = {}
    due: dict[Fraction, list[tuple[int, int]]] = {}
    for member, weight, refund in zip(members, parts.weights, parts.refunds, strict=True):
        told.setdefault(weight, []).append((member["cash_minor"], member["capital_minor"]))
        due.setdefault(weight, []).append(refund)
    wrong = {weight for weight in due if sorted(told[weight]) != sorted(due[weight])}
    for member, weight in zip(members, parts.weights, strict=True):
        if weight in wrong:
            paid = f"{member['cash_minor']} in money, {member['capital_minor']} as capital"
            dues = " or ".join(f"{a} and {b}" for a, b in sorted({*due[weight]}))
            found.fault(FaultKind.FALSE_REFUND, f"{member['code']}: {paid}; due {dues}")


def _check_bookings(
    lines: Sequence[Line], closing: set[int], books: Books, parts: Parts, found: Found
) -> None:
    """The journals of the close moved what it comes to, to the right accounts."""
    booked: dict[tuple[str, str], int] = {}
    refunds: dict[int, list[int]] = {}
    for line in (line for line in lines if line.number in closing):
        if line.kind not in CLOSING_KINDS:
            found.fault(FaultKind.FALSE_BOOKING, f"journal {line.number} is a {line.kind}")
        for account in (line.debit, line.credit):
            kind = account.partition(":")[0]
            key = line.kind, kind
            booked[key] = booked.get(key, 0) + line.of(account)
            if line.kind == "refund_allocation" and kind != "refunds_payable":
                part = refunds.setdefault(line.number, [0, 0])
                part[kind != "driver"] += line.of(account)
    due = _due_bookings(books, parts)
    for kind, account in sorted(booked.keys() | due.keys()):
        told, comes = booked.get((kind, account), 0), due.get((kind, account), 0)
        if told != comes:
            detail = f"{kind}: {told} booked on {account}, comes to {comes}"
            found.fault(FaultKind.FALSE_BOOKING, detail)
    if sorted(map(tuple, refunds.values())) != sorted(part for part in parts.refunds if sum(part)):
        found.fault(FaultKind.FALSE_BOOKING, "the refunds booked are not those that come out")


def _due_bookings(books: Books, parts: Parts) -> dict[tuple[str, str], int]:
    """Return what each kind of journal moved in sum to each kind of account, if all was right."""
    paid, result = sum(books.paid), parts.net + books.carried_loss
    due: Counter[tuple[str, str]] = Counter()
    due["surplus_close", "commission_income"] = -(paid + books.others)
    due["surplus_close", "other_income"] = -books.other_income
    due["surplus_close", "platform_costs"] = books.costs
    due["surplus_close", "surplus"] = result
    if parts.net < 0:
        due["loss_absorption", "statutory_reserve"] = -parts.absorbed
        due["loss_absorption", "surplus"] = parts.absorbed
        return due
    due["surplus_share", "surplus"] = -parts.net
    due["surplus_share", "statutory_reserve"] += parts.indivisible + parts.reserve
    due["surplus_share", "education_fund"] += parts.education
    for pot, minor in parts.pots.items():
        due["surplus_share", KEPT_IN.get(pot, "investment_pot")] += minor
    due["surplus_share", "refunds_payable"] -= parts.undivided
    due["surplus_share", "voted_reserve"] += parts.undivided
    due["refund_allocation", "refunds_payable"] = -sum(map(sum, parts.refunds))
    due["refund_allocation", "driver"] = sum(cash for cash, _ in parts.refunds)
    due["refund_allocation", "member_capital"] = sum(capital for _, capital in parts.refunds)
    return due


# One person's own, by their secrets.


def _code(secret: bytes, purpose: bytes, what: bytes) -> str:
    return hmac.digest(secret, purpose + what, "sha256")[:16].hex()


def _own_lines(lines: Sequence[Line], secrets: Sequence[bytes]) -> dict[str, list[Line]]:
    """Return a person's lines by what their account is called in them."""
    own: dict[str, list[Line]] = {}
    for line in lines:
        place = line.number.to_bytes(8) + line.place.to_bytes(4)
        for code in {_code(secret, b"line", place) for secret in secrets}:
            for account in (line.debit, line.credit):
                if account.partition(":")[2] == code:
                    own.setdefault(account, []).append(line)
    return own


def _check_own(
    package: Json, lines: Sequence[Line], secrets: Sequence[bytes], found: PeriodRecount
) -> None:
    """A person's balances, and that their row says what their own lines come to."""
    period = UUID(package["period"]["id"]).bytes
    own = _own_lines(lines, secrets)
    openings = {_code(secret, b"opening", period) for secret in secrets}
    codes = {_code(secret, b"period", period) for secret in secrets}
    moved: dict[str, list[int]] = {}
    for name, minor in package["openings"].items():
        kind, _, code = name.partition(":")
        if code in openings:
            moved.setdefault(kind, [0, 0, 0])[0] += minor
    for account, of_account in own.items():
        parts = moved.setdefault(account.partition(":")[0], [0, 0, 0])
        for line in of_account:
            minor = line.of(account)
            parts[1 if minor > 0 else 2] += abs(minor)
    rows = [member for member in package["members"] if member["code"] in codes]
    guest = [one for one in package["guests"] if one["code"] in codes]
    if not moved and not rows and not guest:
        found.fault(FaultKind.UNKNOWN_PERSON, f"{len(secrets)} tried")
        return
    found.balances += [
        f"{kind}: {opening} + {came} - {went} = {opening + came - went}"
        for kind, (opening, came, went) in sorted(moved.items())
    ]
    _check_row(rows, guest, own, package, lines, found)


def _check_row(
    rows: Sequence[Json],
    guest: Sequence[Json],
    own: Mapping[str, Sequence[Line]],
    package: Json,
    lines: Sequence[Line],
    found: PeriodRecount,
) -> None:
    """What is said that a driver paid and gets back is what their own lines say."""
    if len(rows) > 1 or len(guest) > 1:
        found.fault(FaultKind.FALSE_PATRONAGE, "there are two rows of yours")
    paid = sum(
        line.of("commission_income")
        for account, of_account in own.items()
        for line in of_account
        if line.is_result and line.payer == account
    )
    told = sum(row["commission_minor"] for row in (*rows, *guest))
    if told != paid:
        detail = f"you are said to have paid {told}, your own rides paid {paid}"
        found.fault(FaultKind.FALSE_PATRONAGE, detail)
    closing = {*package["period"]["closing"]}
    numbers = {
        line.number
        for of_account in own.values()
        for line in of_account
        if line.number in closing and line.kind == "refund_allocation"
    }
    booked = [0, 0]
    for line in (line for line in lines if line.number in numbers):
        kind = line.credit.partition(":")[0]
        booked[kind != "driver"] += line.minor
    cash, capital = (sum(row[name] for row in rows) for name in ("cash_minor", "capital_minor"))
    # Who has nothing in money and did not give the secret of their capital has no such line.
    if booked != [cash, capital] and (numbers or cash):
        detail = f"your row says {cash} and {capital}, booked for you {booked[0]} and {booked[1]}"
        found.fault(FaultKind.FALSE_REFUND, detail)
    found.balances += [
        f"  refund: {row['cash_minor']} in money, {row['capital_minor']} as capital,"
        f" for {row['commission_minor']} paid and {row['engaged_s']} seconds engaged"
        for row in rows
    ]
    found.balances += [
        f"  counted as of no member: {one['commission_minor']} paid" for one in guest
    ]


# One journal.


def check_proof(proof: Json, *, heads: Sequence[Json] = ()) -> PeriodRecount:
    """All faults of the proof that a journal is sealed; `heads` are published seals kept before."""
    found = PeriodRecount()
    try:
        _check_proof(proof, heads, found)
    except MALFORMED as wrong:
        found.fault(FaultKind.UNREADABLE, f"{type(wrong).__name__}: {wrong}")
    return found


def _check_proof(proof: Json, heads: Sequence[Json], found: PeriodRecount) -> None:
    seal, shown = proof["seal"], proof["shown"]
    name = f"journal {shown['journal']}"
    _check_seals([seal], heads, found)
    if proof["salt"] is not None:
        content = bytes.fromhex(proof["salt"]) + canonical(proof["hidden_part"])
        if hashlib.sha256(content).hexdigest() != proof["hidden"]:
            found.fault(FaultKind.CHANGED_BLOCK, f"{name} hides something else")
    path = [bytes.fromhex(step) for step in proof["path"]]
    if not _leads_to(_leaf(proof), proof["position"], seal["size"], path, seal["root"]):
        found.fault(FaultKind.CHANGED_BLOCK, f"{name} is not in block {seal['height']}")
    found.blocks, found.journals = 1, 1
    found.balances += [
        f"{name}: {a} to {b}: {minor} {unit}" for a, b, minor, unit in shown["lines"]
    ]


def _leads_to(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: str) -> bool:
    """RFC 6962 §2.1.1 from above: which half of the tree the leaf is in, down to the leaf."""

    def climb(index: int, size: int, steps: Sequence[bytes]) -> bytes:
        if size == 1:
            return leaf if not steps else b""
        split = 1 << ((size - 1).bit_length() - 1)
        if index < split:
            left, right = climb(index, split, steps[:-1]), steps[-1]
        else:
            left, right = steps[-1], climb(index - split, size - split, steps[:-1])
        return hashlib.sha256(b"\x01" + left + right).digest()

    return 0 <= index < size and climb(index, size, path).hex() == root


# WHAT BOTH NEED

# Hashes and signatures.


def canonical(document: Any) -> bytes:
    """JSON with sorted keys, no spaces, UTF-8: one text for one meaning, as there are no floats."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def _roll_hash(members: Sequence[str]) -> str:
    return hashlib.sha256(canonical(sorted(members))).hexdigest()


def _root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1, written as it stands there."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + _root(leaves[:split]) + _root(leaves[split:])).digest()


def _verifies(key: str, message: bytes, signature: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(
            bytes.fromhex(signature), message
        )
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_signed(key: str, domain: bytes, document: Json) -> bool:
    """Whether the document's `signature` is the key's over its other fields."""
    body = {name: value for name, value in document.items() if name != "signature"}
    return _verifies(key, domain + canonical(body), document["signature"])


def _is_stamped(key: RSAPublicKey, message: bytes, credential: Json) -> bool:
    """Whether the credential is RSABSSA-SHA384-PSS-Randomized (RFC 9474), an RSA-PSS signature."""
    prefix, signature = (bytes.fromhex(credential[name]) for name in ("prefix", "signature"))
    try:
        key.verify(signature, prefix + message, PSS(MGF1(hashes.SHA384()), 48), hashes.SHA384())
    except InvalidSignature:
        return False
    return len(prefix) == 32


def _short(document: Any) -> str:
    text = canonical(document).decode()
    return text if len(text) <= 100 else f"{text[:97]}..."


# The command.


def report(found: Found) -> str:
    """The recount in plain lines: the faults by kind, a few of each, and what was counted."""
    lines = []
    for kind in FaultKind:
        details = [fault.detail for fault in found.faults if fault.kind is kind]
        if details:
            lines.append(f"FAULT: {kind}")
            lines += [f"  {detail}" for detail in details[:SHOWN_PER_KIND]]
            if len(details) > SHOWN_PER_KIND:
                lines.append(f"  and {len(details) - SHOWN_PER_KIND} more")
    lines += found.summary()
    lines += [f"note: {note}" for note in found.notes]
    lines.append(f"{len(found.faults)} faults" if found.faults else "no fault: every check passed")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the recount; 0 without fault, 1 with faults, 2 where a file cannot be read."""
    parser = argparse.ArgumentParser(
        prog="meent-verify", description="Recount an election or money."
    )
    parser.add_argument(
        "package", type=Path, help="of an election or a closed period, or the proof of a journal"
    )
    parser.add_argument("--receipt", type=Path, action="append", default=[], help="your receipt")
    parser.add_argument(
        "--root",
        type=Path,
        action="append",
        default=[],
        help="a root, a seal or a page of seals you kept",
    )
    parser.add_argument(
        "--member", action="append", default=[], help="a secret of yours, or a file of all of them"
    )
    chosen = parser.parse_args(arguments)
    try:
        package, receipts, roots = (
            [
                json.loads(path.read_bytes(), parse_float=_refuse, parse_constant=_refuse)
                for path in paths
            ]
            for paths in ([chosen.package], chosen.receipt, chosen.root)
        )
        secrets = [secret for given in chosen.member for secret in _secrets(given)]
    except (OSError, RecursionError, ValueError) as wrong:
        sys.stderr.write(f"cannot read: {wrong}\n")
        return 2
    found = _recount_any(package[0], receipts=receipts, roots=roots, secrets=secrets)
    sys.stdout.write(report(found))
    return 1 if found.faults else 0


def _recount_any(
    package: Any, *, receipts: Sequence[Json], roots: Sequence[Json], secrets: Sequence[str]
) -> Found:
    """Recount whatever it is; what is none of the three is an election that cannot be read."""
    form = package.get("format") if isinstance(package, dict) else None
    # As `/v1/ledger/seals` answers, one page of them is one file.
    pages = [
        root["items"] if isinstance(root, dict) and "items" in root else [root] for root in roots
    ]
    heads = [head for page in pages for head in page]
    if form == PERIOD_FORMAT:
        return recount_period(package, heads=heads, secrets=secrets)
    if form == PROOF_FORMAT:
        return check_proof(package, heads=heads)
    return recount(package, receipts=receipts, roots=roots)


def _secrets(given: str) -> list[str]:
    """Return the secret that was given, or those that a file of any form holds."""
    form = re.compile(r"\b[0-9a-f]{64}\b")
    if form.fullmatch(given):
        return [given]
    found = form.findall(Path(given).read_text(encoding="utf-8"))
    if not found:
        raise ValueError(f"{given} holds no secret")
    return found


def _refuse(text: str) -> float:
    raise ValueError(f"a package holds no fractions written as {text}")


if __name__ == "__main__":
    sys.exit(main())
