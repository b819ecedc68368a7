"""The box over HTTP: no name in, a receipt out, proofs for everybody, contents after the close."""

from typing import Any

import httpx
import pytest

from app.assembly.ballots.schemas import EXAMPLES
from governance.ballot_box import ballot_from, check_ballot, is_receipt, is_root
from governance.manifest import manifest_from
from governance.merkle import is_consistent, is_included
from tests.app.assembly.ballots.scene import CLOSES_AT, Vote, post
from tests.conftest import StandingClock
from tests.steps import slug


async def test_a_ballot_cast_without_a_name_gets_a_receipt_of_the_board(
    vote: Vote, client: httpx.AsyncClient
) -> None:
    ballot = vote.ballot()
    answer = await post(client, vote, ballot)

    assert answer.status_code == 201, answer.text
    assert is_receipt(answer.json(), manifest=vote.manifest)
    assert answer.json()["leaf"] == ballot.leaf().hex()
    assert (await post(client, vote, ballot)).json() == answer.json()
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "name", [{"Authorization": "Bearer x"}, {"Cookie": "a=b"}, {"authorization": ""}]
)
async def test_a_request_that_says_who_asks_is_refused(
    vote: Vote, client: httpx.AsyncClient, name: dict[str, str]
) -> None:
    ballot = vote.ballot()
    path = f"/v1/elections/{vote.id}/ballots"
    cast = await client.post(path, json=ballot.document(), headers=name)
    looked_for = await client.get(f"{path}/{ballot.leaf().hex()}/inclusion", headers=name)

    assert slug(cast) == slug(looked_for) == "ballot-names-its-voter"
    assert await vote.waiting() == 0


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"member": "Ada"}, 422),
        ({"sequence": 20}, 422),
        ({"sequence": True}, 422),
        ({"sequence": "0"}, 422),
        ({"value": 1_400.0}, 422),
        ({"value": {"a": 1}}, 422),
        ({"value": 1_401}, 422),
        ({"vote_key": "AA" * 32}, 422),
        ({"house": 1}, 422),
        ({"signature": "00" * 64}, 422),
        ({"credentials": []}, 422),
    ],
)
async def test_a_document_that_is_not_a_ballot_is_refused(
    vote: Vote, client: httpx.AsyncClient, change: dict[str, Any], status: int
) -> None:
    path = f"/v1/elections/{vote.id}/ballots"
    answer = await client.post(path, json=vote.ballot().document() | change)

    assert answer.status_code == status
    assert slug(answer) in {"ballot-refused", "invalid-request"}
    assert await vote.waiting() == 0


async def test_a_ballot_nested_beyond_reason_is_refused_like_any_other(
    vote: Vote, client: httpx.AsyncClient
) -> None:
    body = '{"value": ' + "[" * 20_000 + "]" * 20_000 + "}"
    answer = await client.post(
        f"/v1/elections/{vote.id}/ballots",
        content=body,
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code in {400, 422}


async def test_there_is_no_box_of_an_election_that_is_not_there(
    vote: Vote, client: httpx.AsyncClient
) -> None:
    nowhere = "/v1/elections/019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1b"
    paths = ("box", "ballots", "roots", f"ballots/{'0' * 64}/inclusion", "consistency?from=1")
    answers = [await client.get(f"{nowhere}/{path}") for path in paths]
    answers.append(await client.post(f"{nowhere}/ballots", json=vote.ballot().document()))

    assert {slug(answer) for answer in answers} == {"not-found"}


async def test_anyone_can_prove_that_a_ballot_is_in_and_that_the_box_only_grew(
    vote: Vote, client: httpx.AsyncClient
) -> None:
    ballots = [vote.ballot() for _ in range(7)]
    base = f"/v1/elections/{vote.id}"
    for ballot in ballots:
        await post(client, vote, ballot)
        await vote.publish()
    waits = await client.get(f"{base}/ballots/{ballots[6].leaf().hex()}/inclusion")
    await vote.close()
    first, second, last = (await client.get(f"{base}/roots")).json()["items"]

    assert slug(waits) == "not-found"
    assert all(is_root(root, manifest=vote.manifest) for root in (first, second, last))
    for ballot in ballots:
        proof = (await client.get(f"{base}/ballots/{ballot.leaf().hex()}/inclusion")).json()
        assert proof["root"] == last
        assert is_included(
            ballot.leaf(),
            index=proof["index"],
            size=proof["size"],
            proof=[bytes.fromhex(node) for node in proof["proof"]],
            tree_root=bytes.fromhex(last["root"]),
        )
    for old in (first, second, last):
        proof = (await client.get(f"{base}/consistency?from={old['size']}")).json()
        assert is_consistent(
            bytes.fromhex(old["root"]),
            old_size=old["size"],
            new_root=bytes.fromhex(last["root"]),
            new_size=proof["size"],
            proof=[bytes.fromhex(node) for node in proof["proof"]],
        )
    assert slug(await client.get(f"{base}/consistency?from=8")) == "not-found"


async def test_the_box_says_how_full_it_is_and_nothing_of_what_waits(
    vote: Vote, client: httpx.AsyncClient
) -> None:
    sizes = []
    for _ in range(4):
        await post(client, vote, vote.ballot())
        await vote.publish()
        sizes.append((await client.get(f"/v1/elections/{vote.id}/box")).json()["size"])
    await vote.close()

    assert sizes == [0, 0, 3, 3]
    box = (await client.get(f"/v1/elections/{vote.id}/box")).json()
    assert (box["size"], box["is_closed"]) == (4, True)


async def test_ballots_are_read_after_the_close_only_in_the_order_of_the_box(
    vote: Vote, client: httpx.AsyncClient, clock: StandingClock
) -> None:
    ballots = [vote.ballot() for _ in range(7)]
    path = f"/v1/elections/{vote.id}/ballots"
    for ballot in ballots:
        await post(client, vote, ballot)
    await vote.publish()
    before = await client.get(path)
    clock.moment = CLOSES_AT
    await vote.close()
    pages = [(await client.get(f"{path}?limit=4")).json()]
    pages.append((await client.get(f"{path}?limit=4&skip={pages[0]['next']}")).json())

    assert slug(before) == "ballots-still-secret"
    assert [len(page["items"]) for page in pages] == [4, 3]
    assert pages[1]["next"] is None
    documents = [document for page in pages for document in page["items"]]
    leaves = [ballot_from(document).leaf() for document in documents]
    assert leaves == sorted(ballot.leaf() for ballot in ballots)


def test_the_examples_are_real_documents_of_one_vote() -> None:
    manifest = manifest_from(EXAMPLES["manifest"])
    ballot = ballot_from(EXAMPLES["ballot"])
    inclusion, consistency = EXAMPLES["inclusion"], EXAMPLES["consistency"]
    first, last = EXAMPLES["roots"]

    check_ballot(ballot, manifest=manifest)
    assert is_receipt(EXAMPLES["receipt"], manifest=manifest)
    assert EXAMPLES["receipt"]["leaf"] == inclusion["leaf"] == ballot.leaf().hex()
    assert is_root(first, manifest=manifest)
    assert is_root(last, manifest=manifest)
    assert is_included(
        ballot.leaf(),
        index=inclusion["index"],
        size=inclusion["size"],
        proof=[bytes.fromhex(node) for node in inclusion["proof"]],
        tree_root=bytes.fromhex(last["root"]),
    )
    assert is_consistent(
        bytes.fromhex(first["root"]),
        old_size=consistency["old_size"],
        new_root=bytes.fromhex(last["root"]),
        new_size=consistency["size"],
        proof=[bytes.fromhex(node) for node in consistency["proof"]],
    )
