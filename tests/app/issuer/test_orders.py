"""Promises about orders: only the pinned cooperative gives them, and terms are sealed once."""

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from openapi_spec_validator import validate

from app.issuer import papers
from app.issuer.main import create_issuer
from governance.manifest import House, is_sealed_by_all, roll_hash
from tests.app.issuer.conftest import Vote
from tests.app.issuer.test_stamps import refusal
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.issuers import Cooperative, Person, ask_stamp, changed, public_hex

type Issuers = tuple[httpx.AsyncClient, httpx.AsyncClient]

KEYS = {"houses": ["everybody"]}


async def test_an_issuer_says_who_it_is_and_whom_it_follows(
    issuers: Issuers, cooperative: Cooperative
) -> None:
    assert (await issuers[1].get("/v1")).json() == {
        "name": "Sister cooperative",
        "protocol": 1,
        "cooperative_key": public_hex(cooperative.board),
    }
    assert (await issuers[1].get("/livez")).json() == {"status": "alive"}


async def test_seals_of_all_issuers_open_a_vote(vote: Vote, cooperative: Cooperative) -> None:
    answers = [await cooperative.seal(issuer, vote.manifest, vote.rolls) for issuer in vote.issuers]

    seals = [bytes.fromhex(answer.json()["seal"]) for answer in answers]
    assert is_sealed_by_all(vote.manifest, seals=seals)


async def test_keys_are_fresh_for_each_vote_and_the_same_however_often_they_are_ordered(
    issuers: Issuers, cooperative: Cooperative
) -> None:
    first, again, other = [
        (await cooperative.order(issuers[0], papers.keys_path(name), KEYS)).json()
        for name in ("one", "one", "two")
    ]

    assert first == again
    assert first["seal_key"] != other["seal_key"]
    assert set(first["moduli"]).isdisjoint(other["moduli"])
    assert [int(modulus, 16).bit_length() for modulus in first["moduli"]] == [2048]


async def test_keys_of_a_vote_are_not_made_anew_for_other_houses(
    issuers: Issuers, cooperative: Cooperative
) -> None:
    path = papers.keys_path("one")
    await cooperative.order(issuers[0], path, KEYS)

    other = await cooperative.order(issuers[0], path, {"houses": ["drivers", "riders"]})

    assert refusal(other) == (409, "another-manifest")


async def test_nobody_but_the_pinned_cooperative_gives_orders(
    vote: Vote, cooperative: Cooperative
) -> None:
    stranger = Ed25519PrivateKey.generate()
    path = papers.revocations_path(vote.manifest.election)
    member = {"house": 0, "member": vote.members[0].member}
    for order_path, body in (
        (path, member),
        (papers.keys_path("other"), KEYS),
        (papers.manifest_path("other"), {"manifest": {}, "rolls": [[]]}),
    ):
        forged = await cooperative.order(vote.issuers[0], order_path, body, key=stranger)
        unsigned = await vote.issuers[0].post(order_path, json=body)
        garbled = await vote.issuers[0].post(
            order_path, json=body, headers={papers.ORDER_HEADER: "not hex"}
        )
        for answer in (forged, unsigned, garbled):
            assert refusal(answer) == (403, "order-not-signed")

    _, ask = vote.members[0].ask(vote.manifest, issuer_no=0)
    assert (await ask_stamp(vote.issuers[0], vote.manifest, ask)).status_code == 200


async def test_an_order_holds_for_its_own_body_and_path_only(
    vote: Vote, cooperative: Cooperative
) -> None:
    body, election = b'{"house": 0, "member": "%s"}', vote.manifest.election
    first, second = (body % person.member.encode() for person in vote.members[:2])
    signature = papers.sign_order(
        papers.revocations_path(election), body=first, board_key=cooperative.board
    )
    headers = {papers.ORDER_HEADER: signature, "Content-Type": "application/json"}

    moved = await vote.issuers[0].post(
        papers.revocations_path("other"), content=first, headers=headers
    )
    swapped = await vote.issuers[0].post(
        papers.revocations_path(election), content=second, headers=headers
    )

    assert refusal(moved) == (403, "order-not-signed")
    assert refusal(swapped) == (403, "order-not-signed")


async def test_an_order_that_is_not_signed_tells_nothing_about_its_form(issuers: Issuers) -> None:
    answer = await issuers[0].post(papers.keys_path("one"), json={"houses": [], "more": 1})

    assert refusal(answer) == (403, "order-not-signed")


@pytest.mark.parametrize("election", ["..", "a b", "-x", "a" * 65, "%2e%2e%2fx"])
async def test_a_vote_has_a_name_that_no_folder_is_left_by(
    issuers: Issuers, cooperative: Cooperative, election: str
) -> None:
    answer = await cooperative.order(issuers[0], papers.keys_path(election), KEYS)

    assert answer.status_code in {403, 404, 422}


@pytest.mark.parametrize(
    "change",
    [
        {"question": "Another question?"},
        {"closes_at": FRIDAY_EVENING + timedelta(days=8)},
        {"parameters": {"status_quo": 0}},
    ],
)
async def test_an_issuer_never_seals_a_second_manifest_for_a_vote(
    vote: Vote, cooperative: Cooperative, change: dict[str, Any]
) -> None:
    other = changed(vote.manifest, **change)

    answer = await cooperative.seal(vote.issuers[0], other, vote.rolls)

    assert refusal(answer) == (409, "another-manifest")
    assert "seal" not in answer.json()


async def test_the_same_terms_again_do_not_put_other_keys_on_the_roll(
    vote: Vote, cooperative: Cooperative
) -> None:
    """A cooperative that turns rogue after the sealing cannot lend out its members' lines."""
    victim, thief = vote.members[0], Ed25519PrivateKey.generate()
    lines = [[dict(person.line) for person in vote.members]]
    lines[0][0]["key"] = public_hex(thief)
    body = {"manifest": vote.manifest.document(), "rolls": lines}
    path = papers.manifest_path(vote.manifest.election)

    assert (await cooperative.order(vote.issuers[0], path, body)).status_code == 200

    line = f"/v1/votes/{vote.manifest.election}/rolls/0/{victim.member}"
    assert (await vote.issuers[0].get(line)).json()["key"] == victim.line["key"]
    _, ask = victim.ask(vote.manifest, issuer_no=0)
    assert (await ask_stamp(vote.issuers[0], vote.manifest, ask)).status_code == 200


async def refused_terms(
    cooperative: Cooperative, at: Issuers, people: list[Person], **change: Any
) -> httpx.Response:
    manifest = await cooperative.terms(at, [people], opens_at=FRIDAY_EVENING + timedelta(days=1))
    return await cooperative.seal(at[0], changed(manifest, **change), [people])


async def test_terms_that_do_not_hold_together_are_not_sealed(
    issuers: Issuers, cooperative: Cooperative
) -> None:
    people = [Person(number) for number in range(3)]
    roll = [person.member for person in people]
    honest = await cooperative.terms(issuers, [people], opens_at=FRIDAY_EVENING)
    auditors, sister = honest.issuers
    past = {
        name: FRIDAY_EVENING - timedelta(hours=hours)
        for name, hours in (("opens_at", 3), ("closes_at", 2), ("published_by", 1))
    }
    changes: dict[str, dict[str, Any]] = {
        "is not the one in the terms": {"houses": (House("everybody", roll_hash(roll[:2]), 3),)},
        "roll of everybody": {"houses": (House("everybody", roll_hash(roll), 4),)},
        "houses are not those": {"houses": (House("somebody", roll_hash(roll), 3),)},
        "board's key": {"board_key": public_hex(Ed25519PrivateKey.generate())},
        "no rule": {"rule": "by lot"},
        "rule's figures": {"parameters": {"quorums": [1]}},
        "over already": past,
        "does not stand once": {
            "issuers": (
                sister,
                dataclasses.replace(auditors, seal_key=public_hex(Ed25519PrivateKey.generate())),
            )
        },
        "moduli": {"issuers": (sister, dataclasses.replace(auditors, moduli=("f" * 512,)))},
        "called": {"issuers": (sister, dataclasses.replace(auditors, name="Somebody else"))},
    }
    for words, change in changes.items():
        answer = await refused_terms(cooperative, issuers, people, **change)
        assert refusal(answer) == (422, "terms-refused"), words
        assert words in answer.json()["detail"]
    # Nothing of what was refused is in the way of honest terms.
    assert (await cooperative.seal(issuers[0], honest, [people])).status_code == 200


async def test_terms_with_one_issuer_alone_are_not_sealed(
    issuers: Issuers, cooperative: Cooperative
) -> None:
    people = [Person(number=1)]
    honest = await cooperative.terms(issuers, [people], opens_at=FRIDAY_EVENING)
    document = honest.document()
    document["issuers"] = document["issuers"][:1]

    body = {"manifest": document, "rolls": [[person.line for person in people]]}
    answer = await cooperative.order(issuers[0], papers.manifest_path(honest.election), body)

    assert refusal(answer) == (422, "terms-refused")
    assert "at least 2 issuers" in answer.json()["detail"]


async def test_terms_of_another_vote_are_not_sealed_under_this_name(
    vote: Vote, cooperative: Cooperative
) -> None:
    path = papers.manifest_path("pots-2027")
    await cooperative.order(vote.issuers[0], papers.keys_path("pots-2027"), KEYS)
    body = {"manifest": vote.manifest.document(), "rolls": [[p.line for p in vote.members]]}

    answer = await cooperative.order(vote.issuers[0], path, body)

    assert refusal(answer) == (422, "terms-refused")


async def test_terms_without_keys_ordered_before_are_not_sealed(
    vote: Vote, cooperative: Cooperative
) -> None:
    unknown = changed(vote.manifest, election="never-ordered")

    answer = await cooperative.seal(vote.issuers[0], unknown, vote.rolls)

    assert refusal(answer) == (404, "unknown-vote")


async def test_nobody_stands_on_two_rolls_and_no_two_share_a_key(
    issuers: Issuers, cooperative: Cooperative, clock: StandingClock
) -> None:
    both, driver, rider = (Person(number) for number in range(3))
    twice = [[both, driver], [both, rider]]
    shared = [[driver], [Person(number=9, key=driver.key)]]
    for rolls, words in ((twice, "twice"), (shared, "same key")):
        manifest = await cooperative.terms(
            issuers, rolls, opens_at=clock.now(), election=words.replace(" ", "-")
        )
        answer = await cooperative.seal(issuers[0], manifest, rolls)
        assert refusal(answer) == (422, "terms-refused")
        assert words in answer.json()["detail"]


async def test_two_houses_have_a_key_each_and_no_stamp_of_one_is_worth_anything_in_the_other(
    issuers: Issuers, cooperative: Cooperative, clock: StandingClock
) -> None:
    drivers, riders = [Person(1), Person(2)], [Person(3), Person(4)]
    manifest = await cooperative.terms(issuers, [drivers, riders], opens_at=clock.now())
    assert (await cooperative.seal(issuers[0], manifest, [drivers, riders])).status_code == 200
    _, body = riders[0].ask(manifest, issuer_no=0, house_no=1)

    answer = await ask_stamp(issuers[0], manifest, body)

    assert answer.status_code == 200
    assert len(set(manifest.issuers[0].moduli)) == 2
    other = await ask_stamp(issuers[0], manifest, body | {"house": 0})
    assert refusal(other) == (403, "not-on-the-roll")


def test_the_protocol_is_described_by_a_valid_document(folders: tuple[Path, Path]) -> None:
    document = create_issuer(folders[0]).openapi()

    validate(document)
    operations = [one for path in document["paths"].values() for one in path.values()]
    assert all(one["operationId"] and one["summary"] for one in operations)
