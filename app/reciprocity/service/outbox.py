"""The outbox: says to sisters what they are to hear, again and again until they answer."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import structlog

from app.foundation.clock import Clock
from app.foundation.database import Database
from app.reciprocity import papers
from app.reciprocity.queries import clearings as queries
from app.reciprocity.rules import pause_after
from app.reciprocity.service import claims, statements
from app.reciprocity.service.peers import Own, own_of

PACE_S = 5.0
ROUND_TIMEOUT_S = 120.0
MOST_PER_ROUND = 50
ANSWER_TIMEOUT_S = 10.0
MOST_ANSWER_BYTES = 8 * 1024 * 1024

log = structlog.get_logger("reciprocity")


class PeerAway(Exception):
    """A sister gave no answer that counts; the same is said again later."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """Claims what is due and brings it to the sisters. Two of them at once do no harm."""

    database: Database
    clock: Clock
    home: Path
    client: httpx.AsyncClient

    async def run_once(self) -> int:
        """One round; returns how many claims were answered. It may be cut off anywhere.

        A claim is booked before it is sent, under an id that the sister books once: whatever is
        lost on the way, the next round says the same again.
        """
        own = own_of(await asyncio.to_thread(papers.load_own_key, self.home))
        await claims.claim_due(self.database, own=own, now=self.clock.now())
        answered = await self._bring_claims(own)
        await self._bring_statements(own)
        return answered

    async def _bring_claims(self, own: Own) -> int:
        async with self.database.reading() as reader:
            waiting = await queries.list_to_send(reader, now=self.clock.now(), most=MOST_PER_ROUND)
        answered, away = 0, set[UUID]()
        for claim in waiting:
            if claim["peer_id"] in away:
                continue
            try:
                answer = await self._ask(claim, own, "clearings", claim["message"])
                _check_answer(answer["paper"], clearing_id=claim["id"], own=own)
            except PeerAway as why:
                away.add(claim["peer_id"])
                log.warning("reciprocity.peer.away", peer_id=str(claim["peer_id"]), why=str(why))
                await self._note_try(claim)
                continue
            async with self.database.transaction() as tx:
                answered += await claims.take_answer(
                    tx, clearing_id=claim["id"], answer=answer, now=self.clock.now()
                )
        return answered

    async def _note_try(self, claim: Any) -> None:
        now = self.clock.now()
        async with self.database.transaction() as tx:
            await queries.note_try(
                tx, clearing_id=claim["id"], next_try_at=now + pause_after(claim["tries"] + 1)
            )

    async def _bring_statements(self, own: Own) -> None:
        async with self.database.reading() as reader:
            offered = await queries.list_offered(reader, most=MOST_PER_ROUND)
        for offer in offered:
            said = {"paper": offer["paper"], "signature": offer["own_signature"]}
            try:
                answer = await self._ask(offer, own, "statement-offers", said)
                if answer["paper"] != offer["paper"]:
                    _check_entries(answer["paper"], month=offer["paper"]["month"])
            except PeerAway as why:
                log.warning("reciprocity.peer.away", peer_id=str(offer["peer_id"]), why=str(why))
                continue
            async with self.database.transaction() as tx:
                await statements.take_verdict(
                    tx,
                    own=own,
                    statement_id=offer["id"],
                    peer_id=offer["peer_id"],
                    answer=answer,
                    now=self.clock.now(),
                )

    async def _ask(self, peer: Any, own: Own, what: str, said: dict[str, Any]) -> dict[str, Any]:
        """Return a sister's signed answer. Raises PeerAway where none came."""
        url = f"{peer['base_url']}/v1/peers/{own.id}/{what}"
        try:
            async with (
                asyncio.timeout(ANSWER_TIMEOUT_S),
                self.client.stream(
                    "POST", url, json=said, timeout=ANSWER_TIMEOUT_S, follow_redirects=False
                ) as answer,
            ):
                raw = b""
                async for part in answer.aiter_bytes():
                    raw += part
                    if len(raw) > MOST_ANSWER_BYTES:
                        raise PeerAway("the answer has no end")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as away:
            raise PeerAway(type(away).__name__) from away
        if answer.status_code != httpx.codes.OK:
            raise PeerAway(f"answered {answer.status_code}")
        return _signed(raw, public_key=peer["public_key"])


def _signed(raw: bytes, *, public_key: bytes) -> dict[str, Any]:
    answer = papers.read_signed(raw)
    if answer is None or not papers.is_signed(
        answer["paper"], signature=answer["signature"], public_key=public_key
    ):
        raise PeerAway("the answer is not signed by the sister")
    return answer


def _check_answer(paper: dict[str, Any], *, clearing_id: UUID, own: Own) -> None:
    """Raise PeerAway unless this is the answer to that very claim of ours."""
    is_right = (
        paper.get("format") == papers.ANSWER
        and paper.get("clearing_id") == str(clearing_id)
        and paper.get("claimant") == str(own.id)
        and papers.is_verdict(paper)
    )
    if not is_right:
        raise PeerAway("the answer is to something else")


def _check_entries(paper: dict[str, Any], *, month: str) -> None:
    """Raise PeerAway unless this is a list of that month's clearings."""
    if (
        paper.get("format") != papers.ENTRIES
        or paper.get("month") != month
        or not papers.is_list_of_entries(paper.get("entries"))
    ):
        raise PeerAway("the answer is to another statement")
