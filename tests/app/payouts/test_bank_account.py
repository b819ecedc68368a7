"""Promises about the account a driver is paid to."""

from datetime import timedelta

import asyncpg
import httpx
import pytest

from app.members.roles import Role
from tests.app.payouts.till import (
    BATCHES,
    IBAN_OF_ADA,
    earn,
    events,
    in_euros,
    make_drivers,
    post,
    prepare,
    register,
    some_iban,
)
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_member
from tests.steps import slug

COMPACT = IBAN_OF_ADA.replace(" ", "")


@pytest.fixture
async def ada(owner: asyncpg.Connection) -> Person:
    [ada] = await make_drivers(owner, 1)
    return ada


async def test_an_account_is_shown_masked_and_stored_whole(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person
) -> None:
    answer = await register(client, ada, IBAN_OF_ADA)
    shown = await client.get("/v1/me/bank-account", headers=ada.headers)

    assert answer.status_code == 200
    assert answer.json()["iban"] == "LI** **** 13AA"
    assert shown.json() == {"current": answer.json(), "earlier": []}
    assert await owner.fetchval("select iban from bank_account") == COMPACT


async def test_nobody_has_an_account_before_it_is_registered(
    client: httpx.AsyncClient, ada: Person
) -> None:
    shown = await client.get("/v1/me/bank-account", headers=ada.headers)

    assert shown.json() == {"current": None, "earlier": []}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"iban": COMPACT[:-1] + "B"}, "iban-invalid"),
        ({"iban": COMPACT[:-1]}, "iban-invalid"),
        ({"iban": "7"}, "invalid-request"),
        ({"holder_name": "💶💶"}, "holder-name-invalid"),
        ({"holder_name": "  "}, "invalid-request"),
        ({"bic": "BLFLLI2XXXX"}, "invalid-request"),
    ],
)
async def test_a_wrong_account_is_refused_and_its_number_is_not_repeated(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    ada: Person,
    body: dict[str, str],
    problem: str,
) -> None:
    answer = await client.put(
        "/v1/me/bank-account",
        json={"holder_name": "Ada Frick", "iban": IBAN_OF_ADA} | body,
        headers=ada.act,
    )

    assert (answer.status_code, slug(answer)) == (422, problem)
    assert COMPACT[4:18] not in answer.text
    assert await owner.fetchval("select count(*) from bank_account") == 0


async def test_where_euros_are_paid_the_account_is_in_the_sepa_area(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person
) -> None:
    turkish = "TR330006100519786457841326"
    in_francs = await register(client, ada, turkish)
    await in_euros(owner)
    in_euro = await register(client, ada, turkish, name="Ada F")

    assert in_francs.status_code == 200
    assert slug(in_euro) == "account-outside-sepa"


async def test_a_change_is_told_to_the_member_and_never_with_the_number(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person, clock: StandingClock
) -> None:
    await register(client, ada, IBAN_OF_ADA)

    [(type_, data)] = await events(owner, ada)

    assert type_ == "bank_account.registered"
    assert data["payable_from"] == (clock.now() + timedelta(days=3)).isoformat()
    for table in ("event_log", "idempotency_key"):
        rows = await owner.fetch(f"select t::text from {table} t")
        assert rows
        assert all(COMPACT[4:] not in row["t"] for row in rows)


async def test_the_same_account_again_changes_nothing_and_another_one_keeps_the_history(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person, clock: StandingClock
) -> None:
    first = (await register(client, ada, IBAN_OF_ADA)).json()
    clock.pass_time(3600)
    assert (await register(client, ada, COMPACT.lower())).json() == first
    second = (await register(client, ada, some_iban(1))).json()

    shown = (await client.get("/v1/me/bank-account", headers=ada.headers)).json()

    assert shown["current"] == second
    [earlier] = shown["earlier"]
    assert earlier["id"] == first["id"]
    assert earlier["replaced_at"] is not None
    assert len(await events(owner, ada)) == 2


async def test_nothing_is_paid_to_a_new_account_before_its_holding_period_ends(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    ada: Person,
    staff: list[Person],
    clock: StandingClock,
) -> None:
    await register(client, ada, IBAN_OF_ADA)
    await earn(owner, ada, 5000, clock)
    await owner.execute("update session set access_expires_at = access_expires_at + interval '9 d'")
    clock.pass_time(3 * 24 * 3600 - 1)
    early = await post(client, staff[0], BATCHES)
    clock.pass_time(1)
    batch = await prepare(client, staff[0])

    assert slug(early) == "nothing-to-pay"
    assert early.json()["passed_over"] == {"account_too_new": 1}
    assert batch["by_state"] == [{"state": "prepared", "payouts": 1, "amount_minor": 5000}]


async def test_the_database_lets_nobody_rewrite_or_double_an_account(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person
) -> None:
    await register(client, ada, IBAN_OF_ADA)

    for statement in (
        f"update bank_account set iban = '{some_iban(1)}'",
        "update bank_account set payable_from = registered_at",
        "delete from bank_account",
        "truncate bank_account cascade",
        (
            "insert into bank_account select gen_random_uuid(), member_id, holder_name, iban,"
            " registered_at, payable_from, null from bank_account"
        ),
    ):
        with pytest.raises(asyncpg.PostgresError):
            await owner.execute(statement)


async def test_a_suspended_member_looks_but_does_not_change(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person, staff: list[Person]
) -> None:
    await register(client, ada, IBAN_OF_ADA)
    path = f"/v1/members/{ada.id}/suspend"
    assert (await post(client, staff[0], path, reason="a complaint")).status_code == 200

    assert slug(await register(client, ada, some_iban(1))) == "member-suspended"
    for path in ("/v1/me/bank-account", "/v1/me/payouts"):
        assert (await client.get(path, headers=ada.headers)).status_code == 200


@pytest.mark.parametrize("role", [Role.RIDER, Role.DRIVER, Role.DISPATCHER])
async def test_only_staff_deals_with_batches(
    client: httpx.AsyncClient, owner: asyncpg.Connection, role: Role
) -> None:
    person = await make_member(owner, role, now=FRIDAY_EVENING)
    some = f"{BATCHES}/{person.id}"

    answers = [
        await post(client, person, BATCHES),
        await post(client, person, f"{some}/release"),
        await post(client, person, f"{some}/cancel", reason="so"),
        await post(client, person, f"{some}/file"),
        await post(client, person, f"{some}/statuses", everyone_else="settled"),
        *[
            await client.get(path, headers=person.headers)
            for path in (BATCHES, some, f"{some}/payouts", f"{some}/file", f"{some}/list")
        ],
    ]

    assert [answer.status_code for answer in answers] == [403] * len(answers)
