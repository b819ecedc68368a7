"""Who votes is on the register: paid a share, was admitted by a person, and has not left."""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from app.foundation.database import Database
from app.members.roles import Role
from app.members.service.register import count_active, freeze_roll, house_of, list_register
from governance.electorate import House, RollRules
from tests.app.members.phone import Phone
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member, make_voter

ADDRESS = "/v1/memberships"
REASON = "You are a member of our sister cooperative already."


@pytest.fixture
async def staff(owner: asyncpg.Connection, clock: StandingClock) -> Person:
    return await make_member(owner, Role.STAFF, Role.RIDER, now=clock.now(), name="Staff")


@pytest.fixture
async def ada(owner: asyncpg.Connection, clock: StandingClock) -> Person:
    return await make_member(owner, now=clock.now())


async def apply(
    client: httpx.AsyncClient, person: Person, house: House = House.RIDERS
) -> dict[str, Any]:
    answer = await client.post(ADDRESS, json={"house": house}, headers=person.act)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def do(
    client: httpx.AsyncClient, by: Person, membership_id: str, what: str, **body: str
) -> httpx.Response:
    address = f"{ADDRESS}/{membership_id}/{what}"
    return await client.post(address, json=body or None, headers=by.act)


async def join(client: httpx.AsyncClient, person: Person, *, staff: Person) -> str:
    membership_id = str((await apply(client, person))["id"])
    for what in ("shares", "admit"):
        done = await do(client, staff, membership_id, what)
        assert done.status_code == 200, done.text
    return membership_id


async def am_i_on_it(client: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    answer = await client.get("/v1/me/membership", headers=person.headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def leave(client: httpx.AsyncClient, person: Person) -> httpx.Response:
    return await client.post("/v1/me/membership/leave", headers=person.act)


async def set_key(client: httpx.AsyncClient, person: Person, key: str) -> httpx.Response:
    return await client.put("/v1/me/member-key", json={"public_key": key}, headers=person.act)


def refused(answer: httpx.Response, status: int, slug: str) -> bool:
    return (answer.status_code, answer.json()["type"]) == (status, f"/problems/{slug}")


async def test_an_applicant_becomes_a_member_by_paying_and_being_admitted(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    database: Database,
    clock: StandingClock,
    staff: Person,
    ada: Person,
) -> None:
    sent = await apply(client, ada)
    assert (sent["state"], sent["house"], sent["shares_minor"]) == ("applied", "riders", 2_000)
    async with database.reading() as reader:
        assert await house_of(reader, member_id=ada.id, at=clock.now()) is None

    paid = await do(client, staff, sent["id"], "shares")
    assert (paid.status_code, paid.json()["state"]) == (200, "applied")
    admitted = await do(client, staff, sent["id"], "admit")
    assert (admitted.status_code, admitted.json()["state"]) == (200, "admitted")

    async with database.reading() as reader:
        assert await house_of(reader, member_id=ada.id, at=clock.now()) is House.RIDERS
        [line] = await list_register(reader, at=clock.now())
    assert (line.member_id, line.member.id, line.key) == (ada.id, str(ada.id), None)
    share = await owner.fetchval(
        "select b.posted_minor from balance b join account a on a.id = b.account_id"
        " where a.member_id = $1 and a.kind = 'member_share'",
        ada.id,
    )
    assert share == 2_000
    events = await database.events_after([(ada.id, 0)])
    assert [event.type for event in events] == [
        "membership.applied",
        "membership.share_paid",
        "membership.admitted",
    ]


async def test_who_drives_may_join_the_drivers_and_nobody_else(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, ada: Person
) -> None:
    driver = await make_driver(owner, now=clock.now())
    assert (await apply(client, driver, House.DRIVERS))["shares_minor"] == 10_000

    answer = await client.post(ADDRESS, json={"house": "drivers"}, headers=ada.act)
    assert refused(answer, 403, "role-missing")


async def test_a_house_that_the_statutes_do_not_have_is_refused(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, ada: Person
) -> None:
    await owner.execute(
        "insert into policy_version (id, key, value, effective_from, source, tally_id) values"
        """ (uuidv7(), 'houses', '["drivers"]', $1, 'tally', uuidv7())""",
        clock.now() + timedelta(microseconds=1),
    )
    clock.pass_time(1)
    answer = await client.post(ADDRESS, json={"house": "riders"}, headers=ada.act)
    assert refused(answer, 422, "house-not-in-statutes")


async def test_nobody_is_admitted_before_the_share_is_paid(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: Person, ada: Person
) -> None:
    sent = await apply(client, ada)
    assert refused(await do(client, staff, sent["id"], "admit"), 409, "share-unpaid")

    with pytest.raises(asyncpg.CheckViolationError, match="who_is_admitted_has_paid"):
        await owner.execute(
            "update membership set admitted_at = applied_at, admitted_by = $1", staff.id
        )


async def test_a_share_is_booked_once(
    client: httpx.AsyncClient, staff: Person, ada: Person
) -> None:
    sent = await apply(client, ada)
    assert (await do(client, staff, sent["id"], "shares")).status_code == 200
    assert refused(await do(client, staff, sent["id"], "shares"), 409, "share-paid-before")


@pytest.mark.parametrize("what", ["shares", "admit", "refuse"])
async def test_nobody_decides_their_own_membership(
    client: httpx.AsyncClient, staff: Person, what: str
) -> None:
    sent = await apply(client, staff)
    body = {"reason": REASON} if what == "refuse" else {}
    assert refused(await do(client, staff, sent["id"], what, **body), 403, "own-case")


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        (
            "nobody_admits_themselves_as_member",
            "shares_paid_at = applied_at, admitted_at = applied_at, admitted_by = member_id",
        ),
        (
            "somebody_else_books_a_share",
            "shares_paid_at = applied_at, shares_booked_by = member_id",
        ),
        (
            "nobody_refuses_themselves",
            "refused_at = applied_at, refused_by = member_id, reason = 'because I want to'",
        ),
    ],
)
async def test_not_even_a_mistake_of_the_program_decides_ones_own_membership(
    client: httpx.AsyncClient, owner: asyncpg.Connection, ada: Person, constraint: str, change: str
) -> None:
    await apply(client, ada)
    with pytest.raises(asyncpg.CheckViolationError, match=constraint):
        await owner.execute(f"update membership set {change}")


@pytest.mark.parametrize("what", ["shares", "admit", "refuse"])
async def test_only_staff_decide(
    client: httpx.AsyncClient, staff: Person, ada: Person, what: str
) -> None:
    sent = await apply(client, staff)
    body = {"reason": REASON} if what == "refuse" else {}
    assert refused(await do(client, ada, sent["id"], what, **body), 403, "role-missing")


async def test_a_person_has_one_open_membership(
    client: httpx.AsyncClient, staff: Person, ada: Person
) -> None:
    await join(client, ada, staff=staff)
    answer = await client.post(ADDRESS, json={"house": "riders"}, headers=ada.act)
    assert refused(answer, 409, "membership-exists")


async def test_a_refused_applicant_reads_why_and_may_apply_again_with_the_share_paid_before(
    client: httpx.AsyncClient, owner: asyncpg.Connection, staff: Person, ada: Person
) -> None:
    sent = await apply(client, ada)
    await do(client, staff, sent["id"], "shares")
    answer = await do(client, staff, sent["id"], "refuse", reason=REASON)
    assert (answer.status_code, answer.json()["state"]) == (200, "refused")
    said = (await am_i_on_it(client, ada))["in_words"]
    assert "You are not on the register." in said
    assert REASON in said

    again = await apply(client, ada)
    assert again["shares_paid_at"] is not None
    assert refused(await do(client, staff, again["id"], "shares"), 409, "share-paid-before")
    assert (await do(client, staff, again["id"], "admit")).status_code == 200
    assert await owner.fetchval("select count(*) from journal where kind = 'member_share'") == 1


async def test_who_leaves_is_off_the_register_at_once_and_history_stays(
    client: httpx.AsyncClient,
    database: Database,
    clock: StandingClock,
    staff: Person,
    ada: Person,
) -> None:
    first = await join(client, ada, staff=staff)
    clock.pass_time(3600)
    assert (await leave(client, ada)).json()["state"] == "left"
    async with database.reading() as reader:
        assert await house_of(reader, member_id=ada.id, at=clock.now()) is None
        an_hour_ago = clock.now() - timedelta(hours=1)
        assert await house_of(reader, member_id=ada.id, at=an_hour_ago) is House.RIDERS
        assert await list_register(reader, at=clock.now()) == []
    assert refused(await leave(client, ada), 409, "not-a-member")
    assert refused(await do(client, staff, first, "admit"), 409, "membership-decided")

    again = await apply(client, ada)
    assert again["id"] != first
    assert (await do(client, staff, again["id"], "admit")).status_code == 200
    async with database.reading() as reader:
        assert len(await list_register(reader, at=clock.now())) == 1


async def test_an_application_can_be_taken_back(
    client: httpx.AsyncClient, staff: Person, ada: Person
) -> None:
    sent = await apply(client, ada)
    assert (await leave(client, ada)).json()["state"] == "left"
    for what in ("shares", "admit"):
        assert refused(await do(client, staff, sent["id"], what), 409, "membership-decided")


async def test_who_comes_back_to_a_dearer_house_pays_the_difference(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, staff: Person
) -> None:
    bo = await make_driver(owner, now=clock.now())
    await join(client, bo, staff=staff)
    await leave(client, bo)

    sent = await apply(client, bo, House.DRIVERS)
    assert (sent["shares_minor"], sent["shares_paid_at"]) == (10_000, None)
    await do(client, staff, sent["id"], "shares")
    rows = await owner.fetch(
        "select t.amount_minor from transfer t join journal j on j.id = t.journal_id"
        " where j.kind = 'member_share' order by j.id"
    )
    assert [row["amount_minor"] for row in rows] == [2_000, 8_000]


async def test_am_i_on_it_is_answered_in_plain_words_with_the_day(
    client: httpx.AsyncClient, clock: StandingClock, staff: Person, ada: Person
) -> None:
    nothing = await am_i_on_it(client, ada)
    assert nothing["in_words"] == (
        "You are not on the register: you have not applied to join the cooperative."
    )
    assert (nothing["standing"], nothing["membership"]) == ("not_admitted", None)

    sent = await apply(client, ada)
    assert (await am_i_on_it(client, ada))["in_words"] == (
        "You are not on the register yet. You applied to join the riders on 22 May 2026;"
        " your share is not paid yet."
    )
    await do(client, staff, sent["id"], "shares")
    assert (await am_i_on_it(client, ada))["in_words"].endswith(
        "your share is paid, and a person has yet to admit you."
    )
    # In Vaduz it is the next day from 22:00 UTC on.
    clock.pass_time(7 * 3600)
    await do(client, staff, sent["id"], "admit")
    on_it = await am_i_on_it(client, ada)
    assert on_it["in_words"] == (
        "You are on the register of the riders since 23 May 2026, and on the roll of every vote"
        " that was frozen from 23 May 2026 on."
    )
    assert (on_it["is_on_the_register"], on_it["standing"]) == (True, "on_roll")

    await leave(client, ada)
    assert (await am_i_on_it(client, ada))["in_words"] == (
        "You are not on the register: you left on 23 May 2026. You may apply again."
    )


async def test_who_is_new_reads_from_which_day_on_they_vote(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: Person,
    ada: Person,
) -> None:
    await owner.execute(
        "insert into policy_version (id, key, value, effective_from, source, tally_id)"
        " values (uuidv7(), 'waiting_s', '864000', $1, 'tally', uuidv7())",
        clock.now() + timedelta(microseconds=1),
    )
    clock.pass_time(1)
    await join(client, ada, staff=staff)
    new = await am_i_on_it(client, ada)
    assert (new["is_on_the_register"], new["standing"]) == (True, "too_new")
    assert new["in_words"].endswith(
        "You can vote in every vote whose roll is frozen from 1 June 2026 on."
    )

    # Signed in for a day; the session of a later day is another one.
    await owner.execute("update session set access_expires_at = 'infinity'")
    clock.pass_time(10 * 86_400)
    assert (await am_i_on_it(client, ada))["standing"] == "on_roll"


async def test_a_roll_holds_everybody_who_waited_long_enough_with_their_key(
    database: Database, owner: asyncpg.Connection, clock: StandingClock
) -> None:
    key = secrets.token_bytes(32)
    rules = RollRules(waiting=timedelta(days=10), active_for=timedelta(days=90))
    driver = await make_voter(owner, House.DRIVERS, now=FRIDAY_EVENING, key=key)
    rider = await make_voter(owner, House.RIDERS, now=FRIDAY_EVENING)
    await make_voter(owner, House.RIDERS, now=FRIDAY_EVENING + timedelta(days=5))
    await make_member(owner, now=clock.now())

    for days, active in ((10, 2), (15, 3), (90, 3), (91, 1)):
        at = FRIDAY_EVENING + timedelta(days=days)
        async with database.reading() as reader:
            roll, keys = await freeze_roll(reader, at=at, rules=rules)
            assert await count_active(reader, at=at, rules=rules) == active
        assert len(roll.active) == active
        assert len(roll) == len(keys) == (2 if days == 10 else 3)
        assert roll.house_of(str(driver.id)) is House.DRIVERS
        assert (keys[driver.id], keys[rider.id]) == (key, None)


async def test_using_the_program_keeps_a_member_active_to_the_day(
    owner: asyncpg.Connection, clock: StandingClock, phone: Phone
) -> None:
    tokens = await phone.sign_in()
    staff_id = (await make_member(owner, now=clock.now())).id
    await owner.execute(
        "insert into membership (id, member_id, house, shares_minor, applied_at, shares_paid_at,"
        " admitted_at, admitted_by, last_active_at)"
        " values (uuidv7(), $1, 'riders', 0, $2, $2, $2, $3, $2)",
        UUID(tokens["member_id"]),
        clock.now(),
        staff_id,
    )
    seen = []
    for hours in (1, 22, 1, 23):
        clock.pass_time(hours * 3600)
        tokens = (await phone.refresh(tokens["refresh_token"])).json()
        seen.append(await owner.fetchval("select last_active_at from membership") - FRIDAY_EVENING)
    assert seen == [timedelta(0), timedelta(0), timedelta(days=1), timedelta(days=1)]


async def test_a_key_takes_the_place_of_the_one_before(
    client: httpx.AsyncClient, owner: asyncpg.Connection, database: Database, ada: Person
) -> None:
    first, second = secrets.token_hex(32), secrets.token_hex(32)
    for key in (first, first, second):
        answer = await set_key(client, ada, key)
        assert (answer.status_code, answer.json()["public_key"]) == (200, key)

    assert (await am_i_on_it(client, ada))["public_key"] == second
    rows = await owner.fetch(
        "select public_key, replaced_at is null as now from member_key order by replaced_at"
    )
    assert [(row["public_key"].hex(), row["now"]) for row in rows] == [
        (first, False),
        (second, True),
    ]
    events = await database.events_after([(ada.id, 0)])
    assert [event.data["public_key"] for event in events] == [first, second]
    assert {event.type for event in events} == {"member_key.set"}


async def test_a_key_is_one_members_also_when_it_was_replaced(
    client: httpx.AsyncClient, staff: Person, ada: Person
) -> None:
    key = secrets.token_hex(32)
    await set_key(client, ada, key)
    assert refused(await set_key(client, staff, key), 409, "member-key-taken")
    await set_key(client, ada, secrets.token_hex(32))
    for person in (staff, ada):
        assert refused(await set_key(client, person, key), 409, "member-key-taken")
    assert (await am_i_on_it(client, staff))["public_key"] is None


@pytest.mark.parametrize("key", ["", "ab" * 31, "ab" * 33, "AB" * 32, "zz" * 32])
async def test_what_is_no_key_is_refused(client: httpx.AsyncClient, ada: Person, key: str) -> None:
    assert refused(await set_key(client, ada, key), 422, "invalid-request")


async def test_a_suspension_takes_nobodys_vote(
    client: httpx.AsyncClient, database: Database, clock: StandingClock, staff: Person, ada: Person
) -> None:
    await join(client, ada, staff=staff)
    address = f"/v1/members/{ada.id}/suspend"
    await client.post(address, json={"reason": "A complaint is looked at."}, headers=staff.act)

    assert (await set_key(client, ada, secrets.token_hex(32))).status_code == 200
    assert (await am_i_on_it(client, ada))["standing"] == "on_roll"
    async with database.reading() as reader:
        roll, _ = await freeze_roll(reader, at=clock.now(), rules=RollRules())
    assert str(ada.id) in roll
    assert (await leave(client, ada)).status_code == 200


async def test_staff_read_who_applied_page_by_page(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, staff: Person
) -> None:
    people = [await make_member(owner, now=clock.now(), name=f"P{n}") for n in range(3)]
    sent = [(await apply(client, person))["id"] for person in people]
    await make_voter(owner, House.RIDERS, now=clock.now())

    query = f"{ADDRESS}?state=applied&limit=2"
    first = (await client.get(query, headers=staff.headers)).json()
    rest = (
        await client.get(f"{query}&cursor={first['next_cursor']}", headers=staff.headers)
    ).json()
    assert [one["id"] for one in first["items"] + rest["items"]] == sent
    assert rest["next_cursor"] is None
    assert refused(await client.get(ADDRESS, headers=people[0].headers), 403, "role-missing")


async def test_a_membership_that_does_not_exist_is_not_found(
    client: httpx.AsyncClient, staff: Person, ada: Person
) -> None:
    assert refused(await do(client, staff, str(ada.id), "admit"), 404, "not-found")


@pytest.mark.parametrize("column", ["house", "member_id", "shares_minor", "applied_at", "id"])
async def test_the_program_cannot_edit_what_a_membership_began_with(
    database: Database, column: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction() as tx:
            await tx.execute(f"update membership set {column} = {column}")


@pytest.mark.parametrize("table", ["membership", "member_key"])
async def test_the_program_cannot_delete_from_the_register(database: Database, table: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with database.transaction() as tx:
            await tx.execute(f"delete from {table}")


@pytest.mark.parametrize(
    "change",
    [
        "left_at = null",
        "admitted_at = admitted_at + interval '1 second'",
        "admitted_by = null, admitted_at = null",
        "shares_paid_at = null, admitted_by = null, admitted_at = null",
    ],
)
async def test_the_program_cannot_undo_what_was_decided(
    client: httpx.AsyncClient, database: Database, staff: Person, ada: Person, change: str
) -> None:
    await join(client, ada, staff=staff)
    await leave(client, ada)
    with pytest.raises(asyncpg.PostgresError, match="membership keeps its history"):
        async with database.transaction() as tx:
            await tx.execute(f"update membership set {change}")


async def test_the_program_cannot_revive_a_replaced_key(
    client: httpx.AsyncClient, database: Database, ada: Person
) -> None:
    for _ in range(2):
        await set_key(client, ada, secrets.token_hex(32))
    with pytest.raises(asyncpg.PostgresError, match="member_key keeps its history"):
        async with database.transaction() as tx:
            await tx.execute(
                "update member_key set replaced_at = null where replaced_at is not null"
            )
