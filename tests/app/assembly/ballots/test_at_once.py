"""Many cast and several publish at once, from several processes' points of view."""

import asyncio
from collections import Counter

from app.assembly.ballots import service
from app.assembly.ballots.errors import SequenceTaken, VoteClosed
from app.foundation.database import Database, open_database
from app.foundation.hints import Hints
from governance.ballot_box import Ballot
from governance.verify import recount
from tests.app.assembly.ballots.scene import CLOSES_AT, Vote


async def test_one_ballot_sent_by_twenty_hands_lies_in_the_box_once(vote: Vote) -> None:
    ballot = vote.ballot()
    publishing = [vote.publish() for _ in range(3)]
    receipts = await asyncio.gather(*(vote.accept(ballot) for _ in range(20)))
    await asyncio.gather(*publishing)
    await vote.close()

    assert all(receipt == receipts[0] for receipt in receipts)
    assert (await vote.box()).leaves() == (ballot.leaf(),)


async def test_of_twenty_ballots_with_one_key_and_sequence_one_is_taken(vote: Vote) -> None:
    voter = vote.voter()
    ballots = [vote.ballot(500 + 50 * number, voter=voter) for number in range(20)]

    async def outcome(ballot: Ballot) -> str:
        try:
            await vote.accept(ballot)
        except SequenceTaken:
            return "taken"
        return "accepted"

    outcomes = Counter(await asyncio.gather(*(outcome(ballot) for ballot in ballots)))
    await vote.close()

    assert outcomes == {"accepted": 1, "taken": 19}
    assert len((await vote.box()).ballots) == 1


async def test_casting_publishing_and_closing_at_once_keeps_each_promise(
    vote: Vote, dsn: str, database: Database
) -> None:
    ballots = [vote.election.vote(member, 1_400) for member in vote.election.rolls[0]]
    receipts: dict[bytes, object] = {}
    refused = 0

    async with open_database(dsn, hints=Hints(), size=4) as second:

        async def cast(ballot: Ballot, through: Database) -> None:
            nonlocal refused
            try:
                receipts[ballot.leaf()] = await service.accept_ballot(
                    through,
                    election_id=vote.id,
                    manifest=vote.manifest,
                    document=ballot.document(),
                    home=vote.settings.home,
                    now=vote.manifest.opens_at,
                )
            except VoteClosed:
                refused += 1

        async def publish(through: Database, *, at_close: bool) -> int:
            return await service.publish_batch(
                through,
                election_id=vote.id,
                manifest=vote.manifest,
                settings=vote.settings,
                now=CLOSES_AT,
                at_close=at_close,
            )

        both = (database, second)
        counts = await asyncio.gather(
            *(cast(ballot, both[n % 2]) for n, ballot in enumerate(ballots[:12])),
            *(publish(both[n % 2], at_close=False) for n in range(6)),
        )
        # The last ones race against the closing itself.
        await asyncio.gather(
            *(cast(ballot, both[n % 2]) for n, ballot in enumerate(ballots[12:])),
            *(publish(both[n % 2], at_close=True) for n in range(3)),
            *(cast(ballot, both[n % 2]) for n, ballot in enumerate(ballots[:12])),
        )

    assert len(counts) == 18
    assert set((await vote.box()).leaves()) == set(receipts)
    assert len((await vote.box()).ballots) == len(receipts)
    assert len(receipts) >= 12
    assert await vote.waiting() == 0
    assert vote.keys_in_home() == []
    assert recount(await vote.package()).faults == []
