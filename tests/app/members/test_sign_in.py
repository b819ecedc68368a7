"""Signing in lets in whoever holds the phone, and nobody else."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import asyncpg
import httpx
import pytest
import structlog

from app.foundation.database import Database
from app.ledger.accounts import AccountKind
from app.members import service
from app.members.errors import PhoneNumberInvalid
from app.members.keys import KEY_FILE, load_keys
from app.members.phones import normalise_phone
from app.members.roles import Role
from app.settings import Settings
from tests.app.members.phone import PHONE, Phone, bearer, wrong
from tests.conftest import StandingClock


async def test_the_first_sign_in_makes_a_rider_with_an_account(
    phone: Phone, client: httpx.AsyncClient, owner: asyncpg.Connection, settings: Settings
) -> None:
    tokens = await phone.sign_in()

    assert tokens["new_member"] is True
    assert tokens["roles"] == ["rider"]
    me = await client.get("/v1/me", headers=bearer(tokens["access_token"]))
    assert me.json()["phone"] == "+4232345678"
    account = await owner.fetchrow(
        "select a.kind, b.lowest_minor from account a join balance b on b.account_id = a.id"
        " where a.member_id = $1",
        tokens["member_id"],
    )
    assert tuple(account) == (AccountKind.RIDER, -settings.rider_credit_minor)


async def test_the_second_sign_in_finds_the_same_member(
    phone: Phone, phone_with: Callable[[str], Phone]
) -> None:
    first = await phone.sign_in()
    again = await phone_with("+4232345678").sign_in()

    assert again["new_member"] is False
    assert again["member_id"] == first["member_id"]


async def test_members_and_strangers_get_one_answer(
    phone: Phone, phone_with: Callable[[str], Phone]
) -> None:
    await phone.sign_in()
    known = await phone.ask()
    unknown = await phone_with("+423 234 99 99").ask()

    assert known.status_code == unknown.status_code == 202
    assert known.json().keys() == unknown.json().keys() == {"challenge_id", "expires_at"}
    assert len(known.json()["challenge_id"]) == len(unknown.json()["challenge_id"])
    assert known.json()["expires_at"] == unknown.json()["expires_at"]


async def test_a_wrong_used_old_or_unknown_code_gets_one_answer(
    phone: Phone, clock: StandingClock
) -> None:
    challenge_id = await phone.challenge()
    code = phone.code()
    refusals = [
        await phone.send(challenge_id, wrong(code)),
        await phone.send(challenge_id[:-1] + "0", code),
        await phone.send("0190a1c2-7d3e-7c41-9a5b-0b6f6f1f2a3b.5678", code),
        await phone.send("no challenge at all", code),
    ]
    assert (await phone.send(challenge_id, code)).status_code == 200
    refusals.append(await phone.send(challenge_id, code))
    old = await phone.challenge()
    clock.pass_time(5 * 60)
    refusals.append(await phone.send(old, phone.code()))

    assert {answer.status_code for answer in refusals} == {401}
    bodies = [answer.json() | {"trace_id": None} for answer in refusals]
    assert all(body == bodies[0] for body in bodies)
    assert bodies[0]["type"] == "/problems/code-refused"


async def test_a_code_works_until_its_last_second(phone: Phone, clock: StandingClock) -> None:
    challenge_id = await phone.challenge()
    clock.pass_time(5 * 60 - 1)

    assert (await phone.send(challenge_id, phone.code())).status_code == 200


async def test_four_wrong_tries_leave_the_fifth(phone: Phone) -> None:
    challenge_id = await phone.challenge()
    for _ in range(4):
        assert (await phone.send(challenge_id, wrong(phone.code()))).status_code == 401

    assert (await phone.send(challenge_id, phone.code())).status_code == 200


async def test_the_fifth_wrong_try_ends_the_challenge_also_when_twenty_come_at_once(
    phone: Phone, owner: asyncpg.Connection
) -> None:
    challenge_id = await phone.challenge()
    code = phone.code()
    tries = await asyncio.gather(*(phone.send(challenge_id, wrong(code)) for _ in range(20)))

    assert {answer.status_code for answer in tries} == {401}
    assert await owner.fetchval("select tries from sign_in_code") == 5
    assert (await phone.send(challenge_id, code)).status_code == 401


async def test_one_code_makes_one_session_also_when_ten_tries_come_at_once(
    phone: Phone, owner: asyncpg.Connection
) -> None:
    challenge_id = await phone.challenge()
    code = phone.code()
    tries = await asyncio.gather(*(phone.send(challenge_id, code) for _ in range(10)))

    assert Counter(answer.status_code for answer in tries) == {200: 1, 401: 9}
    assert await owner.fetchval("select count(*) from session") == 1


async def test_two_first_sign_ins_at_once_make_one_member(
    phone: Phone, owner: asyncpg.Connection
) -> None:
    held = []
    for _ in range(3):
        challenge_id = await phone.challenge()
        held.append((challenge_id, phone.code()))
    answers = await asyncio.gather(*(phone.send(*challenge) for challenge in held))

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert Counter(answer.json()["new_member"] for answer in answers) == {True: 1, False: 2}
    assert await owner.fetchval("select count(*) from member") == 1
    assert await owner.fetchval("select count(*) from account where member_id is not null") == 1


async def test_codes_tokens_and_unknown_numbers_are_not_in_the_database(
    phone: Phone, phone_with: Callable[[str], Phone], owner: asyncpg.Connection
) -> None:
    tokens = await phone.sign_in()
    stranger = phone_with("+423 236 11 22")
    await stranger.challenge()

    tables = await owner.fetch("select tablename from pg_tables where schemaname = 'public'")
    rows = [
        str(tuple(row.values()))
        for table in tables
        for row in await owner.fetch(f"select * from {table['tablename']}")
    ]
    everything = "\n".join(rows)
    assert "+4232345678" in everything, "the search would find what is there"
    code_rows = str(await owner.fetch("select * from sign_in_code"))
    for secret in (tokens["access_token"], tokens["refresh_token"], "+4232361122"):
        assert secret not in everything
    for code in (phone.code(), stranger.code()):
        assert code not in code_rows


async def test_no_number_stands_in_the_log(phone: Phone) -> None:
    with structlog.testing.capture_logs() as events:
        await phone.sign_in()
        await phone.send(await phone.challenge(), "000000")

    logged = str(events)
    assert "http.request" in logged
    assert "2345678" not in logged
    assert phone.code() not in logged


@pytest.mark.parametrize(
    "written", ["", "7", "2345678", "+423", "+999 1234567", "hello", "+4" * 20]
)
async def test_what_is_no_telephone_number_is_refused(
    client: httpx.AsyncClient, written: str
) -> None:
    answer = await client.post("/v1/sign-in/codes", json={"phone": written})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        (PHONE, "+4232345678"),
        ("+423-234-5678", "+4232345678"),
        ("+41 (0)44 668 18 00", "+41446681800"),
    ],
)
def test_one_number_has_one_form(written: str, phone: str) -> None:
    assert normalise_phone(written) == phone


def test_a_number_longer_than_e164_allows_is_refused() -> None:
    with pytest.raises(PhoneNumberInvalid):
        normalise_phone("+49 123456789012345")


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b"{", 400, "malformed-body"),
        (b"\xff", 400, "malformed-body"),
        (b'{"phone": "+4232345678", "admin": true}', 422, "invalid-request"),
        (b'{"phone": 7}', 422, "invalid-request"),
        (b"[]", 422, "invalid-request"),
    ],
)
async def test_a_body_of_another_form_is_refused(
    client: httpx.AsyncClient, body: bytes, status: int, slug: str
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/v1/sign-in/codes", content=body, headers=headers)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"/problems/{slug}"


@pytest.mark.parametrize("role", [Role.STAFF, Role.AUDITOR])
async def test_an_appointed_colleague_has_the_role_at_the_first_sign_in(
    phone: Phone, database: Database, clock: StandingClock, owner: asyncpg.Connection, role: Role
) -> None:
    for _ in range(2):
        async with database.transaction() as tx:
            await service.appoint(tx, phone=PHONE, role=role, now=clock.now())
    tokens = await phone.sign_in()

    assert set(tokens["roles"]) == {"rider", role}
    assert tokens["new_member"] is False
    assert await owner.fetchval("select count(*) from account where kind = 'rider'") == 1


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = load_keys(Settings(home=home))
    again = load_keys(Settings(home=home))

    assert first.mac("code", "1") == again.mac("code", "1")
    assert first.mac("code", "1") != first.mac("phone", "1")
    assert (home / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [file.name for file in home.iterdir()] == [KEY_FILE]
