"""Promises about the public log: whom an issuer stamped, and nothing about when."""

import random
from typing import Any

from governance.credential import Credential, receive_credential
from governance.vote_key import VoteKey, new_vote_key
from tests.app.issuer.conftest import Vote
from tests.app.issuer.test_stamps import refusal
from tests.issuers import Cooperative, Person, ask_stamp


async def stamped(vote: Vote, person: Person, key: VoteKey, *, issuer_no: int) -> Credential:
    request, body = person.ask(vote.manifest, issuer_no=issuer_no, vote_key=key)
    answer = await ask_stamp(vote.issuers[issuer_no], vote.manifest, body)
    assert answer.status_code == 200, answer.text
    stamp = bytes.fromhex(answer.json()["stamp"])
    return receive_credential(vote.manifest, request=request, answer=stamp)


async def logs_of(vote: Vote) -> list[dict[str, Any]]:
    path = f"/v1/votes/{vote.manifest.election}/log"
    return [log for issuer in vote.issuers for log in (await issuer.get(path)).json()["logs"]]


async def test_the_log_has_no_order_but_the_pseudonyms_own(vote: Vote) -> None:
    for person in random.Random(1).sample(vote.members, len(vote.members)):
        await stamped(vote, person, new_vote_key(), issuer_no=0)

    (log, empty) = await logs_of(vote)

    assert log["members"] == sorted(person.member for person in vote.members)
    assert empty["members"] == []
    assert set(log) == {"issuer", "house", "members", "signature"}


async def test_an_end_of_membership_parts_the_log_and_nothing_before_it_moves(
    vote: Vote, cooperative: Cooperative
) -> None:
    people = sorted(vote.members, key=lambda person: person.member, reverse=True)
    one, two, ended, three, four = people
    for person in (one, two):
        await stamped(vote, person, new_vote_key(), issuer_no=0)

    answer = await cooperative.revoke(vote.issuers[0], vote.manifest, ended)
    before = answer.json()["stamped"]
    for person in (three, four):
        await stamped(vote, person, new_vote_key(), issuer_no=0)

    assert before == sorted([one.member, two.member])
    (log, _) = await logs_of(vote)
    # Both later ones would stand before the first two if the log were sorted as a whole.
    assert log["members"] == [*before, *sorted([three.member, four.member])]
    again = await cooperative.revoke(vote.issuers[0], vote.manifest, ended)
    assert again.json()["stamped"] == before


async def test_nobody_is_stamped_after_the_end_of_the_membership(
    vote: Vote, cooperative: Cooperative
) -> None:
    early, late = vote.members[:2]
    _, body = early.ask(vote.manifest, issuer_no=0)
    first = await ask_stamp(vote.issuers[0], vote.manifest, body)
    for person in (early, late):
        await cooperative.revoke(vote.issuers[0], vote.manifest, person)

    _, new = late.ask(vote.manifest, issuer_no=0)
    assert refusal(await ask_stamp(vote.issuers[0], vote.manifest, new)) == (
        403,
        "membership-ended",
    )
    # What was given before cannot be taken back, so the lost answer is given again.
    assert (await ask_stamp(vote.issuers[0], vote.manifest, body)).json() == first.json()
    (log, _) = await logs_of(vote)
    assert log["members"] == [early.member]


async def test_nobody_can_end_the_membership_of_somebody_who_is_not_on_the_roll(
    vote: Vote, cooperative: Cooperative
) -> None:
    answer = await cooperative.revoke(vote.issuers[0], vote.manifest, Person(number=99))

    assert refusal(answer) == (403, "not-on-the-roll")


async def test_a_member_sees_at_each_issuer_whether_the_own_key_stands_there(vote: Vote) -> None:
    person = vote.members[0]
    line = f"/v1/votes/{vote.manifest.election}/rolls/0/{person.member}"

    before = (await vote.issuers[0].get(line)).json()
    await stamped(vote, person, new_vote_key(), issuer_no=0)
    after = (await vote.issuers[0].get(line)).json()

    assert before == person.line | {"is_stamped": False, "has_ended": False}
    assert after == before | {"is_stamped": True}
    unknown = await vote.issuers[0].get(line.replace(person.member, "00" * 32))
    assert refusal(unknown) == (403, "not-on-the-roll")
