"""An open vote counts own votes first, then each lent voice once, as it was at the close."""

from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from app.assembly.open_votes.rules import Topic
from app.assembly.open_votes.service import freeze_open_vote
from app.assembly.statutes import statutes_in_force
from governance.electorate import House
from governance.proposal import Kind, Stage
from tests.app.assembly.open_votes.stories import DAY, Story, admit, leave, said, seat


async def test_an_own_vote_overrides_a_lent_voice(story: Story, owner: asyncpg.Connection) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")
    await story.lend(ada, bo)
    proposal = await story.open_text()
    await story.cast(proposal, bo, "yes")
    await story.cast(proposal, ada, "no")

    assert said(await story.count(proposal)) == (1, 1, 0)
    assert (await story.see(proposal, ada))["voice"] == {"spoken": "own", "value": "no"}


async def test_voices_pass_on_in_a_chain_of_three(story: Story, owner: asyncpg.Connection) -> None:
    ada, bo, cem, dia = await seat(owner, "Ada", "Bo", "Cem", "Dia")
    await story.lend(ada, bo)
    await story.lend(bo, cem)
    await story.lend(cem, dia)
    proposal = await story.open_text()
    await story.cast(proposal, dia, "yes")

    assert said(await story.count(proposal)) == (4, 0, 0)
    assert (await story.see(proposal, ada))["voice"] == {"spoken": "lent", "value": "yes"}


async def test_who_lends_in_a_circle_abstains(story: Story, owner: asyncpg.Connection) -> None:
    ada, bo, cem, dia = await seat(owner, "Ada", "Bo", "Cem", "Dia")
    await story.lend(ada, bo)
    await story.lend(bo, cem)
    await story.lend(cem, ada)
    proposal = await story.open_text()
    await story.cast(proposal, dia, "yes")

    assert said(await story.count(proposal)) == (1, 0, 0)
    for person in (ada, bo, cem):
        assert (await story.see(proposal, person))["voice"] == {"spoken": "circle", "value": None}


async def test_one_own_vote_in_a_circle_speaks_for_all_of_it(
    story: Story, owner: asyncpg.Connection
) -> None:
    ada, bo, cem = await seat(owner, "Ada", "Bo", "Cem")
    await story.lend(ada, bo)
    await story.lend(bo, cem)
    await story.lend(cem, ada)
    proposal = await story.open_text()
    await story.cast(proposal, bo, "no")

    assert said(await story.count(proposal)) == (0, 3, 0)


async def test_a_voice_lent_to_who_does_nothing_is_nobodys(
    story: Story, owner: asyncpg.Connection
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")
    await story.lend(ada, bo)
    proposal = await story.open_text()

    assert said(await story.count(proposal)) == (0, 0, 0)
    assert (await story.see(proposal, ada))["voice"] == {"spoken": "nobody", "value": None}


@pytest.mark.parametrize(("seconds_past_the_close", "counts"), [(0, False), (1, True)])
async def test_a_voice_that_expires_during_the_vote_counts_only_if_it_holds_at_the_close(
    story: Story,
    owner: asyncpg.Connection,
    seconds_past_the_close: int,
    counts: bool,  # noqa: FBT001 - pytest names what it gives
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")
    proposal = await story.open_text()
    assert proposal.progress.times is not None
    until_close = proposal.progress.times.closes_at - story.clock.now()
    await story.lend(ada, bo, lasts=until_close + timedelta(seconds=seconds_past_the_close))
    await story.cast(proposal, bo, "yes")

    assert said(await story.count(proposal)) == (1 + counts, 0, 0)


async def test_a_voice_taken_back_during_the_vote_does_not_count(
    story: Story, owner: asyncpg.Connection
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")
    lent = await story.lend(ada, bo)
    proposal = await story.open_text()
    await story.cast(proposal, bo, "yes")
    await story.revoke(lent, ada)

    assert said(await story.count(proposal)) == (1, 0, 0)


async def test_a_voice_lent_anew_during_the_vote_goes_to_the_new_taker(
    story: Story, owner: asyncpg.Connection
) -> None:
    ada, bo, cem = await seat(owner, "Ada", "Bo", "Cem")
    lent = await story.lend(ada, bo)
    proposal = await story.open_text()
    await story.cast(proposal, bo, "yes")
    await story.cast(proposal, cem, "no")
    await story.revoke(lent, ada)
    await story.lend(ada, cem)

    assert said(await story.count(proposal)) == (1, 2, 0)


async def test_what_happens_between_close_and_count_changes_nothing(
    story: Story, owner: asyncpg.Connection
) -> None:
    ada, bo, cem = await seat(owner, "Ada", "Bo", "Cem")
    lent = await story.lend(ada, bo)
    proposal = await story.open_text()
    assert proposal.progress.times is not None
    await story.cast(proposal, bo, "yes")
    story.clock.moment = proposal.progress.times.closes_at + timedelta(minutes=1)
    await story.revoke(lent, ada)
    await story.lend(cem, bo)
    await leave(owner, bo, at=story.clock.now())

    assert said(await story.count(proposal, late=timedelta(minutes=2))) == (2, 0, 0)


async def test_who_leaves_during_the_vote_takes_along_her_vote_and_the_voices_lent_to_her(
    story: Story, owner: asyncpg.Connection
) -> None:
    ada, bo, cem = await seat(owner, "Ada", "Bo", "Cem")
    await story.lend(ada, bo)
    proposal = await story.open_text()
    await story.cast(proposal, bo, "yes")
    await story.cast(proposal, cem, "no")
    await leave(owner, bo, at=story.clock.now())

    assert said(await story.count(proposal)) == (0, 1, 0)
    assert (await story.see(proposal, ada))["voice"] == {"spoken": "nobody", "value": None}
    assert (await story.see(proposal, bo))["voice"] is None


async def test_who_came_after_the_freeze_neither_votes_nor_carries(
    story: Story, owner: asyncpg.Connection
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")
    proposal = await story.open_text()
    [late] = await seat(owner, "Late", admitted_at=story.clock.now())
    await story.lend(ada, late)
    await story.cast(proposal, bo, "yes")

    assert said(await story.count(proposal)) == (1, 0, 0)
    assert (await story.see(proposal, late))["is_on_roll"] is False


async def test_a_voice_lent_on_another_topic_stays_silent(
    story: Story, owner: asyncpg.Connection
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")
    await story.lend(ada, bo, topic=Topic.CHOICE)
    proposal = await story.open_text()
    await story.cast(proposal, bo, "yes")

    assert said(await story.count(proposal)) == (1, 0, 0)


async def test_the_quorum_is_that_of_the_frozen_roll_and_lent_voices_fill_chairs(
    story: Story, owner: asyncpg.Connection
) -> None:
    people = await seat(owner, *(f"Member {number}" for number in range(20)))
    ada, bo, cem = people[:3]
    proposal = await story.open_text()  # 20 % of 20 active members, made odd: 5 chairs
    for person in (ada, bo, cem):
        await story.cast(proposal, person, "yes")
    assert (await story.count(proposal))["carried"] is False  # 3 of 5 are not two thirds

    await story.lend(people[3], ada)
    again = await story.open_text()
    for person in (ada, bo, cem):
        await story.cast(again, person, "yes")
    assert (await story.count(again))["carried"] is True  # 4 of 5 are


async def test_a_choice_is_made_by_its_ranked_rule(story: Story, owner: asyncpg.Connection) -> None:
    ada, bo, cem = await seat(owner, "Ada", "Bo", "Cem")
    proposal = await story.open(await story.propose(kind=Kind.CHOICE, options=("a", "b")))
    await story.lend(ada, bo, topic=Topic.CHOICE)
    await story.cast(proposal, bo, ["b", "a"])
    await story.cast(proposal, cem, ["a"])

    assert await story.count(proposal) == {"winner": "b"}
    assert (await story.read(proposal)).stage is Stage.OBJECTION_WINDOW


async def test_who_left_and_came_back_into_the_other_house_does_not_carry_those_of_the_first(
    story: Story, owner: asyncpg.Connection
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")
    await story.lend(ada, bo)
    await leave(owner, bo, at=story.clock.now())
    await admit(owner, bo, house=House.RIDERS, at=story.clock.now())
    proposal = await story.open_text()
    await story.cast(proposal, bo, "yes")

    assert said(await story.count(proposal)) == (1, 0, 0)
    assert (await story.see(proposal, ada))["voice"] == {"spoken": "nobody", "value": None}


async def test_a_vote_is_counted_once(story: Story, owner: asyncpg.Connection) -> None:
    [ada] = await seat(owner, "Ada")
    proposal = await story.open_text()
    await story.cast(proposal, ada, "yes")
    await story.count(proposal)

    with pytest.raises(asyncpg.UniqueViolationError):
        await story.count(proposal)


async def test_a_vote_is_not_counted_before_its_close(
    story: Story, owner: asyncpg.Connection
) -> None:
    await seat(owner, "Ada")
    proposal = await story.open_text()

    with pytest.raises(AssertionError, match="has not closed"):
        await story.count(proposal, late=-timedelta(microseconds=1))


async def test_an_open_vote_needs_no_stamps_and_still_waits_for_its_opening(
    story: Story, owner: asyncpg.Connection
) -> None:
    await seat(owner, "Ada")
    frozen = await story.freeze(await story.propose())

    assert frozen.stage is Stage.CREDENTIALS_OPEN
    assert frozen.progress.times is not None
    assert frozen.progress.due_at == frozen.progress.times.opens_at
    assert frozen.progress.times.opens_at - story.clock.now() >= 5 * DAY


@pytest.mark.parametrize("kind", [Kind.NUMBER, Kind.BUDGET])
async def test_what_decides_about_money_is_never_voted_on_by_name(
    story: Story, owner: asyncpg.Connection, kind: Kind
) -> None:
    # The form refuses it, and so does the table, whoever writes there.
    with pytest.raises(asyncpg.CheckViolationError, match="only_texts_and_choices_are_open"):
        await story.propose(kind=kind)
    proposal = await story.propose(kind=kind, is_secret=True)
    claimed = replace(proposal, is_secret=False, rule=str(kind))
    async with story.database.transaction() as tx:
        statutes = await statutes_in_force(tx, at=story.clock.now())
        with pytest.raises(ValueError, match=kind):
            await freeze_open_vote(tx, proposal=claimed, statutes=statutes, now=story.clock.now())
    assert await owner.fetchval("select count(*) from open_vote") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "update open_ballot set value = '\"no\"'",
        "delete from open_ballot",
        "truncate open_ballot",
        "update open_tally set own = 9",
        "delete from open_seat",
        "update open_vote set terms = '{}'",
        "update open_voice set carrier_id = null",
        "update delegation set taker_id = giver_id",
        "delete from delegation",
    ],
)
async def test_what_was_said_lent_and_counted_is_never_rewritten(
    story: Story, owner: asyncpg.Connection, statement: str
) -> None:
    ada, bo = await seat(owner, "Ada", "Bo")
    await story.lend(bo, ada)
    proposal = await story.open_text()
    await story.cast(proposal, ada, "yes")
    await story.count(proposal)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with story.database.transaction() as tx:
            await tx.execute(statement)
    if "delegation" not in statement:
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await owner.execute(
                statement.replace("truncate open_ballot", "delete from open_ballot")
            )
