"""A small election for tests: its keys, its members, its ballots and its public package."""

import copy
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.ballot_box import Ballot, BallotBox, cast, public_package, sign_receipt
from governance.blind_signature import PREFIX_BYTES, modulus_text
from governance.credential import (
    Credential,
    IssuanceLog,
    Revocation,
    _message,
    publish_log,
    publish_revocation,
    receive_credential,
    request_credential,
    revoke,
    stamp,
)
from governance.manifest import (
    House,
    Issuer,
    Manifest,
    canonical,
    member_hash,
    roll_hash,
    seal_manifest,
)
from governance.merkle import leaf_hash, root
from governance.verify import Fault, FaultKind, recount
from governance.vote_key import VoteKey, new_vote_key

OPENS_AT = datetime(2027, 1, 4, 8, tzinfo=UTC)
CLOSES_AT = OPENS_AT + timedelta(days=7)
PUBLISHED_BY = CLOSES_AT + timedelta(hours=1)
SALT = b"salt of the roll"
NUMBER = {
    "status_quo": 1_500,
    "floor": 500,
    "ceiling": 2_000,
    "largest_step": 300,
    "to_raise": [2, 3, False],
    "to_cut": [1, 2, True],
    "grid": 50,
    "quorums": [5],
}


@dataclass(frozen=True, slots=True)
class Keys:
    """Private keys of two issuers with two houses each, their seals, and the board."""

    issuers: tuple[tuple[rsa.RSAPrivateKey, ...], ...]
    seals: tuple[Ed25519PrivateKey, ...]
    board: Ed25519PrivateKey


@cache
def keys() -> Keys:
    return Keys(
        issuers=tuple(
            tuple(rsa.generate_private_key(65_537, 2_048) for _ in range(2)) for _ in range(2)
        ),
        seals=tuple(Ed25519PrivateKey.generate() for _ in range(2)),
        board=Ed25519PrivateKey.generate(),
    )


def public_hex(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def manifest_for(
    rolls: Sequence[Sequence[str]], *, rule: str, parameters: Mapping[str, Any]
) -> Manifest:
    return Manifest(
        election="commission-2027",
        question="Which share of a fare goes to the cooperative?",
        explanation="At 15 % a fare of 10.00 leaves 8.50 to the driver.",
        options=(),
        rule=rule,
        parameters=parameters,
        houses=tuple(
            House(name=f"house {number}", roll_hash=roll_hash(roll), roll_size=len(roll))
            for number, roll in enumerate(rolls)
        ),
        issuers=tuple(
            Issuer(
                name=name,
                moduli=tuple(modulus_text(key) for key in of_issuer[: len(rolls)]),
                seal_key=public_hex(seal),
            )
            for name, of_issuer, seal in zip(
                ("secretary", "sister co-op"), keys().issuers, keys().seals, strict=True
            )
        ),
        board_key=public_hex(keys().board),
        opens_at=OPENS_AT,
        closes_at=CLOSES_AT,
        published_by=PUBLISHED_BY,
    )


@dataclass
class Election:
    """An election under way; every method does what an honest party does."""

    rolls: list[list[str]]
    manifest: Manifest
    logs: list[list[list[str]]]
    box: BallotBox = field(default_factory=BallotBox)
    roots: list[dict[str, Any]] = field(default_factory=list)
    revocations: list[Revocation] = field(default_factory=list)

    def credential(
        self, key: VoteKey, *, issuer_no: int, house_no: int = 0, blindly: bool = False
    ) -> Credential:
        """A stamp without looking at the roll; signing openly gives the same form faster."""
        private = keys().issuers[issuer_no][house_no]
        if blindly:
            request = request_credential(
                self.manifest, vote_key=key.public, issuer_no=issuer_no, house_no=house_no
            )
            answer = stamp(request.blinded, key=private)
            return receive_credential(self.manifest, request=request, answer=answer)
        prefix = secrets.token_bytes(PREFIX_BYTES)
        message = _message(
            self.manifest, vote_key=key.public, issuer_no=issuer_no, house_no=house_no
        )
        scheme = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
        return Credential(prefix, private.sign(prefix + message, scheme, hashes.SHA384()))

    def register(
        self, member: str, *, house_no: int = 0, blindly: bool = False
    ) -> tuple[VoteKey, tuple[Credential, ...]]:
        """A new vote key, stamped by both issuers, who note the member."""
        key = new_vote_key()
        for log in self.logs:
            log[house_no].append(member)
        return key, tuple(
            self.credential(key, issuer_no=number, house_no=house_no, blindly=blindly)
            for number in range(2)
        )

    def vote(self, member: str, value: Any, *, house_no: int = 0, blindly: bool = False) -> Ballot:
        key, credentials = self.register(member, house_no=house_no, blindly=blindly)
        return cast(self.manifest, key=key, value=value, credentials=credentials, house_no=house_no)

    def publish(self, ballots: Iterable[Ballot], *, at: datetime) -> None:
        self.box = self.box.with_batch(ballots)
        self.roots.append(
            self.box.sign_root(self.manifest, board_key=keys().board, published_at=at)
        )

    def revoke(self, member: str, *, house_no: int = 0) -> None:
        self.revocations.append(
            revoke(member, logs=[self.log(number, house_no) for number in range(2)])
        )

    def log(self, issuer_no: int, house_no: int) -> IssuanceLog:
        return IssuanceLog(issuer_no, house_no, tuple(self.logs[issuer_no][house_no]))

    def receipt(self, ballot: Ballot) -> dict[str, Any]:
        return sign_receipt(ballot, board_key=keys().board, due_at=PUBLISHED_BY)

    def package(self) -> dict[str, Any]:
        """The package with the true result announced."""
        package = public_package(
            self.manifest,
            seals=[seal_manifest(self.manifest, seal_key=seal) for seal in keys().seals],
            rolls=self.rolls,
            issuance=[
                publish_log(self.manifest, log=self.log(issuer, house), seal_key=seal)
                for issuer, seal in enumerate(keys().seals)
                for house in range(len(self.rolls))
            ],
            revocations=[
                publish_revocation(self.manifest, revocation=one, board_key=keys().board)
                for one in self.revocations
            ],
            box=self.box,
            roots=self.roots,
            result=None,
        )
        return announce(package)


def election(
    *, sizes: Sequence[int] = (20,), rule: str = "number", parameters: Mapping[str, Any] = NUMBER
) -> Election:
    rolls = [
        [member_hash(f"{house}-{number}", salt=SALT) for number in range(size)]
        for house, size in enumerate(sizes)
    ]
    manifest = manifest_for(rolls, rule=rule, parameters=parameters)
    return Election(rolls, manifest, logs=[[[] for _ in sizes] for _ in range(2)])


VALUES = (1_200, 1_200, 1_300, 1_300, 1_300, 1_400, 1_500, 1_600, 1_000)


@cache
def honest_election() -> Election:
    """Nine members of twenty vote; four ballots lie under a first root, the rest under the last."""
    vote = election()
    ballots = [vote.vote(*one) for one in zip(vote.rolls[0], VALUES, strict=False)]
    vote.publish(ballots[:4], at=OPENS_AT + timedelta(days=2))
    vote.publish(ballots[4:], at=PUBLISHED_BY)
    return vote


def announce(package: dict[str, Any]) -> dict[str, Any]:
    """The package with what its faultless ballots decide announced, as a clever cheat would."""
    return {**package, "result": recount(package).result}


def forged(
    package: dict[str, Any], change: Callable[[list[dict[str, Any]]], None]
) -> dict[str, Any]:
    """The package with other ballots, roots signed afresh by a dishonest board, result fitted."""
    package = copy.deepcopy(package)
    change(package["ballots"])
    package["ballots"].sort(key=document_leaf)
    leaves = [document_leaf(ballot) for ballot in package["ballots"]]
    last = {**package["roots"][-1], "size": len(leaves), "root": root(leaves).hex()}
    package["roots"] = [signed(last, domain=b"meent-root:1", key=keys().board)]
    return announce(package)


def document_leaf(ballot: Mapping[str, Any]) -> bytes:
    return leaf_hash(canonical(ballot))


def signed(document: Mapping[str, Any], *, domain: bytes, key: Ed25519PrivateKey) -> dict[str, Any]:
    body = {name: value for name, value in document.items() if name != "signature"}
    return {**body, "signature": key.sign(domain + canonical(body)).hex()}


def the_fault(package: dict[str, Any], **kept: Any) -> Fault:
    """The only fault there is."""
    (fault,) = recount(package, **kept).faults
    return fault


def kinds(package: dict[str, Any], **kept: Any) -> set[FaultKind]:
    return {fault.kind for fault in recount(package, **kept).faults}
