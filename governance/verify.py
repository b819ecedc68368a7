"""Recounts one election from its public package and names each fault: `meent-verify`.

This one file needs Python 3.12 or later and `cryptography`, nothing else. It imports nothing of
the program and writes hashing, signatures and counting rules a second time, by design: a recount
by the same code would repeat the same mistake. Copy it, read it, run it anywhere:

    python verify.py package.json --receipt mine.json --root seen-on-tuesday.json

What no recount can see: how a member was pressed (a vote can be proved with key and receipt, so
it is not coercion-proof), ballots a server refused before giving a receipt, a root dated back
where nobody kept an earlier one, a vote lost with its device before casting, and all issuers
together voting for members who never look at the log.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

Json = Mapping[str, Any]
FORMATS = ("meent-election-package:1", "meent-manifest:1")
SHOWN_PER_KIND = 3
# What Python raises where a document is not of the form it should have.
MALFORMED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class FaultKind(StrEnum):
    """What can be wrong with an election, in words for a member."""

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


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where."""

    kind: FaultKind
    detail: str


@dataclass(slots=True)
class Recount:
    """What the recount found: faults, counted ballots by house, and the result they give."""

    faults: list[Fault] = field(default_factory=list)
    counted: list[int] = field(default_factory=list)
    result: Any = None

    def fault(self, kind: FaultKind, detail: str) -> None:
        """Note one fault more."""
        self.faults.append(Fault(kind, detail))


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


def report(found: Recount) -> str:
    """The recount in plain lines: the faults by kind, a few of each, or the result."""
    lines = []
    for kind in FaultKind:
        details = [fault.detail for fault in found.faults if fault.kind is kind]
        if details:
            lines.append(f"FAULT: {kind}")
            lines += [f"  {detail}" for detail in details[:SHOWN_PER_KIND]]
            if len(details) > SHOWN_PER_KIND:
                lines.append(f"  and {len(details) - SHOWN_PER_KIND} more")
    lines.append(f"ballots counted: {' + '.join(map(str, found.counted)) or 'none'}")
    lines.append(f"result counted:  {_short(found.result)}")
    lines.append(f"{len(found.faults)} faults" if found.faults else "no fault: every check passed")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the recount; 0 without fault, 1 with faults, 2 where a file cannot be read."""
    parser = argparse.ArgumentParser(prog="meent-verify", description="Recount an election.")
    parser.add_argument("package", type=Path, help="the election's public package, JSON")
    parser.add_argument("--receipt", type=Path, action="append", default=[], help="your receipt")
    parser.add_argument("--root", type=Path, action="append", default=[], help="a root you kept")
    chosen = parser.parse_args(arguments)
    try:
        package, receipts, roots = (
            [
                json.loads(path.read_bytes(), parse_float=_refuse, parse_constant=_refuse)
                for path in paths
            ]
            for paths in ([chosen.package], chosen.receipt, chosen.root)
        )
    except (OSError, RecursionError, ValueError) as wrong:
        sys.stderr.write(f"cannot read: {wrong}\n")
        return 2
    found = recount(package[0], receipts=receipts, roots=roots)
    sys.stdout.write(report(found))
    return 1 if found.faults else 0


def _refuse(text: str) -> float:
    raise ValueError(f"a package holds no fractions written as {text}")


if __name__ == "__main__":
    sys.exit(main())
