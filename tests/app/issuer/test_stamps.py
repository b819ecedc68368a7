"""Promises about stamps: one for a member, blind, and the same again however often it is asked."""

import asyncio
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.credential import is_credential, receive_credential
from governance.vote_key import new_vote_key
from tests.app.issuer.conftest import Vote
from tests.conftest import StandingClock
from tests.issuers import Cooperative, Person, ask_stamp, open_issuer

WEEK_S = 7 * 24 * 3600.0
STAMPS = "/v1/votes/commission-2027/stamps"


def refusal(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def logged(vote: Vote, *, issuer_no: int = 0, house_no: int = 0) -> list[str]:
    answer = await vote.issuers[issuer_no].get(f"/v1/votes/{vote.manifest.election}/log")
    return answer.json()["logs"][house_no]["members"]


async def test_stamps_of_all_issuers_make_a_key_that_may_vote(vote: Vote) -> None:
    person, key = vote.members[0], new_vote_key()
    for number, issuer in enumerate(vote.issuers):
        request, body = person.ask(vote.manifest, issuer_no=number, vote_key=key)

        answer = await ask_stamp(issuer, vote.manifest, body)

        stamp = bytes.fromhex(answer.json()["stamp"])
        credential = receive_credential(vote.manifest, request=request, answer=stamp)
        assert is_credential(
            vote.manifest, credential=credential, vote_key=key.public, issuer_no=number
        )
        assert await logged(vote, issuer_no=number) == [person.member]


async def test_the_very_same_request_gets_the_same_stamp_again(vote: Vote) -> None:
    _, body = vote.members[0].ask(vote.manifest, issuer_no=0)

    answers = [await ask_stamp(vote.issuers[0], vote.manifest, body) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.json()["stamp"] for answer in answers}) == 1
    assert await logged(vote) == [vote.members[0].member]


async def test_a_member_is_not_stamped_for_another_key(vote: Vote) -> None:
    person = vote.members[0]
    await ask_stamp(vote.issuers[0], vote.manifest, person.ask(vote.manifest, issuer_no=0)[1])

    other = await ask_stamp(
        vote.issuers[0], vote.manifest, person.ask(vote.manifest, issuer_no=0)[1]
    )

    assert refusal(other) == (409, "already-stamped")
    assert "stamp" not in other.json()


async def test_of_many_requests_of_one_member_at_once_exactly_one_is_stamped(vote: Vote) -> None:
    person = vote.members[0]
    bodies = [person.ask(vote.manifest, issuer_no=0)[1] for _ in range(8)]

    answers = await asyncio.gather(
        *(ask_stamp(vote.issuers[0], vote.manifest, body) for body in bodies)
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert await logged(vote) == [person.member]


async def test_nobody_is_stamped_who_is_not_on_the_roll_of_that_house(vote: Vote) -> None:
    stranger = Person(number=99)
    unknown = stranger.ask(vote.manifest, issuer_no=0)[1]
    elsewhere = vote.members[0].ask(vote.manifest, issuer_no=0)[1] | {"house": 1}

    for body in (unknown, elsewhere):
        answer = await ask_stamp(vote.issuers[0], vote.manifest, body)
        assert refusal(answer) == (403, "not-on-the-roll")
    assert await logged(vote) == []


async def test_nobody_is_stamped_in_the_name_of_another(vote: Vote) -> None:
    victim, thief = vote.members[0], Ed25519PrivateKey.generate()
    blinded = vote.members[1].ask(vote.manifest, issuer_no=0)[1]
    forged = victim.ask(vote.manifest, issuer_no=0)[1]
    bodies = {
        "the signature of another request": forged | {"blinded": blinded["blinded"]},
        "no signature of anybody": forged | {"signature": "00" * 64},
        "a signature by another member": blinded
        | {"member": victim.member, "key": victim.line["key"]},
        "a key that is not on the roll": forged
        | {
            "key": thief.public_key().public_bytes_raw().hex(),
            "signature": thief.sign(b"anything").hex(),
        },
    }
    for name, body in bodies.items():
        answer = await ask_stamp(vote.issuers[0], vote.manifest, body)
        assert refusal(answer) == (403, "bad-signature"), name
    assert await logged(vote) == []


async def test_a_signature_for_one_vote_is_worth_nothing_in_another(
    vote: Vote, cooperative: Cooperative
) -> None:
    second = await cooperative.terms(
        vote.issuers, vote.rolls, opens_at=vote.manifest.opens_at, election="pots-2027"
    )
    await cooperative.seal(vote.issuers[0], second, vote.rolls)
    _, body = vote.members[0].ask(vote.manifest, issuer_no=0)

    replayed = await ask_stamp(vote.issuers[0], second, body)

    assert refusal(replayed)[1] in {"bad-signature", "bad-blinding"}


async def test_who_has_no_key_on_the_roll_cannot_ask(
    issuers: tuple[httpx.AsyncClient, httpx.AsyncClient],
    cooperative: Cooperative,
    clock: StandingClock,
) -> None:
    class Keyless(Person):
        @property
        def line(self) -> dict[str, str]:
            return super().line | {"key": ""}

    person = Keyless(number=1)
    rolls = ((person, Person(number=2)),)
    manifest = await cooperative.terms(issuers, rolls, opens_at=clock.now())
    assert (await cooperative.seal(issuers[0], manifest, rolls)).status_code == 200
    own = Person(number=1, key=person.key)

    body = own.ask(manifest, issuer_no=0)[1] | {"member": person.member}
    answer = await ask_stamp(issuers[0], manifest, body)

    assert refusal(answer) == (403, "bad-signature")
    assert "no key" in answer.json()["detail"]


@pytest.mark.parametrize("digits", ["ff" * 256, "01" * 257, "01" * 384])
async def test_what_cannot_be_stamped_is_refused_before_the_member_is_noted(
    vote: Vote, digits: str
) -> None:
    body = vote.members[0].sign(vote.manifest, bytes.fromhex(digits))

    answer = await ask_stamp(vote.issuers[0], vote.manifest, body)

    assert refusal(answer) == (422, "bad-blinding")
    assert await logged(vote) == []


async def test_no_stamp_is_given_before_the_terms_are_sealed(
    issuers: tuple[httpx.AsyncClient, httpx.AsyncClient],
    cooperative: Cooperative,
    clock: StandingClock,
) -> None:
    rolls = ((Person(number=1),),)
    manifest = await cooperative.terms(issuers, rolls, opens_at=clock.now())
    _, body = rolls[0][0].ask(manifest, issuer_no=0)

    answer = await ask_stamp(issuers[0], manifest, body)

    assert refusal(answer) == (404, "unknown-vote")


async def test_stamps_are_given_until_casting_ends_and_not_after(
    vote: Vote, clock: StandingClock
) -> None:
    left_s = (vote.manifest.closes_at - clock.now()).total_seconds()
    first, second = (person.ask(vote.manifest, issuer_no=0)[1] for person in vote.members[:2])

    clock.pass_time(left_s - 1)
    assert (await ask_stamp(vote.issuers[0], vote.manifest, first)).status_code == 200
    clock.pass_time(1)
    assert refusal(await ask_stamp(vote.issuers[0], vote.manifest, second)) == (409, "vote-closed")
    assert await logged(vote) == [vote.members[0].member]


async def test_a_member_who_asks_again_and_again_is_told_to_wait_and_nobody_else(
    vote: Vote,
) -> None:
    person, other = vote.members[:2]
    _, body = person.ask(vote.manifest, issuer_no=0)

    answers = [await ask_stamp(vote.issuers[0], vote.manifest, body) for _ in range(11)]

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    _, theirs = other.ask(vote.manifest, issuer_no=0)
    assert (await ask_stamp(vote.issuers[0], vote.manifest, theirs)).status_code == 200


async def test_a_stranger_cannot_use_up_what_a_member_may_ask(vote: Vote) -> None:
    _, body = vote.members[0].ask(vote.manifest, issuer_no=0)
    for _ in range(30):
        answer = await ask_stamp(vote.issuers[0], vote.manifest, body | {"signature": "00" * 64})
        assert answer.status_code == 403

    assert (await ask_stamp(vote.issuers[0], vote.manifest, body)).status_code == 200


async def test_the_loss_of_a_running_issuer_loses_no_stamp(
    cooperative: Cooperative, folders: tuple[Path, Path], clock: StandingClock
) -> None:
    rolls = ((Person(number=1), Person(number=2)),)
    async with (
        open_issuer(folders[0], clock=clock) as one,
        open_issuer(folders[1], clock=clock) as other,
    ):
        manifest = await cooperative.terms((one, other), rolls, opens_at=clock.now())
        sealed = await cooperative.seal(one, manifest, rolls)
        _, body = rolls[0][0].ask(manifest, issuer_no=0)
        before = await ask_stamp(one, manifest, body)

    async with open_issuer(folders[0], clock=clock) as again:
        assert (await cooperative.seal(again, manifest, rolls)).json() == sealed.json()
        after = await ask_stamp(again, manifest, body)
        assert after.json() == before.json()
        _, another = rolls[0][0].ask(manifest, issuer_no=0)
        assert refusal(await ask_stamp(again, manifest, another)) == (409, "already-stamped")


async def test_a_page_of_any_origin_may_ask_but_never_order(vote: Vote) -> None:
    origin = {"Origin": "https://vote.example"}
    _, body = vote.members[0].ask(vote.manifest, issuer_no=0)

    asked = await vote.issuers[0].options(
        STAMPS,
        headers=origin
        | {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    stamped = await vote.issuers[0].post(STAMPS, json=body, headers=origin)
    refused = await vote.issuers[0].post(STAMPS, json={}, headers=origin)
    ordering = await vote.issuers[0].options(
        STAMPS.replace("stamps", "revocations"),
        headers=origin
        | {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "meent-signature",
        },
    )

    for answer in (asked, stamped, refused):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
    assert (asked.status_code, stamped.status_code) == (200, 200)
    assert refusal(refused) == (422, "invalid-request")
    assert ordering.status_code == 400


async def test_a_body_that_no_member_needs_is_not_read(vote: Vote) -> None:
    answer = await vote.issuers[0].post(STAMPS, content=b"x" * 65_537)

    assert refusal(answer) == (413, "body-too-large")


async def test_a_request_with_more_than_it_needs_is_refused(vote: Vote) -> None:
    """Nobody's name or number reaches an issuer by mistake."""
    _, body = vote.members[0].ask(vote.manifest, issuer_no=0)

    answer = await ask_stamp(vote.issuers[0], vote.manifest, body | {"name": "Ada"})

    assert refusal(answer) == (422, "invalid-request")
    assert "Ada" not in answer.text


async def test_every_refusal_leads_to_a_page(vote: Vote) -> None:
    _, body = vote.members[0].ask(vote.manifest, issuer_no=0)
    answer = await ask_stamp(vote.issuers[0], vote.manifest, body | {"signature": "00" * 64})

    page = await vote.issuers[0].get(answer.json()["type"])

    assert page.status_code == 200
    assert page.json()["title"] == answer.json()["title"]
    assert (await vote.issuers[0].get("/problems/none")).status_code == 404
