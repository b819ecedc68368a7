"""What the clock does to proposals and votes: one round moves everything that is due.

Each step is one short transaction, and all HTTP lies between transactions; a round that is cut
short at any point is taken up by the next one. One vote that cannot go on holds up no other.
"""

import asyncio
from collections.abc import Awaitable
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import structlog

from app.assembly import package
from app.assembly.ballots.service import BatchKeyLost, publish_batch
from app.assembly.board import load_board_key
from app.assembly.elections import service
from app.assembly.elections.issuers import Issuers
from app.assembly.elections.notices import log_round, reminders_due
from app.assembly.elections.queries import elections
from app.assembly.elections.service import ImpossibleTerms, TooFewIssuers
from app.assembly.elections.service.tallying import Count
from app.assembly.open_votes import queries as open_votes
from app.assembly.open_votes.rules import changes_anything
from app.assembly.open_votes.service import freeze_open_vote, return_voices, tally_open_vote
from app.assembly.proposals.errors import StepRefused
from app.assembly.proposals.service import Proposal, get_proposal, proposals_due, take_step
from app.assembly.statutes import statutes_in_force
from app.foundation.clock import Clock
from app.foundation.database import Database
from app.foundation.problems import DatabaseUnavailable
from app.settings import Settings
from governance.proposal import Stage, Step, VoidGround, due_step

AT_ONCE = 50  # proposals or votes in one round
PACE_S = 2.0
ROUND_TIMEOUT_S = 60.0
UNREADABLE = "receipted ballots are in no box, since nobody can open them"

log = structlog.get_logger("assembly")


class Deadlines:
    """Moves proposals by the clock, and runs every vote from its freeze to its effect."""

    def __init__(
        self, *, database: Database, clock: Clock, settings: Settings, client: httpx.AsyncClient
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._client = client
        # What was done in this process, so as not to ask again each round; the tables know too.
        self._done: set[tuple[UUID, str]] = set()

    async def run_once(self) -> None:
        """Take every step that is due now, and go on with every vote under way."""
        now = self._clock.now()
        async with self._database.reading() as reader:
            due = await proposals_due(reader, at=now, limit=AT_ONCE)
        for proposal in due:
            await self._guarded(self._move(proposal, now=now), proposal.id)
        async with self._database.reading() as reader:
            running = await elections.list_running(reader, limit=AT_ONCE)
            closed = await elections.list_closed_open_votes(reader, at=now, limit=AT_ONCE)
            deliberated = await elections.list_deliberated(reader, limit=AT_ONCE)
        for proposal_id in deliberated:
            await self._guarded(self._ask_for_keys(proposal_id, now=now), proposal_id)
        for proposal_id in closed:
            await self._guarded(self._tally_open(proposal_id, now=now), proposal_id)
        key = await asyncio.to_thread(load_board_key, self._settings.home)
        issuers = Issuers(self._client, key)
        for election in running:
            await self._guarded(self._go_on(election, issuers=issuers, now=now), election.id)
        async with self._database.transaction() as tx:
            await return_voices(tx, now=now)
        under_way = {election.id for election in running} | {*deliberated}
        self._done = {done for done in self._done if done[0] in under_way}

    async def _guarded(self, step: Awaitable[None], subject_id: UUID) -> None:
        """Take one step; what goes wrong with it is logged by its id, and the next one follows."""
        try:
            await step
        except DatabaseUnavailable:
            raise
        except StepRefused:
            # Somebody else took it, or it was changed meanwhile: the next round sees.
            log.debug("assembly.step.refused", subject=str(subject_id))
        except Exception:
            log.exception("assembly.step.failed", subject=str(subject_id))

    # What the clock alone does.

    async def _move(self, proposal: Proposal, *, now: datetime) -> None:
        """Take the step that is due for one proposal."""
        due = due_step(proposal.progress, at=now)
        assert due is not None, "only what is due is moved"
        step, ground = due
        if step is Step.FREEZE:
            await self._freeze(proposal, now=now)
            return
        if step is Step.ENACT:
            await self._finish(proposal, now=now)
            return
        async with self._database.transaction() as tx:
            statutes = await statutes_in_force(tx, at=now)
            await take_step(
                tx, proposal=proposal, step=step, now=now, statutes=statutes, void_ground=ground
            )
        log.info("assembly.moved", proposal=str(proposal.id), step=str(step))

    async def _freeze(self, proposal: Proposal, *, now: datetime) -> None:
        """Fix terms and roll; an open vote needs nothing more before its members may read them."""
        try:
            async with self._database.transaction() as tx:
                statutes = await statutes_in_force(tx, at=now)
                frozen = await take_step(
                    tx, proposal=proposal, step=Step.FREEZE, now=now, statutes=statutes
                )
                if frozen.is_secret:
                    await service.freeze(
                        tx,
                        proposal=frozen,
                        statutes=statutes,
                        issuers=self._settings.issuers,
                        now=now,
                    )
                    return
                await freeze_open_vote(tx, proposal=frozen, statutes=statutes, now=now)
                await take_step(
                    tx, proposal=frozen, step=Step.OPEN_CREDENTIALS, now=now, statutes=statutes
                )
        except TooFewIssuers:
            # It stays in deliberation: a vote waits for its issuers, it is not lost.
            if (proposal.id, "issuers") not in self._done:
                self._done.add((proposal.id, "issuers"))
                log.warning("assembly.too_few_issuers", proposal=str(proposal.id))
        except ImpossibleTerms as impossible:
            log.warning(
                "assembly.terms.impossible", proposal=str(proposal.id), detail=str(impossible)
            )
            await self._void_unfrozen(proposal, now=now)

    async def _void_unfrozen(self, proposal: Proposal, *, now: datetime) -> None:
        """Void what cannot be put to the vote: no rule can decide on such terms."""
        async with self._database.transaction() as tx:
            statutes = await statutes_in_force(tx, at=now)
            frozen = await take_step(
                tx, proposal=proposal, step=Step.FREEZE, now=now, statutes=statutes
            )
            await take_step(
                tx,
                proposal=frozen,
                step=Step.VOID,
                now=now,
                statutes=statutes,
                void_ground=VoidGround.PROOF_FAILED,
            )

    async def _finish(self, proposal: Proposal, *, now: datetime) -> None:
        """End an objection window: what was decided takes effect, or all stays as it is."""
        if proposal.is_secret:
            await self._enact(proposal, now=now)
            return
        async with self._database.transaction() as tx:
            statutes = await statutes_in_force(tx, at=now)
            vote = await open_votes.find_vote(tx, proposal_id=proposal.id)
            assert vote is not None, f"proposal {proposal.id} has no open vote"
            step = Step.ENACT if changes_anything(vote["result"]) else Step.LEAVE_UNCHANGED
            await take_step(tx, proposal=proposal, step=step, now=now, statutes=statutes)

    async def _enact(self, proposal: Proposal, *, now: datetime) -> None:
        """Enact a secret vote, if it still verifies: somebody may have changed it meanwhile."""
        async with self._database.reading() as reader:
            election = await elections.find_election(reader, proposal_id=proposal.id)
            assert election is not None, f"proposal {proposal.id} has no election"
            tally = await elections.find_tally(reader, election_id=election.id)
            assert tally is not None, f"election {election.id} was published without a tally"
            pieces = await package.read_pieces(reader, election=election)
        found = await package.recount_as_announced(pieces, result=tally.result)
        faults = package.faults_of(found)
        vote: dict[str, Any] = {"proposal": proposal, "election": election, "now": now}
        async with self._database.transaction() as tx:
            statutes = await statutes_in_force(tx, at=now)
            if faults:
                await service.void_for_faults(tx, **vote, faults=faults, statutes=statutes)
            else:
                await service.enact(tx, **vote, statutes=statutes)
        log.info("election.finished", election=str(election.id), faults=len(faults))

    async def _tally_open(self, proposal_id: UUID, *, now: datetime) -> None:
        """Count an open vote that has closed, and publish the result."""
        async with self._database.transaction() as tx:
            proposal = await get_proposal(tx, proposal_id=proposal_id)
            statutes = await statutes_in_force(tx, at=now)
            await tally_open_vote(tx, proposal=proposal, now=now)
            for step in (Step.TALLY, Step.PUBLISH):
                proposal = await take_step(
                    tx, proposal=proposal, step=step, now=now, statutes=statutes
                )

    async def _ask_for_keys(self, proposal_id: UUID, *, now: datetime) -> None:
        """Tell members without a key, once in each quarter of the deliberation."""
        async with self._database.reading() as reader:
            proposal = await get_proposal(reader, proposal_id=proposal_id)
        begins, ends = proposal.progress.since, proposal.progress.due_at
        assert ends is not None, "a deliberation ends"
        done = (proposal_id, f"keys {int(4 * (now - begins) / (ends - begins))}")
        if done not in self._done:
            await service.tell_missing_keys(self._database, proposal=proposal, now=now)
            self._done.add(done)

    # One secret vote.

    async def _go_on(
        self, election: elections.Election, *, issuers: Issuers, now: datetime
    ) -> None:
        """Do what a vote needs in its stage."""
        async with self._database.reading() as reader:
            proposal = await get_proposal(reader, proposal_id=election.proposal_id)
        if proposal.stage is Stage.FROZEN:
            await self._open_credentials(election, proposal, issuers=issuers, now=now)
        elif proposal.stage is Stage.VOTING and now >= election.closes_at:
            await self._count(election, proposal, issuers=issuers, now=now)
        elif proposal.stage in {Stage.CREDENTIALS_OPEN, Stage.VOTING}:
            await service.revoke_ended(
                self._database, election=election, issuers=issuers, find_new=True
            )
            await self._tell(election, issuers=issuers, now=now)
            if proposal.stage is Stage.VOTING:
                await self._publish_meanwhile(election, now=now)

    async def _open_credentials(
        self,
        election: elections.Election,
        proposal: Proposal,
        *,
        issuers: Issuers,
        now: datetime,
    ) -> None:
        """Have the terms sealed; members fetch credentials as soon as every issuer has."""
        if (election.id, "roll") not in self._done:
            await service.tell_roll(self._database, election=election, now=now)
            self._done.add((election.id, "roll"))
        if not await service.seal_terms(self._database, election=election, issuers=issuers):
            return
        # The last seal may have come too late meanwhile.
        now = self._clock.now()
        async with self._database.transaction() as tx:
            statutes = await statutes_in_force(tx, at=now)
            await take_step(
                tx, proposal=proposal, step=Step.OPEN_CREDENTIALS, now=now, statutes=statutes
            )
        log.info("election.sealed", election=str(election.id))

    async def _tell(self, election: elections.Election, *, issuers: Issuers, now: datetime) -> None:
        """Read the public logs at their own slow pace, and remind who was not stamped."""
        number = log_round(opens_at=election.frozen_at, closes_at=election.closes_at, at=now)
        due = reminders_due(opens_at=election.opens_at, closes_at=election.closes_at, at=now)
        mirrored = (election.id, f"log {number}")
        reminded = (election.id, str(due[-1])) if due else None
        if mirrored in self._done and (reminded is None or reminded in self._done):
            return
        # Before a reminder too, so that nobody is reminded of what she has done.
        await service.mirror_logs(self._database, election=election, issuers=issuers, now=now)
        self._done.add(mirrored)
        if reminded is not None:
            await service.remind(self._database, election=election, now=now)
            self._done.add(reminded)

    async def _publish_meanwhile(self, election: elections.Election, *, now: datetime) -> None:
        """Publish a batch that is full; where nobody can open what waits, say so once."""
        try:
            await self._publish(election, now=now, at_close=False)
        except BatchKeyLost:
            if await service.tell_unreadable(self._database, election=election, now=now):
                log.exception("election.ballots.unreadable", election=str(election.id))

    async def _publish(
        self, election: elections.Election, *, now: datetime, at_close: bool
    ) -> None:
        assert election.manifest is not None, "a vote that has opened has a manifest"
        published = await publish_batch(
            self._database,
            election_id=election.id,
            manifest=election.manifest,
            settings=self._settings,
            now=now,
            at_close=at_close,
        )
        if published:
            log.info("election.batch", election=str(election.id), ballots=published)

    async def _count(
        self,
        election: elections.Election,
        proposal: Proposal,
        *,
        issuers: Issuers,
        now: datetime,
    ) -> None:
        """Close the box, collect the issuers' logs, count, verify, and publish or void."""
        try:
            await self._publish(election, now=now, at_close=True)
        except BatchKeyLost as lost:
            # Without them every count would be false.
            vote: dict[str, Any] = {"proposal": proposal, "election": election, "now": now}
            async with self._database.transaction() as tx:
                statutes = await statutes_in_force(tx, at=now)
                await service.void_for_faults(
                    tx, **vote, faults=[(UNREADABLE, str(lost))], statutes=statutes
                )
            log.exception("election.ballots.unreadable", election=str(election.id))
            return
        if not await service.revoke_ended(
            self._database, election=election, issuers=issuers, find_new=False
        ):
            return
        if not await service.collect_final_logs(
            self._database, election=election, issuers=issuers, now=now
        ):
            return
        async with self._database.reading() as reader:
            pieces = await package.read_pieces(reader, election=election)
        counted = await package.count_and_verify(pieces)
        # The issuers may have taken their time, and the objection window begins with the tally.
        now = self._clock.now()
        vote = {"proposal": proposal, "election": election, "now": now}
        async with self._database.transaction() as tx:
            statutes = await statutes_in_force(tx, at=now)
            if faults := package.faults_of(counted.recount):
                await service.void_for_faults(tx, **vote, faults=faults, statutes=statutes)
            else:
                await service.tally(
                    tx,
                    **vote,
                    count=Count(counted.result, counted.counted),
                    package=counted.package,
                    statutes=statutes,
                )
        log.info(
            "election.counted",
            election=str(election.id),
            ballots=len(pieces.box.ballots),
            faults=len(faults),
        )
