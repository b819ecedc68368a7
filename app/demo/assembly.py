"""The phones' assembly: one proposal on the commission, from the first member to the new share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from random import Random
from typing import Any

from app.demo.api_client import Api, Member, NoAnswerError, RefusedError
from app.demo.member_phone import WITHIN, MemberPhone, Rooms
from app.demo.plan import AssemblySeen, Plan, PlannedAssembly, write_json
from app.voting.errors import VotingError
from governance.proposal import FINAL_STAGES, Stage

POLICY = "commission_bp"
LOOK_EVERY_S = 0.4  # real seconds
AT_ONCE = 2  # phones that blind and sign at the same time
# The example that every member can reckon after: a fare of thirty.
EXAMPLE_MINOR = 3_000
COMMENTS = (
    "What does the reserve look like after that?",
    "I would rather have it in my pocket than in the reserve.",
)

# What the screen says of each stage.
_IN_WORDS = {
    Stage.SEEKING_SUPPORT: "a proposal on the commission seeks supporters",
    Stage.DELIBERATION: "members discuss the proposal",
    Stage.FROZEN: "the question is fixed; two issuers sign it",
    Stage.CREDENTIALS_OPEN: "members fetch the right to vote: {stamped} have it",
    Stage.VOTING: "members vote in secret: {ballots} ballots cast, {changed_minds} minds changed",
    Stage.TALLIED: "the ballots are counted",
    Stage.OBJECTION_WINDOW: "counted; everybody may recount and object",
    Stage.ENACTED: "decided: {share} of each fare from {since} on",
    Stage.UNCHANGED: "decided: all stays as it is",
    Stage.VOID: "the vote is void",
    Stage.LAPSED: "too few supported the proposal",
}


class Assembly:
    """Some phones of the city, as members; `staff` books their shares and admits them."""

    def __init__(
        self, api: Api, plan: Plan, assembly: PlannedAssembly, *, members: dict[str, Member]
    ) -> None:
        self.seen = AssemblySeen()
        self._clock = api.clock
        self._plan = plan
        self._windows = assembly.windows
        self._rooms = Rooms(AT_ONCE)
        self._random = Random(f"{plan.seed} assembly")  # noqa: S311 - a simulation
        self._phones = [
            MemberPhone(members[planned.phone], planned, seen=self.seen, rooms=self._rooms)
            for planned in assembly.members
        ]
        self._time_zone = plan.opens_at.tzinfo
        self._decided: dict[str, str] = {}

    async def play(self, staff: Member) -> None:
        """The assembly is over; what went wrong stands in `seen.troubles`."""
        try:
            await self._play(staff)
        except* (RefusedError, NoAnswerError, VotingError) as troubles:
            told = ", ".join(map(str, troubles.exceptions))
            self.seen.troubles.append(f"the assembly ended at {self.seen.stage}: {told}")
        finally:
            self._rooms.close()

    def in_words(self) -> str:
        """Where the assembly stands, for people."""
        if not self.seen.stage:
            return f"{self.seen.admitted} of {len(self._phones)} members have joined"
        stage = Stage(self.seen.stage)
        seen = self.seen
        return _IN_WORDS[stage].format(
            stamped=seen.stamped,
            ballots=seen.ballots,
            changed_minds=seen.changed_minds,
            **self._decided,
        )

    async def _play(self, staff: Member) -> None:
        async with asyncio.TaskGroup() as group:
            joining = [group.create_task(self._join(phone, staff)) for phone in self._phones]
            # Who is held up joins later, and is on the roll if that is before its freeze.
            await asyncio.wait(joining, timeout=self._windows.joining / self._clock.speed)
            await joining[0]
            await self._decide()
            for task in joining:
                task.cancel()

    async def _decide(self) -> None:
        """Take one proposal from its draft to its effect."""
        author = self._phones[0].member
        await self._propose(author)
        await self._support()
        if await self._reach(Stage.DELIBERATION) is Stage.DELIBERATION:
            await self._discuss()
        await self._reach(Stage.FROZEN)
        election = await self._sealed_election(author)
        if election is None:
            return
        await self._vote(election)
        # Counted papers stay public; a vote that is void has none.
        if await self._reach(Stage.OBJECTION_WINDOW) not in (Stage.VOID, Stage.LAPSED):
            await self._keep_papers(author)
        await self._reach(Stage.ENACTED)

    async def _join(self, phone: MemberPhone, staff: Member) -> None:
        """A phone's owner applies at their moment of the window."""
        await self._clock.sleep(phone.planned.joins_at * WITHIN * self._windows.joining)
        async with self._noting("a phone could not join"):
            await phone.join(staff)

    async def _propose(self, author: Member) -> None:
        policies = (await author.get("/v1/policies"))["items"]
        share_bp = next(policy["value"] for policy in policies if policy["key"] == POLICY)
        draft = draft_of(share_bp, currency=self._phones[0].currency)
        self.seen.proposal = (await author.act("/v1/proposals", draft))["id"]
        answer = await author.act(f"/v1/proposals/{self.seen.proposal}/submit")
        self.seen.stage = answer["stage"]

    async def _support(self) -> None:
        """One member after the other supports the proposal, until there are enough."""
        supporters = [phone for phone in self._phones[1:] if phone.is_member]
        self._random.shuffle(supporters)
        pause_s = self._windows.support / (4 * len(self._phones))
        for phone in supporters:
            answer = await phone.member.act(f"/v1/proposals/{self.seen.proposal}/support")
            if answer["stage"] != Stage.SEEKING_SUPPORT:
                return
            await self._clock.sleep(pause_s)

    async def _discuss(self) -> None:
        members = [phone for phone in reversed(self._phones) if phone.is_member]
        for phone, said in zip(members, COMMENTS, strict=False):
            await phone.member.act(f"/v1/proposals/{self.seen.proposal}/comments", {"body": said})

    async def _sealed_election(self, author: Member) -> dict[str, Any] | None:
        """Return the vote as soon as every issuer has signed its terms; None if none does."""
        if await self._reach(Stage.CREDENTIALS_OPEN) in FINAL_STAGES:
            return None
        listed = (await author.get("/v1/elections"))["items"]
        self.seen.election = next(
            line["id"] for line in listed if line["proposal_id"] == self.seen.proposal
        )
        found: dict[str, Any] = await author.get(f"/v1/elections/{self.seen.election}")
        return found

    async def _vote(self, election: dict[str, Any]) -> None:
        opens_at = datetime.fromisoformat(election["opens_at"])
        closes_at = datetime.fromisoformat(election["closes_at"])

        async def vote(phone: MemberPhone) -> None:
            async with self._noting("a phone could not vote"):
                await phone.vote(election, opens_at=opens_at, until=closes_at)

        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._reach(Stage.TALLIED))
            members = [phone for phone in self._phones if phone.is_member]
            voting = [group.create_task(vote(phone)) for phone in members]
            await asyncio.wait(voting or [looking])
            looking.cancel()

    async def _keep_papers(self, author: Member) -> None:
        """What anybody needs to recount lies in the run's folder, with every voter's receipt."""
        package = await author.get(f"/v1/elections/{self.seen.election}/package")
        receipts = [receipt for phone in self._phones for receipt in phone.receipts]
        await asyncio.to_thread(write_json, self._plan.package_path, package)
        await asyncio.to_thread(write_json, self._plan.receipts_path, receipts)

    async def _read_effect(self, author: Member) -> None:
        result = await author.get(f"/v1/elections/{self.seen.election}/result")
        since = datetime.fromisoformat(result["enacted"]["effective_from"])
        self._decided = {
            "share": percent(result["enacted"]["value"]),
            "since": f"{since.astimezone(self._time_zone):%H:%M:%S}",
        }

    async def _reach(self, aim: Stage) -> Stage:
        """Look until the proposal is in this stage or a later one, and return in which."""
        order = list(Stage)  # the ends of a proposal stand last
        author = self._phones[0].member
        while True:
            told = (await author.get(f"/v1/proposals/{self.seen.proposal}"))["stage"]
            stage = Stage(told)
            if stage is Stage.ENACTED and not self._decided:
                await self._read_effect(author)
            self.seen.stage = told
            if order.index(stage) >= order.index(aim):
                return stage
            await asyncio.sleep(LOOK_EVERY_S)

    @asynccontextmanager
    async def _noting(self, what: str) -> AsyncIterator[None]:
        """One phone's trouble is noted and holds up no other."""
        try:
            yield
        except (RefusedError, NoAnswerError, VotingError) as trouble:
            self.seen.troubles.append(f"{what}: {trouble}")


def draft_of(share_bp: int, *, currency: str) -> dict[str, Any]:
    """Return the draft: what is asked, and in plain words what it means for a fare."""
    now, less = (EXAMPLE_MINOR * (10_000 - bp) / 1_000_000 for bp in (share_bp, share_bp - 100))
    fare = f"{currency} {EXAMPLE_MINOR / 100:.0f}"
    return {
        "kind": "number",
        "key": POLICY,
        "title": "Which share of a fare shall we keep?",
        "question": "Which share of each fare shall the cooperative keep?",
        "explanation": (
            f"The cooperative keeps {percent(share_bp)} of each fare today: of {fare} the driver "
            f"gets {currency} {now:.2f}. One point less means {currency} {less:.2f}. What is kept "
            "pays for the platform and its reserves. You name the share you want; the middle one "
            "decides."
        ),
    }


def percent(share_bp: int) -> str:
    """Return a share for people: 1350 is "13.5 %"."""
    return f"{share_bp / 100:g} %"
