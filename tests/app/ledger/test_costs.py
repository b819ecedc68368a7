"""Promises about what the platform costs: seen by all, edited by nobody, taken back once."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from app.assembly.stream import ASSEMBLY_STREAM
from app.audit.report import audit
from app.foundation.database import Database
from app.foundation.ids import new_id
from app.ledger.accounts import HOUSE_KINDS
from app.members.roles import Role
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_member
from tests.steps import slug

SERVERS = {
    "purpose": "servers",
    "amount_minor": 42_000,
    "day": "2026-05-01",
    "document": "Invoice 2026-118 of the data centre",
    "document_sha256": "ab" * 32,
}
GRANT = SERVERS | {"kind": "other_income", "purpose": "grants", "amount_minor": 60_000}


@pytest.fixture
async def staff(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, Role.STAFF, now=FRIDAY_EVENING)


@pytest.fixture
async def rider(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, now=FRIDAY_EVENING)


async def book(client: httpx.AsyncClient, staff: Person, **cost: Any) -> dict[str, Any]:
    answer = await client.post("/v1/costs", json=SERVERS | cost, headers=staff.act)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def reverse(client: httpx.AsyncClient, staff: Person, cost_id: str) -> httpx.Response:
    return await client.post(
        f"/v1/costs/{cost_id}/reverse", json={"reason": "booked twice"}, headers=staff.act
    )


async def summary(client: httpx.AsyncClient, person: Person, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/costs/summary", params=asked, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def balance(owner: asyncpg.Connection, kind: str) -> int:
    return int(
        await owner.fetchval(
            "select coalesce(sum(case when credit_id = a.id then amount_minor"
            " else -amount_minor end), 0) from account a"
            " left join transfer on a.id in (credit_id, debit_id)"
            " where a.kind = $1 and a.member_id is null",
            kind,
        )
    )


async def test_every_member_sees_a_cost_and_nobody_who_booked_it(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: Person, rider: Person
) -> None:
    booked = await book(client, staff)

    page = (await client.get("/v1/costs", headers=rider.headers)).json()

    assert page == {"items": [booked], "next_cursor": None}
    assert booked.items() >= SERVERS.items()
    assert (booked["kind"], booked["currency"]) == ("platform_cost", "CHF")
    assert str(staff.id) not in str(page)
    assert await owner.fetchval("select booked_by from cost_entry") == staff.id
    # Ten in the evening UTC is midnight there: the day begins by the city's own time.
    effective_at = await owner.fetchval("select effective_at from journal")
    assert effective_at == datetime(2026, 4, 30, 22, tzinfo=UTC)


async def test_money_leaves_the_bank_for_a_cost_and_reaches_it_with_an_income(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: Person
) -> None:
    await book(client, staff)
    await book(client, staff, **GRANT)

    assert await balance(owner, "platform_costs") == -42_000
    assert await balance(owner, "other_income") == 60_000
    assert await balance(owner, "bank") == 42_000 - 60_000


async def test_the_assembly_hears_of_a_cost(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: Person
) -> None:
    booked = await book(client, staff)
    taken_back = (await reverse(client, staff, booked["id"])).json()

    told = await owner.fetch(
        "select type, data->>'cost_id' as id from event_log where stream_id = $1 order by seq",
        ASSEMBLY_STREAM,
    )
    assert [(row["type"], row["id"]) for row in told] == [
        ("cost.booked", booked["id"]),
        ("cost.reversed", taken_back["id"]),
    ]


@pytest.mark.parametrize(
    "fault",
    [
        {"amount_minor": 0},
        {"amount_minor": -5},
        {"amount_minor": True},
        {"amount_minor": "5"},
        {"day": "9999-12-31"},
        {"day": "0001-01-01"},
        {"purpose": "yachts"},
        {"purpose": "grants"},
        {"kind": "other_income"},
        {"document": "  "},
        {"document_sha256": "abc"},
        {"booked_by": str(new_id())},
    ],
)
async def test_a_cost_without_purpose_document_or_amount_is_refused(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: Person, fault: dict[str, Any]
) -> None:
    answer = await client.post("/v1/costs", json=SERVERS | fault, headers=staff.act)

    assert (answer.status_code, slug(answer)) == (422, "invalid-request")
    assert await owner.fetchval("select count(*) from journal") == 0


async def test_tomorrow_is_refused_and_today_is_not(
    client: httpx.AsyncClient, staff: Person, clock: StandingClock
) -> None:
    clock.moment = datetime(2026, 5, 22, 22, 30, tzinfo=UTC)  # half past midnight in the city
    today = await client.post("/v1/costs", json=SERVERS | {"day": "2026-05-23"}, headers=staff.act)
    later = await client.post("/v1/costs", json=SERVERS | {"day": "2026-05-24"}, headers=staff.act)

    assert today.status_code == 201
    assert (later.status_code, slug(later)) == (422, "day-is-in-the-future")


@pytest.mark.parametrize("role", [Role.RIDER, Role.DRIVER, Role.DISPATCHER])
async def test_only_staff_books_and_takes_back(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: Person, role: Role
) -> None:
    booked = await book(client, staff)
    person = await make_member(owner, role, now=FRIDAY_EVENING)

    tried = await client.post("/v1/costs", json=SERVERS, headers=person.act)
    taken_back = await reverse(client, person, booked["id"])

    assert [slug(tried), slug(taken_back)] == ["role-missing", "role-missing"]
    assert await owner.fetchval("select count(*) from cost_entry") == 1


async def test_costs_are_for_signed_in_members(client: httpx.AsyncClient) -> None:
    for path in ("/v1/costs", "/v1/costs/summary"):
        assert (await client.get(path)).status_code == 401


async def test_a_cost_taken_back_counts_no_more_and_both_stay_to_be_seen(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: Person
) -> None:
    wrong, right = await book(client, staff), await book(client, staff, amount_minor=4_200)

    answer = await reverse(client, staff, wrong["id"])

    assert answer.status_code == 201
    back = answer.json()
    assert (back["amount_minor"], back["reverses"]) == (-42_000, wrong["id"])
    assert (back["reason"], back["day"]) == ("booked twice", wrong["day"])
    items = (await client.get("/v1/costs", headers=staff.headers)).json()["items"]
    wrong["reversed_by"] = back["id"]
    assert items == [back, right, wrong]
    assert await balance(owner, "platform_costs") == -4_200
    assert await balance(owner, "bank") == 4_200
    [line] = await summary(client, staff)
    assert (line["amount_minor"], line["entries"]) == (4_200, 3)


async def test_of_two_who_take_back_at_once_one_is_refused(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: Person
) -> None:
    booked = await book(client, staff)
    other = await make_member(owner, Role.STAFF, now=FRIDAY_EVENING)

    answers = await asyncio.gather(
        *(reverse(client, person, booked["id"]) for person in (staff, other))
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    [refused] = [answer for answer in answers if answer.status_code == 409]
    assert slug(refused) == "cost-reversed-before"
    assert await balance(owner, "platform_costs") == 0


async def test_a_reversal_is_not_reversed_and_what_is_not_there_neither(
    client: httpx.AsyncClient, staff: Person
) -> None:
    booked = await book(client, staff)
    back = (await reverse(client, staff, booked["id"])).json()

    assert slug(await reverse(client, staff, back["id"])) == "reversal-is-final"
    assert slug(await reverse(client, staff, str(new_id()))) == "not-found"


async def test_the_same_command_twice_books_once(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: Person
) -> None:
    act = staff.act
    first = await client.post("/v1/costs", json=SERVERS, headers=act)
    again = await client.post("/v1/costs", json=SERVERS, headers=act)

    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await owner.fetchval("select count(*) from journal") == 1


async def test_pages_show_each_cost_once_the_newest_first(
    client: httpx.AsyncClient, staff: Person
) -> None:
    booked = [(await book(client, staff, amount_minor=1 + at))["id"] for at in range(5)]

    seen, cursor = [], None
    for _ in range(3):
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/costs", params=params, headers=staff.headers)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert seen == booked[::-1]
    assert cursor is None


async def test_the_summary_adds_up_each_purpose_in_each_month_of_the_city(
    client: httpx.AsyncClient, staff: Person, rider: Person
) -> None:
    for day, amount in (("2026-05-01", 100), ("2026-05-22", 20), ("2026-04-30", 3)):
        await book(client, staff, day=day, amount_minor=amount)
    await book(client, staff, purpose="rent", amount_minor=7)
    await book(client, staff, **GRANT)
    await book(client, staff, day="2025-05-31", amount_minor=1_000)

    items = await summary(client, rider)

    assert [tuple(item.values()) for item in items] == [
        ("2026-05", "other_income", "grants", 1, 60_000),
        ("2026-05", "platform_cost", "rent", 1, 7),
        ("2026-05", "platform_cost", "servers", 2, 120),
        ("2026-04", "platform_cost", "servers", 1, 3),
    ]
    assert len(await summary(client, rider, months=1)) == 3
    assert len(await summary(client, rider, months=13)) == 5


@pytest.mark.parametrize(
    "statement",
    [
        "update cost_entry set purpose = 'rent'",
        "delete from cost_entry",
        "truncate cost_entry",
    ],
)
async def test_entries_are_never_edited_not_even_by_their_owner(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: Person, statement: str
) -> None:
    await book(client, staff)

    with pytest.raises(asyncpg.PostgresError, match="append-only"):
        await owner.execute(statement)

    assert await owner.fetchval("select purpose from cost_entry") == "servers"


@pytest.mark.parametrize("kind", ["platform_cost", "other_income", "reversal"])
async def test_the_program_cannot_book_a_cost_without_its_entry(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    staff: Person,
    kind: str,
) -> None:
    await book(client, staff)
    before = await owner.fetchrow("select max(id) as id, count(*) as many from journal")

    with pytest.raises(asyncpg.PostgresError, match=r"without (purpose and document|a reason)"):
        async with database.transaction() as tx:
            await tx.execute(
                "select post_journal('x', 'x', '', $1, uuidv7(), null, now(), array[a.id],"
                " array[b.id], array[5::bigint], null, $2) from account a, account b"
                " where a.kind = 'platform_costs' and b.kind = 'bank'",
                kind,
                before["id"] if kind == "reversal" else None,
            )

    assert await owner.fetchval("select count(*) from journal") == before["many"]


async def test_the_program_cannot_write_an_entry_without_its_journal(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database, staff: Person
) -> None:
    await book(client, staff)

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction() as tx:
            await tx.execute(
                "insert into cost_entry select uuidv7(), journal_id + 1, purpose, document, null,"
                " booked_by, null from cost_entry"
            )


async def test_a_founded_cooperative_has_its_house_accounts_once(
    owner: asyncpg.Connection,
) -> None:
    kinds = await owner.fetch("select kind from account where member_id is null order by kind")

    assert [row["kind"] for row in kinds] == sorted(HOUSE_KINDS)


async def test_the_audit_finds_costs_clean_and_names_what_is_not(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: Person
) -> None:
    booked = await book(client, staff)
    await book(client, staff, **GRANT)
    await reverse(client, staff, booked["id"])

    report = await audit(owner)
    assert report.first_violation is None
    counted = {check.name: check.counted for check in report.checks}
    assert counted["costs have a purpose and a document"] == 3
    assert counted["reversals mirror what they reverse"] == 1

    await owner.execute(
        "set session_replication_role = replica;"
        "delete from cost_entry where purpose = 'grants';"
        "update transfer set amount_minor = 41999 where journal_id ="
        " (select id from journal where reverses is not null);"
        "set session_replication_role = origin"
    )
    faults = {check.name: check.first for check in (await audit(owner)).checks if check.violations}
    assert set(faults) == {
        "costs have a purpose and a document",
        "reversals mirror what they reverse",
    }
    assert "has no purpose and no document" in str(faults["costs have a purpose and a document"])
