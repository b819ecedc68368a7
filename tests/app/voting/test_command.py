"""Promises of `meent vote`: plain sentences, nothing done without a yes, exit codes that say it."""

import asyncio
import json
import re
import signal
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.voting.module import module_hash, module_text
from tests.app.commands import CHECKOUT, PROGRAM, environment
from tests.app.realtime.phones import until
from tests.app.voting.town import Town, on_a_port, people
from tests.factories import Person


class Device:
    """A member's own machine: a wallet, a token, and the command."""

    def __init__(self, folder: Path, town: Town, person: Person | None = None) -> None:
        self.folder = folder
        folder.mkdir()
        self.wallet = folder / "wallet.json"
        self.options = ["--wallet", str(self.wallet), "--server", town.url]
        if person is not None:
            (folder / "token").write_text(person.token)
            self.options += ["--token", str(folder / "token")]

    def command(self, *words: str) -> list[str]:
        return [*PROGRAM, "vote", *self.options, *words]

    async def run(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            subprocess.run,
            self.command(*words),
            input=typed,
            capture_output=True,
            text=True,
            cwd=CHECKOUT,
            env=environment(self.folder / "home"),
            timeout=60,
            check=False,
        )

    async def done(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        result = await self.run(*words, typed=typed)
        assert result.returncode == 0, result.stderr
        return result

    async def refused(self, *words: str, typed: str = "", code: int = 1) -> str:
        result = await self.run(*words, typed=typed)
        assert result.returncode == code, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        return result.stderr


@pytest.fixture
async def street(town: Town) -> AsyncIterator[Town]:
    """The town at a port of this machine, at this very hour."""
    town.clock.moment = datetime.now(UTC)
    async with on_a_port(town):
        yield town


async def test_a_member_votes_changes_checks_and_recounts_by_commands(
    street: Town, tmp_path: Path
) -> None:
    [member] = await people(street.owner, street.clock, count=1)
    device = Device(tmp_path / "device", street, member)
    made = await device.done("key", "--json", "--yes")
    assert "Write down its twelve words" in made.stderr
    public = json.loads(made.stdout)["public_key"]
    election = await street.hold_vote([member])
    assert election in (await device.done("list")).stdout

    shown = (await device.done("show", election)).stdout
    assert "It takes 5 % to 20 % in steps of 0.5 %; now it is 15 %." in shown
    assert "At 15 % a fare of 10.00 leaves 8.50 to the driver." in shown
    assert f"Stamps: Auditors, {street.url}/issuer-0, key " in shown
    assert "You are on the roll." in shown

    assert "12.3%" in await device.refused("cast", election, "12.3%")
    assert "Nothing was done." in await device.refused("cast", election, "12.5%", typed="n\n")
    assert not [sent for sent in street.sent if sent.path.endswith(("/stamps", "/ballots"))]
    cast = await device.done("cast", election, "12.5%", typed="y\n")
    assert "Your vote: 12.5 %" in cast.stderr
    assert "Your two stamps are here." in cast.stderr
    assert "Your ballot is promised to be in the box by " in cast.stderr
    assert "voted here already" in await device.refused("cast", election, "13%", "--yes")
    changed = await device.done("change", election, "13%", "--yes", "--json")
    assert json.loads(changed.stdout)["value"] == "13 %"

    await street.publish()
    checked = await device.done("check", election)
    assert "ok      Your ballot for 13 % is in the box." in checked.stdout
    assert "not yet The ballots are published when the vote is counted." in checked.stdout
    assert "not counted yet" in await device.refused("recount", election)
    await street.count()
    package = tmp_path / "package.json"
    recounted = await device.done("recount", election, "--save", str(package))
    assert 'result counted:  {"value":1300}' in recounted.stdout
    assert "no fault: every check passed" in recounted.stdout
    assert json.loads(package.read_text())["result"] == {"value": 1_300}
    findings = json.loads((await device.done("check", election, "--json")).stdout)["findings"]
    assert {"verdict": "good", "sentence": "Published and counted for you: 13 %."} in findings

    # Nothing that was printed without being asked for is a key or a token.
    kept = json.loads(device.wallet.read_text())
    secret = [kept["member_key"], kept["votes"][election]["entropy"], member.token]
    for result in (made, cast, changed, checked, recounted):
        assert not any(word in result.stdout + result.stderr for word in secret)
    assert public not in cast.stderr + checked.stdout


async def test_a_wrong_box_ends_the_check_with_one(street: Town, tmp_path: Path) -> None:
    [member] = await people(street.owner, street.clock, count=1)
    device = Device(tmp_path / "device", street, member)
    await device.done("key", "--yes")
    election = await street.hold_vote([member])
    await device.done("cast", election, "13%", "--yes")
    await street.publish()
    street.lies = {"/inclusion": lambda shown: shown | {"index": 3}}
    result = await device.run("check", election)
    assert result.returncode == 1
    assert "WRONG   The box has no true proof of your ballot for 13 %." in result.stdout


async def test_words_bring_member_and_vote_to_another_device(street: Town, tmp_path: Path) -> None:
    [member] = await people(street.owner, street.clock, count=1)
    lost = Device(tmp_path / "lost", street, member)
    await lost.done("key", "--yes")
    election = await street.hold_vote([member])
    await lost.done("cast", election, "12%", "--yes")
    assert "Nothing was done." in await lost.refused("words", typed="n\n")
    member_words = (await lost.done("words", "--yes")).stdout
    vote_words = (await lost.done("words", election, "--yes")).stdout
    assert len(member_words.split()) == len(vote_words.split()) == 12

    found = Device(tmp_path / "found", street, member)
    assert "word 12 is not on the list" in await found.refused(
        "key", "--words", typed=" ".join(member_words.split()[:11]) + " meent\n"
    )
    await found.done("key", "--words", typed=member_words)
    assert "meent vote restore" in await found.refused("cast", election, "14%", "--yes")
    restored = Device(tmp_path / "restored", street, member)
    await restored.done("key", "--words", typed=member_words)
    assert (
        "two stamps are here" in (await restored.done("restore", election, typed=vote_words)).stderr
    )
    await restored.done("cast", election, "14%", "--yes")
    package = await street.count()
    assert package["result"] == {"value": 1_400}


async def test_a_wallet_can_be_closed_by_a_passphrase(street: Town, tmp_path: Path) -> None:
    [member] = await people(street.owner, street.clock, count=1)
    device = Device(tmp_path / "device", street, member)
    await device.done("key", "--yes")
    await device.done("passphrase", typed="correct\ncorrect\n")
    assert "does not open" in await device.refused("words", "--yes", typed="wrong\n")
    words = (await device.done("words", "--yes", typed="correct\n")).stdout
    (tmp_path / "passphrase").write_text("correct\n")
    device.options += ["--passphrase-file", str(tmp_path / "passphrase")]
    assert (await device.done("words", "--yes")).stdout == words


async def test_a_member_signs_in_by_telephone(street: Town, tmp_path: Path) -> None:
    device = Device(tmp_path / "device", street)
    assert "not signed in" in await device.refused("key", "--yes")
    asking = await asyncio.create_subprocess_exec(
        *device.command("sign-in", "--phone", "+4237654321"),
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=CHECKOUT,
        env=environment(device.folder / "home"),
    )
    texts: Path = street.app.state.settings.sms_file
    async with asyncio.timeout(30):
        await until(lambda: texts.exists() and bool(texts.read_text().strip()))
        code = re.search(r"\b\d{6}\b", await asyncio.to_thread(texts.read_text))
        assert code is not None
        _, said = await asking.communicate(f"{code[0]}\n".encode())
    assert b"You are signed in." in said
    assert code[0].encode() not in said
    made = json.loads((await device.done("key", "--json", "--yes")).stdout)
    kept = json.loads(device.wallet.read_text())
    found: Any = await street.owner.fetchval(
        "select member_id from member_key where public_key = $1",
        bytes.fromhex(made["public_key"]),
    )
    assert str(found) == kept["session"]["member_id"]

    # A session is renewed with its refresh token, once; without one the member signs in anew.
    kept["session"]["access_expires_at"] = "2026-01-01T00:00:00Z"
    device.wallet.write_text(json.dumps(kept))
    await device.done("key", "--yes")
    renewed = json.loads(device.wallet.read_text())["session"]
    assert renewed["refresh_token"] != kept["session"]["refresh_token"]
    device.wallet.write_text(json.dumps(kept))
    assert "not signed in" in await device.refused("key", "--yes")
    assert json.loads(device.wallet.read_text())["session"] is None


async def test_ctrl_c_at_a_question_and_while_waiting_loses_nothing(
    street: Town, tmp_path: Path
) -> None:
    [member] = await people(street.owner, street.clock, count=1)
    device = Device(tmp_path / "device", street, member)
    await device.done("key", "--yes")
    election = await street.hold_vote([member])

    async def interrupted(*words: str, at: bytes) -> int | None:
        asking = await asyncio.create_subprocess_exec(
            *device.command(*words),
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=CHECKOUT,
            env=environment(device.folder / "home"),
        )
        assert asking.stderr is not None
        async with asyncio.timeout(30):
            said = b""
            while at not in said:
                said += await asking.stderr.read(100)
            await asyncio.sleep(0.2)
            asking.send_signal(signal.SIGINT)
            await asking.stderr.read()
            return await asking.wait()

    assert await interrupted("cast", election, "12%", at=b"Send it?") == 130
    words = ("cast", election, "12%", "--yes", "--at-random-within", "600")
    assert await interrupted(*words, at=b"random moment") == 130
    assert not [sent for sent in street.sent if sent.path.endswith("/ballots")]
    kept = json.loads(device.wallet.read_text())["votes"][election]
    assert None not in kept["credentials"]
    await device.done("cast", election, "12%", "--yes")
    assert len((await street.count())["ballots"]) == 1


def test_the_hash_of_the_module_can_be_compared(tmp_path: Path) -> None:
    result = subprocess.run(
        [*PROGRAM, "vote", "module-hash", "--save", str(tmp_path / "ballot.mjs")],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env=environment(tmp_path),
        timeout=60,
        check=True,
    )
    assert result.stdout == f"{module_hash()}\n"
    assert "could be changed by it" in result.stderr
    assert (tmp_path / "ballot.mjs").read_text() == module_text()


async def test_a_vote_on_a_text_shows_which_text_it_is(street: Town, tmp_path: Path) -> None:
    [member] = await people(street.owner, street.clock, count=1)
    device = Device(tmp_path / "device", street, member)
    await device.done("key", "--yes")
    terms = {"majority": [2, 3, False], "quorums": [1], "text": "ab" * 32}
    election = await street.hold_vote([member], rule="text", parameters=terms)
    shown = (await device.done("show", election)).stdout
    assert f"The text voted on has the SHA-256 {'ab' * 32}." in shown
    assert "It takes yes, no or abstain." in shown


async def test_a_server_has_to_be_named_once(street: Town, tmp_path: Path) -> None:
    device = Device(tmp_path / "device", street)
    device.options = ["--wallet", str(device.wallet)]
    assert await device.refused("list") == (
        "meent: Name the cooperative once: meent vote --server URL …\n"
    )
    assert "use https://" in await device.refused("--server", "http://192.0.2.1", "list")
    await device.refused("cast", "one", code=2)
    assert "does not exist" in await device.refused("--token", "nowhere", "list", code=2)


async def test_a_refusal_of_the_server_is_one_sentence(street: Town, tmp_path: Path) -> None:
    device = Device(tmp_path / "device", street)
    assert await device.refused("sign-in", "--phone", "12") == (
        "meent: This is not a telephone number.\n"
    )


async def test_a_member_whose_ballot_was_dropped_stops_the_count_by_a_command(
    street: Town, tmp_path: Path
) -> None:
    [member] = await people(street.owner, street.clock, count=1)
    device = Device(tmp_path / "device", street, member)
    await device.done("key", "--yes")
    election = await street.hold_vote([member])
    await device.done("cast", election, "12.5%", "--yes")
    await street.owner.execute("delete from pending_ballot")
    assert "not been counted yet" in await device.refused("object", election, "--yes")
    await street.count()
    await street.await_objections()

    checked = await device.run("check", election)
    assert f"meent vote object {election}" in checked.stdout
    assert "Nothing was done." in await device.refused("object", election, typed="n\n")
    stopped = await device.done("object", election, typed="y\n")

    assert "The vote is void" in stopped.stderr
    assert '"stage":"void"' in (await street.look(f"/v1/elections/{election}"))
