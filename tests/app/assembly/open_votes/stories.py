"""What tests of open votes begin with: members with seats, and a proposal at any stage."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.assembly.open_votes import service
from app.assembly.open_votes.rules import Topic
from app.assembly.proposals.service import Proposal, get_proposal, take_step
from app.assembly.statutes import statutes_in_force
from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from governance.electorate import House
from governance.proposal import Kind, Stage, Step
from tests.app.assembly.proposals.stories import store_proposal
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_member

LONG_AGO = FRIDAY_EVENING - timedelta(days=400)
DAY = timedelta(days=1)


async def seat(
    owner: asyncpg.Connection,
    *names: str,
    house: House = House.DRIVERS,
    admitted_at: datetime = LONG_AGO,
) -> list[Person]:
    """Members in good standing, each signed in for longer than a vote lasts."""
    people = [await make_member(owner, now=FRIDAY_EVENING, name=name) for name in names]
    for person in people:
        await admit(owner, person, house=house, at=admitted_at)
    await owner.execute("update session set access_expires_at = $1", FRIDAY_EVENING + 300 * DAY)
    return people


async def admit(owner: asyncpg.Connection, person: Person, *, house: House, at: datetime) -> None:
    admin = await make_member(owner, now=FRIDAY_EVENING, name="Staff")
    await owner.execute(
        "insert into membership (id, member_id, house, shares_minor, applied_at,"
        " shares_paid_at, admitted_at, admitted_by, last_active_at)"
        " values ($1, $2, $3, 0, $4, $4, $4, $5, $6)",
        new_id(),
        person.id,
        str(house),
        at,
        admin.id,
        max(at, FRIDAY_EVENING),
    )


async def leave(owner: asyncpg.Connection, person: Person, *, at: datetime) -> None:
    await owner.execute("update membership set left_at = $2 where member_id = $1", person.id, at)


@dataclass
class Story:
    """An assembly whose proposals go on when the test says so, each step as the clock would."""

    owner: asyncpg.Connection
    database: Database
    clock: StandingClock
    proposals: dict[UUID, Proposal] = field(default_factory=dict)

    async def act[Answer](self, use: Callable[[Transaction], Awaitable[Answer]]) -> Answer:
        async with self.database.transaction() as tx:
            return await use(tx)

    async def propose(
        self, *, kind: Kind = Kind.TEXT, options: tuple[str, ...] = (), is_secret: bool = False
    ) -> Proposal:
        """A proposal whose deliberation is over."""
        proposal = await store_proposal(
            self.owner,
            stage=Stage.DELIBERATION,
            lasts=timedelta(0),
            kind=kind,
            options=options,
            text="Vehicles are inspected yearly." if kind is Kind.TEXT else None,
        )
        await self.owner.execute(
            "update proposal set is_secret = $2 where id = $1", proposal.id, is_secret
        )
        return replace(proposal, is_secret=is_secret)

    async def step(self, proposal: Proposal, step: Step) -> Proposal:
        async with self.database.transaction() as tx:
            return await self.step_within(tx, proposal, step)

    async def step_within(self, tx: Transaction, proposal: Proposal, step: Step) -> Proposal:
        now = self.clock.now()
        statutes = await statutes_in_force(tx, at=now)
        known = await get_proposal(tx, proposal_id=proposal.id)
        return await take_step(tx, proposal=known, step=step, now=now, statutes=statutes)

    async def freeze(self, proposal: Proposal) -> Proposal:
        """Frozen, and open for lending: one transaction, as the deadlines' worker does it."""
        now = self.clock.now()
        async with self.database.transaction() as tx:
            frozen = await self.step_within(tx, proposal, Step.FREEZE)
            statutes = await statutes_in_force(tx, at=now)
            await service.freeze_open_vote(tx, proposal=frozen, statutes=statutes, now=now)
            return await self.step_within(tx, frozen, Step.OPEN_CREDENTIALS)

    async def open(self, proposal: Proposal) -> Proposal:
        """Frozen, and voting from now on."""
        frozen = await self.freeze(proposal)
        assert frozen.progress.times is not None
        self.clock.moment = frozen.progress.times.opens_at
        return await self.step(frozen, Step.OPEN_VOTING)

    async def open_text(self) -> Proposal:
        return await self.open(await self.propose())

    async def cast(self, proposal: Proposal, person: Person, value: Any) -> dict[str, Any]:
        return await self.act(
            lambda tx: service.cast_open_vote(
                tx,
                proposal_id=proposal.id,
                member_id=person.id,
                value=value,
                now=self.clock.now(),
            )
        )

    async def lend(
        self,
        giver: Person,
        taker: Person,
        *,
        topic: Topic = Topic.TEXT,
        lasts: timedelta = 200 * DAY,
    ) -> UUID:
        lent = await self.act(
            lambda tx: service.lend_voice(
                tx,
                giver_id=giver.id,
                taker_id=taker.id,
                topic=topic,
                expires_at=self.clock.now() + lasts,
                now=self.clock.now(),
            )
        )
        return UUID(str(lent["id"]))

    async def revoke(self, delegation_id: UUID, person: Person) -> dict[str, Any]:
        return await self.act(
            lambda tx: service.revoke_delegation(
                tx, delegation_id=delegation_id, member_id=person.id, now=self.clock.now()
            )
        )

    async def count(self, proposal: Proposal, *, late: timedelta = timedelta(0)) -> dict[str, Any]:
        """Closed, counted and published; return the result."""
        known = await self.read(proposal)
        assert known.progress.times is not None
        self.clock.moment = known.progress.times.closes_at + late
        now = self.clock.now()
        async with self.database.transaction() as tx:
            result = await service.tally_open_vote(tx, proposal=known, now=now)
            tallied = await self.step_within(tx, known, Step.TALLY)
            await self.step_within(tx, tallied, Step.PUBLISH)
        return result

    async def read(self, proposal: Proposal) -> Proposal:
        async with self.database.reading() as reader:
            return await get_proposal(reader, proposal_id=proposal.id)

    async def see(self, proposal: Proposal, person: Person) -> dict[str, Any]:
        async with self.database.reading() as reader:
            return await service.see_vote(
                reader, proposal_id=proposal.id, member_id=person.id, now=self.clock.now()
            )

    async def told(self, person: Person) -> list[tuple[str, dict[str, Any]]]:
        """The events of a member's own stream."""
        events = await self.database.events_after([(person.id, 0)])
        return [(event.type, event.data) for event in events]


def said(result: dict[str, Any]) -> tuple[int, int, int]:
    """How many votes were yes, no and abstain."""
    return result["yes"], result["no"], result["abstain"]
