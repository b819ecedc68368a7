"""A ballot gets a receipt, waits sealed, and goes into the box with others, sorted."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.assembly.ballots.errors import (
    BallotBoxAway,
    BallotRefused,
    SequenceTaken,
    VoteClosed,
    VoteNotOpen,
)
from app.assembly.ballots.sealing import BALLOTS_PER_KEY, largest_ballot_bytes
from app.assembly.ballots.service import BatchKeyLost
from app.assembly.board import load_board_key
from governance.ballot_box import cast
from governance.manifest import canonical
from governance.verify import recount
from tests.app.assembly.ballots.scene import CLOSES_AT, OPENS_AT, PUBLISHED_BY, Vote, hold_vote
from tests.conftest import FRIDAY_EVENING


async def test_a_batch_goes_into_the_box_when_it_is_full_and_the_recount_finds_no_fault(
    vote: Vote,
) -> None:
    ballots = [vote.election.vote(member, 1_400) for member in vote.election.rolls[0][:7]]
    published = []
    receipts = []
    for ballot in ballots:
        receipts.append(await vote.accept(ballot))
        published.append(await vote.publish())
    published.append(await vote.close())

    package = await vote.package()
    found = recount(package, receipts=receipts)

    assert published == [0, 0, 3, 0, 0, 3, 0, 1]
    assert [root["size"] for root in package["roots"]] == [3, 6, 7]
    assert found.faults == []
    assert await vote.waiting() == 0


async def test_the_same_ballot_gets_the_same_receipt_before_and_after_its_batch(
    vote: Vote,
) -> None:
    ballot = vote.ballot()
    first = await vote.accept(ballot)
    again = await vote.accept(ballot)
    await vote.accept(vote.ballot())
    await vote.accept(vote.ballot())
    await vote.publish()
    after = await vote.accept(ballot)
    await vote.close()

    assert first == again == after
    assert (await vote.box()).leaves().count(ballot.leaf()) == 1
    assert len((await vote.box()).ballots) == 3


@pytest.mark.parametrize("lies", ["waiting", "in the box"])
async def test_another_ballot_with_the_same_key_and_sequence_is_refused(
    vote: Vote, lies: str
) -> None:
    voter = vote.voter()
    await vote.accept(vote.ballot(1_400, voter=voter))
    if lies == "in the box":
        await vote.accept(vote.ballot())
        await vote.accept(vote.ballot())
        assert await vote.publish() == 3

    with pytest.raises(SequenceTaken):
        await vote.accept(vote.ballot(1_200, voter=voter))


async def test_a_voter_may_change_their_mind_within_a_batch_and_after_it(vote: Vote) -> None:
    voter = vote.voter()
    for sequence, value in enumerate((1_400, 1_300, 1_200, 1_600)):
        await vote.accept(vote.ballot(value, sequence=sequence, voter=voter))
        await vote.publish()
    await vote.close()

    assert len((await vote.box()).ballots) == 4


async def test_a_key_has_twenty_sequence_numbers(vote: Vote) -> None:
    voter = vote.voter()

    await vote.accept(vote.ballot(sequence=BALLOTS_PER_KEY - 1, voter=voter))
    with pytest.raises(BallotRefused):
        await vote.accept(vote.ballot(sequence=BALLOTS_PER_KEY, voter=voter))

    assert await vote.waiting() == 1


@pytest.mark.parametrize(
    ("now", "refusal"),
    [
        (OPENS_AT - timedelta(seconds=1), VoteNotOpen),
        (OPENS_AT, None),
        (CLOSES_AT - timedelta(microseconds=1), None),
        (CLOSES_AT, VoteClosed),
    ],
)
async def test_ballots_are_taken_from_opening_until_just_before_closing(
    vote: Vote, now: datetime, refusal: type[Exception] | None
) -> None:
    if refusal is None:
        assert await vote.accept(vote.ballot(), now=now)
    else:
        with pytest.raises(refusal):
            await vote.accept(vote.ballot(), now=now)

    assert await vote.waiting() == (refusal is None)


async def test_a_ballot_that_was_in_time_but_comes_behind_the_last_batch_gets_no_receipt(
    vote: Vote,
) -> None:
    await vote.close()

    with pytest.raises(VoteClosed):
        await vote.accept(vote.ballot(), now=CLOSES_AT - timedelta(seconds=1))

    assert await vote.waiting() == 0


async def test_a_box_is_not_closed_before_its_time(vote: Vote) -> None:
    with pytest.raises(ValueError, match="closing time"):
        await vote.publish(now=CLOSES_AT - timedelta(seconds=1), at_close=True)


async def test_a_box_that_nobody_used_closes_under_one_root_of_nothing(vote: Vote) -> None:
    await vote.close()
    await vote.close()

    assert [root["size"] for root in await vote.roots()] == [0]
    assert (await vote.box()).ballots == ()


@pytest.mark.parametrize("fault", ["value off the grid", "foreign terms", "copied stamp", "float"])
async def test_what_is_no_ballot_of_this_vote_is_refused_and_not_stored(
    vote: Vote, fault: str, tmp_path: Path
) -> None:
    _, credentials = vote.voter()
    other_key, _ = vote.voter()
    other = await hold_vote(vote.owner, vote.database, vote.settings)
    document = {
        "value off the grid": vote.ballot(1_401).document(),
        "foreign terms": other.ballot().document(),
        "copied stamp": cast(
            vote.manifest, key=other_key, value=1_400, credentials=credentials
        ).document(),
        "float": vote.ballot().document() | {"value": 1_400.0},
    }[fault]

    with pytest.raises(BallotRefused):
        await vote.accept_document(document)

    assert await vote.waiting() == 0


async def test_receipts_tell_no_time(vote: Vote) -> None:
    early = await vote.accept(vote.ballot(), now=OPENS_AT)
    late = await vote.accept(vote.ballot(), now=CLOSES_AT - timedelta(seconds=1))

    assert early["due_at"] == late["due_at"] == PUBLISHED_BY.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_a_machine_without_the_boards_key_takes_no_ballots(
    vote: Vote, tmp_path: Path
) -> None:
    ballot = vote.ballot()
    vote.settings = vote.settings.model_copy(update={"home": tmp_path / "another"})
    assert load_board_key(vote.settings.home)

    with pytest.raises(BallotBoxAway):
        await vote.accept(ballot)


async def test_waiting_ballots_whose_key_is_gone_are_not_passed_over_and_none_joins_them(
    vote: Vote,
) -> None:
    await vote.accept(vote.ballot())
    [key] = vote.keys_in_home()
    secret = key.read_bytes()
    key.unlink()

    with pytest.raises(BallotBoxAway):
        await vote.accept(vote.ballot())
    with pytest.raises(BatchKeyLost):
        await vote.close()
    key.write_bytes(bytes(32))
    with pytest.raises(BatchKeyLost):
        await vote.close()
    # Home comes back, and nothing was lost.
    key.write_bytes(secret)

    assert await vote.close() == 1


async def test_roots_follow_each_other_even_if_the_clock_is_set_back(vote: Vote) -> None:
    for hours in (2, 1):
        for _ in range(3):
            await vote.accept(vote.ballot())
        await vote.publish(now=FRIDAY_EVENING + timedelta(hours=hours))

    first, second = await vote.roots()

    assert first["published_at"] == second["published_at"]


@pytest.mark.parametrize("table", ["ballot", "board_root"])
@pytest.mark.parametrize("way", ["update", "delete", "truncate"])
async def test_the_box_is_append_only_even_for_its_owner(vote: Vote, table: str, way: str) -> None:
    await vote.accept(vote.ballot())
    await vote.close()
    statement = {
        "update": f"update {table} set document = '{{}}'",
        "delete": f"delete from {table}",
        "truncate": f"truncate {table} cascade",
    }[way]

    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await vote.owner.execute(statement)

    assert await vote.owner.fetchval(f"select count(*) from {table}") == 1


RULES: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "number": ({}, [500, 2_000, 1_500]),
    "text": ({"majority": [2, 3, False], "quorums": [5]}, ["yes", "no", "abstain"]),
    "budget": (
        {"pots": ["a", "b"], "present": [50, 50], "points": 100, "quorums": [5]},
        [[100, 0], [50, 50]],
    ),
    "choice": (
        {"options": ["left", "the way round"], "quorums": [5]},
        [[], ["left"], ["no_change", "the way round", "left"]],
    ),
}


@pytest.mark.parametrize("rule", RULES)
async def test_all_ballots_of_a_vote_wait_in_rows_of_one_size(vote: Vote, rule: str) -> None:
    parameters, values = RULES[rule]
    if parameters:
        vote = await hold_vote(
            vote.owner, vote.database, vote.settings, rule=rule, parameters=parameters
        )
    largest = largest_ballot_bytes(vote.manifest)
    for sequence, value in enumerate(values):
        ballot = vote.ballot(value, sequence=sequence)
        assert len(canonical(ballot.document())) <= largest
        await vote.accept(ballot)

    lengths = await vote.owner.fetch("select distinct length(sealed) as bytes from pending_ballot")

    assert len(lengths) == 1
