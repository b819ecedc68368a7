"""Promises of the module where it is served, and of what it sends, in a process of its own."""

import asyncio
import hashlib
from pathlib import Path

import httpx
import pytest

from app.voting.module import module_hash
from governance.ballot_box import ballot_from, is_receipt
from tests.app.voting.node import Module, Refused, raw
from tests.app.voting.town import Town, on_a_port, people


async def test_the_module_is_served_as_a_script_with_its_hash(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ballot.js")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert hashlib.sha256(answer.content).hexdigest() == module_hash()
    assert answer.headers["etag"] == f'"{module_hash()}"'
    known = {"If-None-Match": answer.headers["etag"]}
    assert (await client.get("/ballot.js", headers=known)).status_code == 304
    assert (await client.get("/ballot.js", headers={"If-None-Match": '"old"'})).status_code == 200


async def test_a_member_votes_by_the_module_alone(town: Town, tmp_path: Path) -> None:
    [member] = await people(town.owner, town.clock, count=1)
    key = (await town.voter(member)).wallet.key
    module = Module(tmp_path)
    async with on_a_port(town), httpx.AsyncClient() as client:
        client.base_url = town.url
        election = await town.hold_vote([member])
        place = f"/v1/elections/{election}"
        shown = (await client.get(place)).json()
        rolls = (await client.get(f"{place}/rolls")).json()["rolls"]
        seat = (await client.get(f"{place}/me", headers=member.headers)).json()
        manifest, house = shown["manifest"], seat["house_no"]

        async def call(name: str, *inputs: object) -> object:
            return await asyncio.to_thread(module.call, name, *inputs)

        [_, entropy] = await asyncio.to_thread(
            module.call_all,
            (
                "checkTerms",
                manifest,
                {
                    "seals": shown["seals"],
                    "rolls": rolls,
                    "member": seat["member"],
                    "house": house,
                },
            ),
            ("newEntropy",),
        )
        credentials = []
        for number, issuer in enumerate(shown["issuers"]):
            asked = {"entropy": raw(entropy), "issuer": number, "house": house}
            request = await asyncio.to_thread(
                module.call_as_travelled, "requestCredential", manifest, asked
            )
            body = await call(
                "stampRequest",
                manifest,
                {
                    "request": request,
                    "memberEntropy": raw(key.entropy),
                    "member": seat["member"],
                },
            )
            stamp = await call("askForStamp", f"{issuer['url']}/v1/votes/{election}/stamps", body)
            credentials.append(
                await call("receiveCredential", manifest, {"request": request, "stamp": stamp})
            )
        ballot = await asyncio.to_thread(
            module.call,
            "castBallot",
            manifest,
            {
                "entropy": raw(entropy),
                "value": 1_250,
                "credentials": credentials,
                "sequence": 0,
                "house": house,
            },
        )
        receipt = await asyncio.to_thread(
            module.call, "sendBallot", f"{town.url}{place}/ballots", ballot
        )
        assert await call("isReceipt", receipt, {"manifest": manifest, "ballot": ballot}) is True
        with pytest.raises(Refused, match="not signed by its vote key"):
            await call("sendBallot", f"{town.url}{place}/ballots", ballot | {"value": 1_300})
    with pytest.raises(Refused, match="no answer"):
        await call("sendBallot", f"{town.url}{place}/ballots", ballot)
    assert town.manifest is not None
    assert is_receipt(receipt, manifest=town.manifest)
    package = await town.count()
    assert package["ballots"] == [ballot_from(ballot).document()]
    assert package["result"] == {"value": 1_250}
