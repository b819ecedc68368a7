"""Speaks to the issuers of a vote: signed orders, every wait with a time-out, answers checked."""

import asyncio
import json
import re
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.assembly.elections.errors import IssuerAway
from app.assembly.elections.rules import RollLine
from app.issuer import papers
from governance.manifest import Issuer, Manifest

TIMEOUT_S = 8.0
_HEX = re.compile("[0-9a-f]+")

log = structlog.get_logger("elections")


@dataclass(frozen=True, slots=True)
class Issuers:
    """The way to every issuer: one HTTP client, and the board's key that signs orders.

    Every method raises IssuerAway where an issuer gives no answer in time, refuses, or answers
    something that is not what was asked for. Each may be repeated: an order given twice changes
    nothing the second time.
    """

    client: httpx.AsyncClient
    board_key: Ed25519PrivateKey

    async def get_keys(self, url: str, *, election_id: UUID, houses: Sequence[str]) -> Issuer:
        """Have fresh keys made for a vote; return them with the issuer's name."""
        about = await self._ask("GET", url, "/v1")
        answer = await self._order(
            url, papers.keys_path(str(election_id)), {"houses": list(houses)}
        )
        with _understanding(url):
            moduli = tuple(_hex(modulus) for modulus in answer["moduli"])
            return Issuer(str(about["name"]), moduli, _hex(answer["seal_key"]))

    async def get_seal(self, url: str, *, manifest: Manifest, lines: Sequence[RollLine]) -> bytes:
        """Send terms and rolls, without names and numbers of members; return the seal."""
        rolls = [
            [
                {"member": line.member_hash, "key": (line.public_key or b"").hex()}
                for line in lines
                if line.house_no == house_no
            ]
            for house_no in range(len(manifest.houses))
        ]
        answer = await self._order(
            url,
            papers.manifest_path(manifest.election),
            {"manifest": manifest.document(), "rolls": rolls},
        )
        with _understanding(url):
            return bytes.fromhex(_hex(answer["seal"]))

    async def get_logs(
        self, url: str, *, election_id: UUID, issuer_no: int, houses: int
    ) -> list[dict[str, Any]]:
        """Return the issuer's signed log of each house, as it stands now."""
        answer = await self._ask("GET", url, f"/v1/votes/{election_id}/log")
        with _understanding(url):
            logs = [
                {
                    "issuer": int(log["issuer"]),
                    "house": int(log["house"]),
                    "members": [_hex(member) for member in log["members"]],
                    "signature": _hex(log["signature"]),
                }
                for log in answer["logs"]
            ]
            places = [(log["issuer"], log["house"]) for log in logs]
            if places != [(issuer_no, house_no) for house_no in range(houses)]:
                raise ValueError("not one log for each house")
            return logs

    async def revoke(
        self, url: str, *, election_id: UUID, house_no: int, member: str
    ) -> tuple[str, ...]:
        """Have a member stamped no more; return whom the log of the house named by then."""
        answer = await self._order(
            url,
            papers.revocations_path(str(election_id)),
            {"house": house_no, "member": member},
        )
        with _understanding(url):
            return tuple(_hex(name) for name in answer["stamped"])

    async def _order(self, url: str, path: str, body: Mapping[str, Any]) -> Any:
        raw = json.dumps(body, separators=(",", ":")).encode()
        signature = papers.sign_order(path, body=raw, board_key=self.board_key)
        headers = {papers.ORDER_HEADER: signature, "Content-Type": "application/json"}
        return await self._ask("POST", url, path, content=raw, headers=headers)

    async def _ask(self, method: str, url: str, path: str, **more: Any) -> Any:
        try:
            answer = await self.client.request(
                method, url.rstrip("/") + path, timeout=TIMEOUT_S, **more
            )
        except httpx.HTTPError as away:
            raise IssuerAway(f"{url} gives no answer: {type(away).__name__}") from away
        if answer.status_code != httpx.codes.OK:
            kind = answer.headers.get("content-type", "")
            told = answer.json().get("type", "") if "json" in kind else ""
            raise IssuerAway(f"{url} answered {answer.status_code} {told}".strip())
        with _understanding(url):
            return answer.json()


async def ask_all(asked: Iterable[Coroutine[Any, Any, None]]) -> bool:
    """Ask all issuers at once and return whether all answered.

    One that is away holds up no other one, and is asked again in the next round.
    """

    async def ask(question: Coroutine[Any, Any, None]) -> bool:
        try:
            await question
        except IssuerAway as away:
            log.warning("election.issuer.away", detail=str(away))
            return False
        return True

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(question)) for question in asked]
    return all(task.result() for task in tasks)


@contextmanager
def _understanding(url: str) -> Iterator[None]:
    """Name the issuer whose answer has not the expected form."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise IssuerAway(f"{url} answered what is no answer: {wrong}") from wrong


def _hex(text: Any) -> str:
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise ValueError("not hexadecimal")
    return text
