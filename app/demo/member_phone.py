"""A member's phone in the assembly: joins the register, gets the stamps, casts, changes its mind.

What it does in its own name goes through the signed-in phone, what it does in secret through the
voter's client, which speaks public HTTP alone.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any

from app.demo.api_client import PATIENCE_S, Member
from app.demo.plan import AssemblySeen, PlannedMember
from app.voting.client import Voter
from app.voting.connection import open_http
from app.voting.errors import FalseTermsError, SignedOutError, VotingError
from app.voting.wallet import Wallet
from governance.ballot_rule import BALLOT_RULES
from governance.manifest import Manifest

PAUSE_S = 0.5  # real seconds before something is tried again
# In which part of its window an act falls: the last moment is for who was held up.
WITHIN = 0.75
type Act = Callable[[Voter], Awaitable[Any]]


class Rooms:
    """Where phones blind and sign, `at_once` of them: a thread and a loop of its own for each.

    That takes the processor for a while, and in a room it holds up no phone that drives.
    """

    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._threads = ThreadPoolExecutor(at_once, "voter")

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[Callable[[Act, Voter], Awaitable[Any]]]:
        """Lend a room: what is called in it does an act as a voter and returns its answer."""

        async def do(act: Act, voter: Voter) -> Any:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, partial(_in_own_loop, act, voter))

        async with self._free:
            yield do

    def close(self) -> None:
        """Whoever still waits for a room gets none."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class MemberPhone:
    """One member of the cooperative, from the application to the ballot."""

    def __init__(
        self,
        member: Member,
        planned: PlannedMember,
        *,
        seen: AssemblySeen,
        rooms: Rooms,
    ) -> None:
        self.member = member
        self.planned = planned
        self.receipts: list[dict[str, Any]] = []
        self.currency = ""
        self.is_member = False
        self._clock = member.api.clock
        self._seen = seen
        self._rooms = rooms
        self._wallet = Wallet()

    async def join(self, staff: Member) -> None:
        """The phone's owner is on the register, and the cooperative knows the phone's key."""
        asked = await self.member.act("/v1/memberships", {"house": self.planned.house})
        self.currency = asked["currency"]
        # The share is paid at the desk, where somebody else decides.
        await staff.act(f"/v1/memberships/{asked['id']}/shares")
        await staff.act(f"/v1/memberships/{asked['id']}/admit")
        await self._in_a_room(lambda voter: voter.register_key())
        self.is_member = True
        self._seen.admitted += 1

    async def vote(self, election: dict[str, Any], *, opens_at: datetime, until: datetime) -> None:
        """The owner's ballot lies in the box, unless they stay away or `until` has passed."""
        if self.planned.wants_bp is None:
            return
        election_id = election["id"]
        if self.planned.comes_late:
            await self._sleep_into(opens_at, until, part=self.planned.fetches_at / 2)
        else:
            await self._sleep_into(self._clock.now(), opens_at, part=self.planned.fetches_at)
        stamped = await self._in_a_room(
            lambda voter: voter.get_credentials(election_id), until=until
        )
        self._seen.stamped += 1
        casts_at = self.planned.casts_at
        first, last = self.planned.wanted_first_bp, self.planned.wants_bp
        if self.planned.comes_late:
            casts_at = (1 + casts_at) / 2
        if first is not None:
            await self._sleep_into(opens_at, until, part=casts_at / 2)
            await self._cast(stamped.terms.manifest, election_id, change_bp=first, until=until)
        await self._sleep_into(opens_at, until, part=casts_at)
        await self._cast(stamped.terms.manifest, election_id, change_bp=last, until=until)
        self._seen.voters += 1
        self._seen.changed_minds += len(self.receipts) > 1

    async def _cast(
        self, manifest: Manifest, election_id: str, *, change_bp: int, until: datetime
    ) -> None:
        value = value_of(manifest.rule, manifest.parameters, change_bp=change_bp)
        receipt = await self._in_a_room(lambda voter: voter.cast(election_id, value), until=until)
        if receipt not in self.receipts:
            self.receipts.append(receipt)
            self._seen.ballots += 1

    async def _sleep_into(self, begins: datetime, ends: datetime, *, part: float) -> None:
        """Return at a part of the usual time of a window."""
        at = begins + (ends - begins) * part * WITHIN
        await self._clock.sleep(max((at - self._clock.now()).total_seconds(), 0))

    async def _in_a_room(self, act: Act, *, until: datetime | None = None) -> Any:
        """Do something as a voter, again and again while there is no answer and still time."""
        patient_until_s = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await self._try_in_a_room(act)
            except FalseTermsError:
                raise
            except VotingError:
                is_over = until is not None and self._clock.now() >= until
                if is_over or time.monotonic() > patient_until_s:
                    raise
            self.member.api.repeats += 1
            await asyncio.sleep(PAUSE_S)

    async def _try_in_a_room(self, act: Act) -> Any:
        async with self._rooms.enter() as do:
            # Taken in the room: while others were served, an older one would have ended.
            token = await self.member.access_token()
            voter = Voter(
                self._wallet,
                server=self.member.api.base_url,
                token=token,
                open_http=open_http,
                now=self._clock.now,
                # Who waits for a server that is away waits outside, where nobody needs the room.
                tries=1,
            )
            try:
                return await do(act, voter)
            except SignedOutError:
                await self.member.drop_token(token)
                raise


def _in_own_loop(act: Act, voter: Voter) -> Any:
    """Do something in a thread that has no loop yet."""

    async def whole() -> Any:
        return await act(voter)

    return asyncio.run(whole())


def value_of(rule: str, terms: Mapping[str, Any], *, change_bp: int) -> int:
    """Return a wish as the number on a ballot: what the terms admit, nearest to it."""
    admits = BALLOT_RULES[rule].admits
    wanted = terms["status_quo"] + change_bp
    range_ = range(terms["floor"], terms["ceiling"] + 1)
    return min((n for n in range_ if admits(n, terms)), key=lambda n: abs(n - wanted))
