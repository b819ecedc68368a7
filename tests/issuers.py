"""Issuers for tests: each a real one on a folder of its own, and a cooperative that orders."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.foundation.clock import Clock
from app.issuer import papers
from app.issuer.folder import make_folder
from app.issuer.main import create_issuer
from governance.credential import CredentialRequest, request_credential
from governance.manifest import House, Issuer, Manifest, canonical, member_hash, roll_hash
from governance.vote_key import VoteKey, new_vote_key

NUMBER = {
    "status_quo": 1_500,
    "floor": 500,
    "ceiling": 2_000,
    "largest_step": 300,
    "to_raise": [2, 3, False],
    "to_cut": [1, 2, True],
    "grid": 50,
    "quorums": [2],
}
SALT = b"salt of the roll"


def public_hex(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


@asynccontextmanager
async def open_issuer(
    folder: Path, *, clock: Clock, passphrase: str | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the issuer of this folder, without a network between."""
    issuer = create_issuer(folder, clock=clock, passphrase=passphrase)
    async with issuer.router.lifespan_context(issuer):
        transport = httpx.ASGITransport(app=issuer)
        async with httpx.AsyncClient(transport=transport, base_url="http://issuer.test") as client:
            yield client


@dataclass
class Person:
    """A member with a member key on a device of their own."""

    number: int
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def member(self) -> str:
        return member_hash(f"{self.number}:{public_hex(self.key)}", salt=SALT)

    @property
    def line(self) -> dict[str, str]:
        return {"member": self.member, "key": public_hex(self.key)}

    def ask(
        self,
        manifest: Manifest,
        *,
        issuer_no: int,
        house_no: int = 0,
        vote_key: VoteKey | None = None,
    ) -> tuple[CredentialRequest, dict[str, Any]]:
        """What stays on the device, and the body that goes to the issuer."""
        request = request_credential(
            manifest,
            vote_key=(vote_key or new_vote_key()).public,
            issuer_no=issuer_no,
            house_no=house_no,
        )
        return request, self.sign(manifest, request.blinded, house_no=house_no)

    def sign(self, manifest: Manifest, blinded: bytes, *, house_no: int = 0) -> dict[str, Any]:
        message = papers.stamp_request(manifest.hash(), house_no=house_no, blinded=blinded)
        return {
            "house": house_no,
            **self.line,
            "blinded": blinded.hex(),
            "signature": self.key.sign(message).hex(),
        }


@dataclass
class Cooperative:
    """Who gives orders: its board key, and what it writes into terms."""

    board: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    def make_issuer(self, folder: Path, *, name: str) -> Path:
        make_folder(folder, name=name, cooperative_key=public_hex(self.board))
        return folder

    async def order(
        self,
        issuer: httpx.AsyncClient,
        path: str,
        body: dict[str, Any],
        *,
        key: Ed25519PrivateKey | None = None,
    ) -> httpx.Response:
        content = json.dumps(body).encode()
        signature = papers.sign_order(path, body=content, board_key=key or self.board)
        return await issuer.post(
            path,
            content=content,
            headers={papers.ORDER_HEADER: signature, "Content-Type": "application/json"},
        )

    async def terms(
        self,
        issuers: Sequence[httpx.AsyncClient],
        rolls: Sequence[Sequence[Person]],
        *,
        opens_at: datetime,
        election: str = "commission-2027",
    ) -> Manifest:
        """Terms with the keys that these issuers gave; one roll: all members, two: houses."""
        names = ["everybody"] if len(rolls) == 1 else ["drivers", "riders"]
        listed = []
        for issuer in issuers:
            about = (await issuer.get("/v1")).json()
            path = papers.keys_path(election)
            keys = (await self.order(issuer, path, {"houses": names})).json()
            listed.append(Issuer(about["name"], tuple(keys["moduli"]), keys["seal_key"]))
        number_rule = "number" if len(rolls) == 1 else "two_houses"
        return Manifest(
            election=election,
            question="Which share of a fare goes to the cooperative?",
            explanation="At 15 % a fare of 10.00 leaves 8.50 to the driver.",
            options=(),
            rule=number_rule,
            parameters=NUMBER | {"quorums": [2] * len(rolls)},
            houses=tuple(
                House(name, roll_hash([person.member for person in roll]), len(roll))
                for name, roll in zip(names, rolls, strict=True)
            ),
            issuers=tuple(listed),
            board_key=public_hex(self.board),
            opens_at=opens_at,
            closes_at=opens_at + timedelta(days=7),
            published_by=opens_at + timedelta(days=7, hours=1),
        )

    async def seal(
        self, issuer: httpx.AsyncClient, manifest: Manifest, rolls: Sequence[Sequence[Person]]
    ) -> httpx.Response:
        body = {
            "manifest": json.loads(canonical(manifest.document())),
            "rolls": [[person.line for person in roll] for roll in rolls],
        }
        return await self.order(issuer, papers.manifest_path(manifest.election), body)

    async def revoke(
        self, issuer: httpx.AsyncClient, manifest: Manifest, person: Person, *, house_no: int = 0
    ) -> httpx.Response:
        body = {"house": house_no, "member": person.member}
        return await self.order(issuer, papers.revocations_path(manifest.election), body)


async def ask_stamp(
    issuer: httpx.AsyncClient, manifest: Manifest, body: dict[str, Any]
) -> httpx.Response:
    return await issuer.post(f"/v1/votes/{manifest.election}/stamps", json=body)


def changed(manifest: Manifest, **values: Any) -> Manifest:
    return replace(manifest, **values)
