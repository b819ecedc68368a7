"""A sister cooperative for tests: its key, what it signs, and its registration by two people."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.foundation.ids import new_id
from app.members.roles import Role
from app.reciprocity import papers
from governance.clearing import Entry
from governance.manifest import time_text
from tests.conftest import FRIDAY_EVENING
from tests.factories import Person, make_member

DAY = timedelta(days=1)


@dataclass
class Sister:
    """A sister that exists only by its key."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def id(self) -> UUID:
        return papers.peer_id_of(papers.public_half(self.key))

    def sign(self, paper: dict[str, Any]) -> dict[str, Any]:
        return {"paper": paper, "signature": papers.sign(paper, key=self.key)}

    def letter(self, host: UUID, /, *, now: datetime, limit_minor: int = 5000, **other: Any) -> Any:
        """A letter for a member of the sister who rides with `host`."""
        paper = {
            "format": papers.LETTER,
            "letter_id": str(new_id()),
            "home": str(self.id),
            "host": str(host),
            "name": "Gast",
            "currency": "CHF",
            "limit_minor": limit_minor,
            "issued_at": time_text(now),
            "expires_at": time_text(now + DAY),
        }
        return self.sign(paper | other)

    def claim(
        self, payer: UUID, letter_id: str, amount_minor: int, /, *, now: datetime, **other: Any
    ) -> Any:
        """A claim for what our member rode with the sister."""
        paper = {
            "format": papers.CLEARING,
            "clearing_id": str(new_id()),
            "letter_id": letter_id,
            "claimant": str(self.id),
            "payer": str(payer),
            "currency": "CHF",
            "amount_minor": amount_minor,
            "closes": False,
            "claimed_at": time_text(now),
        }
        return self.sign(paper | other)

    def statement(self, other: UUID, month: str, *entries: Entry) -> Any:
        """A month as the sister's books have it."""
        return self.sign(
            papers.statement_paper(
                own_id=self.id, peer_id=other, currency="CHF", month=month, entries=entries
            )
        )


async def own_id(client: httpx.AsyncClient) -> UUID:
    """The id by which sisters know the cooperative behind this client."""
    return UUID((await client.get("/v1/peers/self")).json()["id"])


async def post(client: httpx.AsyncClient, person: Person, path: str, **body: Any) -> httpx.Response:
    return await client.post(path, json=body or None, headers=person.act)


async def register(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    *,
    public_key: bytes,
    base_url: str = "http://127.0.0.1:9",
    they_may_owe_minor: int = 20_000,
    we_may_owe_minor: int = 20_000,
) -> str:
    """Have a sister proposed by one of staff and confirmed by another; return its path."""
    first, second = [await make_member(owner, Role.STAFF, now=FRIDAY_EVENING) for _ in range(2)]
    answer = await post(
        client,
        first,
        "/v1/peers",
        name="Züri",
        base_url=base_url,
        public_key=public_key.hex(),
        they_may_owe_minor=they_may_owe_minor,
        we_may_owe_minor=we_may_owe_minor,
    )
    assert answer.status_code == 201, answer.text
    path = f"/v1/peers/{answer.json()['id']}"
    answer = await post(client, second, f"{path}/confirm")
    assert answer.status_code == 200, answer.text
    return path


async def stands(owner: asyncpg.Connection) -> int:
    """What stands on the one sister's account, in our books."""
    return int(
        await owner.fetchval(
            "select posted_minor from balance b join account a on a.id = b.account_id"
            " where a.kind = 'peer_cooperative'"
        )
    )


async def held(owner: asyncpg.Connection, kind: str) -> int:
    """What is set aside on all accounts of a kind."""
    return int(
        await owner.fetchval(
            "select coalesce(sum(held_minor), 0) from balance b join account a"
            " on a.id = b.account_id where a.kind = $1",
            kind,
        )
    )
