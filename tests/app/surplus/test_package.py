"""A closed period's package is recounted by the one file; every cheat in it is named."""

import asyncio
import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.foundation.problems import NotFound
from app.surplus.errors import PeriodCutsAnHour, PeriodNotSealed
from app.surplus.package import draw_package
from governance import verify
from governance.verify import FaultKind, recount_period
from tests.app.surplus.packages import (
    Package,
    closed_year,
    codes_in,
    kinds,
    package_of,
    seal_all,
    secrets_of,
    small_year,
)
from tests.app.surplus.test_command import meent
from tests.app.surplus.year import SINCE, UNTIL, Town, worked_year

PUBLISHED = {
    "member_commission": 1_575_000,
    "other_commission": 225_000,
    "other_income": 60_000,
    "costs": -1_240_000,
    "result": 620_000,
    "indivisible": 130_000,
    "reserve": 98_000,
    "education": 24_500,
    "pot_reserve": 98_000,
    "pot_dividend": 130_667,
    "pot_solidarity": 73_500,
    "pot_investment": 65_333,
    "cash": 26_136,
    "capital": 104_531,
    "undivided": 0,
}


async def test_the_published_year_is_recounted_to_the_cent_from_its_package(town: Town) -> None:
    await worked_year(town)
    period = await town.close()
    await seal_all(town, most=100)

    package = await package_of(town, period["id"])
    found = recount_period(package)

    assert found.faults == []
    assert found.steps == PUBLISHED
    refunds = sorted((one["cash_minor"], one["capital_minor"]) for one in package["members"])
    assert refunds == [
        (1_322, 5_284),
        (2_262, 9_047),
        (4_778, 19_108),
        (7_726, 30_903),
        (10_048, 40_189),
    ]


async def test_nobody_is_named_and_the_same_period_gives_the_same_bytes(town: Town) -> None:
    package, people = await closed_year(town)
    async with town.database.reading() as reader:
        again = await draw_package(reader, period_id=UUID(package["period"]["id"]))
    drawn = again.decode()

    assert json.loads(drawn) == package
    accounts = await town.owner.fetch("select id, member_id from account")
    rides = await town.owner.fetch("select id from ride")
    made = await town.owner.fetch("select secret from account_secret")
    secret = {str(row[name]) for row in accounts for name in ("id", "member_id") if row[name]}
    secret |= (
        {row["secret"].hex() for row in made}
        | {str(row["id"]) for row in rides}
        | {str(person.id) for person in people.values()}
    )
    assert not [one for one in secret if one in drawn]


def _journal(package: Package, kind: str) -> tuple[list[Any], dict[str, Any]]:
    """A block, and a journal of a kind in it."""
    return next(
        (block, one) for block in package["blocks"] for one in block if one["shown"]["kind"] == kind
    )


def changed_amount(package: Package) -> None:
    _journal(package, "ride_fare")[1]["shown"]["lines"][0][2] += 1


def dropped_journal(package: Package) -> None:
    block, journal = _journal(package, "ride_fare")
    block.remove(journal)


def swapped_seal(package: Package) -> None:
    seals = package["seals"]
    seals[1], seals[2] = seals[2], seals[1]


def forged_signature(package: Package) -> None:
    package["seals"][1]["signature"] = package["seals"][2]["signature"]


def own_key(package: Package) -> None:
    """A thief signs a block anew with another key."""
    seal, thief = package["seals"][-1], Ed25519PrivateKey.generate()
    seal["key"] = thief.public_key().public_bytes_raw().hex()
    digest = verify._seal_hash(seal)
    seal |= {"hash": digest.hex(), "signature": thief.sign(b"meent-seal:1" + digest).hex()}


def changed_refund(package: Package) -> None:
    package["members"][0]["cash_minor"] += 1


def wrong_pot(package: Package) -> None:
    package["announced"]["pot_solidarity"] += 1


def another_vote(package: Package) -> None:
    shares = package["rules"]["vote"]["shares"]
    shares[0], shares[2] = shares[2], shares[0]


def hours_of_nobody(package: Package) -> None:
    package["members"][0]["engaged_s"] *= 3


def more_commission(package: Package) -> None:
    package["members"][0]["commission_minor"] += 100


def guest_as_member(package: Package) -> None:
    guest = package["guests"].pop()
    package["members"].append({**guest, "engaged_s": 0, "cash_minor": 0, "capital_minor": 0})


def guest_left_out(package: Package) -> None:
    package["guests"] = []


def refund_shifted(package: Package) -> None:
    """The sum stays as it is."""
    package["members"][0]["cash_minor"] += 1
    package["members"][1]["cash_minor"] -= 1


def first_block_left_out(package: Package) -> None:
    del package["blocks"][0], package["seals"][0]


def last_block_left_out(package: Package) -> None:
    del package["blocks"][-1], package["seals"][-1]


def journal_twice(package: Package) -> None:
    block, journal = _journal(package, "ride_fare")
    block.append(copy.deepcopy(journal))


def wrong_opening(package: Package) -> None:
    package["openings"]["statutory_reserve"] = 5


def shorter_period(package: Package) -> None:
    package["period"]["through_journal"] = 0


CHEATS: dict[Callable[[Package], None], FaultKind] = {
    changed_amount: FaultKind.CHANGED_BLOCK,
    dropped_journal: FaultKind.CHANGED_BLOCK,
    journal_twice: FaultKind.CHANGED_BLOCK,
    swapped_seal: FaultKind.BROKEN_CHAIN,
    forged_signature: FaultKind.FORGED_SEAL,
    own_key: FaultKind.FORGED_SEAL,
    changed_refund: FaultKind.FALSE_REFUND,
    wrong_pot: FaultKind.FALSE_CLOSE,
    another_vote: FaultKind.FALSE_CLOSE,
    hours_of_nobody: FaultKind.FALSE_REFUND,
    more_commission: FaultKind.FALSE_PATRONAGE,
    guest_as_member: FaultKind.FALSE_CLOSE,
    guest_left_out: FaultKind.FALSE_PATRONAGE,
    refund_shifted: FaultKind.FALSE_REFUND,
    first_block_left_out: FaultKind.MISSING_BLOCKS,
    last_block_left_out: FaultKind.MISSING_BLOCKS,
    wrong_opening: FaultKind.FALSE_OPENING,
    shorter_period: FaultKind.BOOKED_LATE,
}


async def test_every_cheat_is_named(town: Town) -> None:
    package, _ = await closed_year(town)
    assert recount_period(package).faults == []

    for cheat, kind in CHEATS.items():
        forged = copy.deepcopy(package)
        cheat(forged)
        assert kind in kinds(forged), cheat.__name__


async def test_money_booked_to_another_pot_is_named_though_all_seals_hold(town: Town) -> None:
    await small_year(town)
    period = await town.close()
    await town.owner.execute("set session_replication_role = replica")
    moved = await town.owner.execute(
        "update transfer set credit_id = (select id from account where kind = 'investment_pot')"
        " where credit_id = (select id from account where kind = 'solidarity_fund')"
    )
    await town.owner.execute("set session_replication_role = origin")
    await seal_all(town)

    package = await package_of(town, period["id"])

    assert moved == "UPDATE 1"
    assert kinds(package) == {FaultKind.FALSE_BOOKING}


async def test_a_broken_package_is_a_fault_and_never_an_exception(town: Town) -> None:
    package, _ = await closed_year(town)
    for name in package:
        for wrong in (None, 7, "text", [None], {"a": 1}):
            if name not in ("cooperative", "format"):
                assert kinds({**package, name: wrong}), (name, wrong)


async def test_a_later_period_begins_with_what_earlier_ones_left(town: Town) -> None:
    earlier, people = await closed_year(town)
    begins = UNTIL + timedelta(days=2)
    driver = await town.driver("late")
    await town.drive(driver, [9_000] * 2, engaged=timedelta(hours=3), first_at=begins)
    await town.drive(people["ada"], [9_000], engaged=timedelta(hours=2), first_at=begins)
    await town.wait(days=30)
    await town.pay(9_000, day="2026-05-24")
    await seal_all(town, most=3)
    await town.close(since=UNTIL, until=begins)
    third = await town.close(since=begins, until=begins + timedelta(days=7))
    await seal_all(town, most=3)

    later = await package_of(town, third["id"])

    assert recount_period(later).faults == []
    assert later["seals"][0]["height"] > 1
    assert later["openings"]["statutory_reserve"] > 0
    assert later["announced"]["carried_forward"] > 0
    own = recount_period(later, secrets=await secrets_of(town, people["ada"]))
    assert own.faults == []
    assert not [line for line in own.balances if line.startswith("driver: 0 + ")]
    drivers_hold = await town.owner.fetchval(
        "select b.posted_minor from account a join balance b on b.account_id = a.id"
        " where a.member_id = $1 and a.kind = 'driver'",
        people["ada"].id,
    )
    assert [line for line in own.balances if line.endswith(f" = {drivers_hold}")]
    rows = [row["code"] for package in (earlier, later) for row in package["members"]]
    assert len({*rows}) == len(rows)
    openings = {name.partition(":")[2] for name in later["openings"] if ":" in name}
    assert openings
    assert not openings & {*codes_in(earlier)}


async def test_what_waits_for_its_seal_or_cannot_be_checked_has_no_package(town: Town) -> None:
    await small_year(town)
    period = await town.close(since=SINCE, until=UNTIL - timedelta(minutes=1))

    with pytest.raises(NotFound):
        await package_of(town, str(town.first.id))
    with pytest.raises(PeriodCutsAnHour):
        await package_of(town, period["id"])
    rest = await town.close(since=UNTIL - timedelta(minutes=1), until=UNTIL)
    await seal_all(town)
    assert rest["state"] == "closed"


async def test_an_unsealed_period_has_no_package_yet(town: Town) -> None:
    await small_year(town)
    await seal_all(town)
    period = await town.close()

    with pytest.raises(PeriodNotSealed):
        await package_of(town, period["id"])


async def test_only_a_few_are_drawn_at_once(town: Town) -> None:
    await small_year(town)
    period = await town.close()
    await seal_all(town)
    path = f"/v1/surplus/periods/{period['id']}/package"

    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(town.client.get(path)) for _ in range(6)]
    statuses = {one.result().status_code for one in asked}

    assert statuses == {200, 429}
    assert (await town.client.get(path)).status_code == 200


async def test_the_file_alone_recounts_a_period(town: Town, tmp_path: Path) -> None:
    package, people = await closed_year(town)
    alone = shutil.copy(verify.__file__, tmp_path / "recount.py")
    forged = copy.deepcopy(package)
    wrong_pot(forged)
    mine = await town.own(people["ada"], "book-secrets")
    (tmp_path / "mine.json").write_text(json.dumps(mine))
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "kept.json").write_text(json.dumps(package["seals"][0]))
    (tmp_path / "honest.json").write_text(json.dumps(package))
    (tmp_path / "forged.json").write_text(json.dumps(forged))

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-I", alone, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout

    status, said = run("honest.json", "--member", "mine.json", "--root", "kept.json")
    assert status == 0, said
    assert "driver: 0 + " in said
    assert "refund: " in said
    [driver] = [one["secret"] for one in mine["items"] if one["account"] == "driver"][:1]
    assert "driver: 0 + " in run("honest.json", "--member", driver)[1]
    assert run("honest.json", "--member", "empty.json")[0] == 2
    status, said = run("forged.json")
    assert status == 1
    assert "pot_solidarity: announced" in said


async def test_anybody_fetches_the_package_and_members_check_their_own_in_it(town: Town) -> None:
    people = await small_year(town)
    period = await town.close()
    await seal_all(town, most=5)
    path = f"/v1/surplus/periods/{period['id']}/package"

    fetched = await town.client.get(path)
    secrets = await secrets_of(town, people["bo"])
    heads = (await town.client.get("/v1/ledger/seals?limit=2")).json()
    older = await town.client.get("/v1/ledger/seals", params={"cursor": heads["next_cursor"]})
    kept = [*heads["items"], *older.json()["items"]]

    assert fetched.status_code == 200
    assert recount_period(fetched.json(), heads=kept).faults == []
    assert (await town.client.get("/v1/me/book-secrets")).status_code == 401
    assert not {*secrets} & {*await secrets_of(town, people["ada"])}
    found = recount_period(fetched.json(), heads=kept, secrets=secrets)
    assert found.faults == []
    assert [head["height"] for head in kept] == list(range(kept[0]["height"], 0, -1))
    assert any("refund: " in line for line in found.balances)
    journals = await town.owner.fetch(
        "select distinct t.journal_id as id, a.member_id from transfer t join account a"
        " on a.id = t.credit_id where a.kind = 'driver' order by 1"
    )
    own = [row["id"] for row in journals if row["member_id"] == people["bo"].id]
    others = [row["id"] for row in journals if row["member_id"] == people["ada"].id]
    for number in own:
        proof = await town.own(people["bo"], f"journals/{number}/proof")
        assert verify.check_proof(proof, heads=kept).faults == []
        for part, wrong in (("salt", "00" * 16), ("position", 99), ("hidden", "00" * 32)):
            forged = {**proof, part: wrong}
            assert verify.check_proof(forged).faults, part
        proof["shown"]["lines"][0][2] += 1
        assert verify.check_proof(proof).faults
    refused = await town.client.get(
        f"/v1/me/journals/{others[0]}/proof", headers=people["bo"].headers
    )
    assert refused.status_code == 404


async def test_the_command_draws_the_package_that_the_verifier_takes(
    town: Town, dsn: str, tmp_path: Path
) -> None:
    package, _ = await closed_year(town)
    drawn = tmp_path / "year.json"

    code, _, err = await meent(dsn, tmp_path, "package", package["period"]["id"], "-o", str(drawn))

    assert code == 0, err
    assert json.loads(drawn.read_bytes()) == package
    assert verify.main([str(drawn)]) == 0
