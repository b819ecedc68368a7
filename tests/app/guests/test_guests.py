"""A dispatcher books for people who telephone, and they are told who comes."""

import asyncio
import re
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from app.foundation.money import readable
from app.guests.texts import tell_guests
from app.members.roles import Role
from app.rides.service import give_up_searches
from app.settings import Settings
from tests.app.guests.desk import PHONE, Desk, make_desk, member_with
from tests.app.payments.acts import CLIENT
from tests.app.statements.made import texts_of
from tests.conftest import StandingClock
from tests.factories import make_driver, make_member
from tests.steps import BALZERS, VADUZ, book, slug, take

WHOLE = ("arrive", "start", "complete")


@pytest.fixture
async def desk(
    app: FastAPI,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    settings: Settings,
) -> Desk:
    return await make_desk(app, client, owner, clock, settings)


async def sign_in(desk: Desk, phone: str) -> dict[str, str]:
    """The headers of whoever has this telephone."""
    asked = await desk.client.post("/v1/sign-in/codes", json={"phone": phone})
    [code] = re.findall(r"\b\d{6}\b", desk.texts()[-1]["text"])
    body = {"challenge_id": asked.json()["challenge_id"], "code": code}
    tokens = (await desk.client.post("/v1/sign-in", json=body)).json()
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def test_a_guest_rides_for_cash_and_owes_nothing_afterwards(desk: Desk) -> None:
    ride = await desk.book(await desk.guest())

    done = (await desk.drive(ride, *WHOLE)).json()

    assert done["fare_minor"] == ride["fare_minor"]
    owed = await desk.owner.fetchval(
        "select posted_minor from balance b join account a on a.id = b.account_id"
        " join guest g on g.member_id = a.member_id where a.kind = 'rider'"
    )
    assert owed == 0
    assert await desk.faults() == []


async def test_a_guest_without_a_telephone_gets_a_receipt_on_paper(desk: Desk) -> None:
    ride = await desk.book(await desk.guest(phone=None))
    path = f"/v1/guest-rides/{ride['id']}/receipt.pdf"
    early = await desk.client.get(path, headers=desk.dispatcher.headers)
    done = (await desk.drive(ride, *WHOLE)).json()

    answer = await desk.client.get(path, headers=desk.dispatcher.headers)

    assert slug(early) == "nothing-charged-yet"
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert readable(done["fare_minor"], currency="CHF") in texts_of(answer.content)


async def test_a_dispatcher_reads_no_receipt_of_what_a_rider_booked(desk: Desk) -> None:
    rider = await make_member(desk.owner, now=desk.clock.now())
    ride = await book(desk.client, rider)
    await desk.drive(ride, *WHOLE)

    path = f"/v1/guest-rides/{ride['id']}/receipt.pdf"
    answer = await desk.client.get(path, headers=desk.dispatcher.headers)

    assert slug(answer) == "not-found"


async def test_the_driver_reads_the_guests_name_as_any_riders(desk: Desk) -> None:
    ride = await desk.book(await desk.guest("Noldi"))
    await desk.drive(ride)

    view = await desk.client.get(f"/v1/rides/{ride['id']}", headers=desk.driver.headers)

    assert view.json()["rider_name"] == "Noldi"


async def test_who_has_the_number_signs_in_later_and_finds_the_ride(desk: Desk) -> None:
    ride = await desk.book(await desk.guest())

    headers = await sign_in(desk, PHONE)

    mine = (await desk.client.get("/v1/rides", headers=headers)).json()["items"]
    assert [one["id"] for one in mine] == [ride["id"]]
    assert (await desk.client.get("/v1/me", headers=headers)).json()["name"] == "Ospelt"


async def test_a_members_number_books_for_the_member_and_tells_nothing_of_them(desk: Desk) -> None:
    member = await member_with(desk)

    known = await take(desk.client, desk.dispatcher, "/v1/guests", name="X", phone=member.phone)
    unknown = await take(desk.client, desk.dispatcher, "/v1/guests", name="X", phone=PHONE)
    ride = await desk.book(known.json()["id"])

    for answer in (known, unknown):
        assert {**answer.json(), "id": ""} == {"id": "", "name": "X", "gets_texts": True}
    assert str(member.id) not in known.text
    mine = (await desk.client.get("/v1/rides", headers=member.headers)).json()["items"]
    assert [one["id"] for one in mine] == [ride["id"]]
    assert await desk.owner.fetchval("select name from member where id = $1", member.id) == (
        "Ada Lovelace"
    )


async def test_the_same_number_is_the_same_guest_and_nobody_without_one_is(desk: Desk) -> None:
    first, again = await desk.guest("Ospelt"), await desk.guest("Oehri")
    nameless = [await desk.guest("Ospelt", phone=None) for _ in range(2)]

    assert first == again
    assert len({first, *nameless}) == 3
    names = await desk.owner.fetch(
        "select m.name from member m join guest g on g.member_id = m.id where m.phone = $1", PHONE
    )
    assert [row["name"] for row in names] == ["Oehri"]


async def test_two_dispatchers_who_note_one_number_at_once_note_one_guest(desk: Desk) -> None:
    assert len(set(await asyncio.gather(*(desk.guest() for _ in range(8))))) == 1


async def test_a_guest_is_refused_what_a_rider_is_refused(desk: Desk) -> None:
    guest_id = await desk.guest()
    quote = (await desk.quote(guest_id)).json()
    await desk.ask(guest_id, quote["id"])
    other = (await desk.quote(guest_id)).json()
    late = (await desk.quote(guest_id)).json()

    assert slug(await desk.ask(guest_id, quote["id"])) == "quote-already-booked"
    assert slug(await desk.ask(guest_id, other["id"])) == "open-ride-exists"
    assert slug(await desk.ask(await desk.guest(phone=None), other["id"])) == "not-found"
    desk.clock.pass_time(600)
    assert slug(await desk.ask(guest_id, late["id"])) == "quote-expired"


async def test_the_same_key_books_once(desk: Desk) -> None:
    guest_id = await desk.guest()
    quote = (await desk.quote(guest_id)).json()
    body = {"quote_id": quote["id"], "payment_method": "cash"}
    headers = desk.dispatcher.act

    answers = [
        await desk.client.post(f"/v1/guests/{guest_id}/rides", json=body, headers=headers)
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert await desk.owner.fetchval("select count(*) from guest_ride") == 1


@pytest.mark.parametrize("method", ["card", "balance"])
async def test_a_dispatcher_spends_from_nobodys_card_or_account(desk: Desk, method: str) -> None:
    guest_id = await desk.guest()
    quote = (await desk.quote(guest_id)).json()

    answer = await desk.ask(guest_id, quote["id"], payment_method=method)

    assert slug(answer) == "invalid-request"


async def test_a_client_is_invoiced_for_a_guest_up_to_its_limit(desk: Desk) -> None:
    client_id = await desk.client_of_ours(limit_minor=5000)
    terms = {"payment_method": "invoice", "client_id": client_id, "reference": "Ward 3"}
    ride = await desk.book(await desk.guest(), **terms)
    await desk.drive(ride, *WHOLE)

    charged = await desk.owner.fetchrow("select client_id, amount_minor from client_charge")
    assert (str(charged["client_id"]), charged["amount_minor"]) == (client_id, ride["fare_minor"])
    other = await desk.guest(phone=None)
    quote = (await desk.quote(other)).json()
    assert slug(await desk.ask(other, quote["id"], **terms)) == "client-limit-reached"
    unknown = terms | {"client_id": other}
    assert slug(await desk.ask(other, quote["id"], **unknown)) == "no-client"
    nobody = {"payment_method": "invoice"}
    assert slug(await desk.ask(other, quote["id"], **nobody)) == "invalid-request"
    assert await desk.faults() == []


async def test_a_guests_own_client_pays_nothing_that_a_dispatcher_chose_otherwise(
    desk: Desk,
) -> None:
    own, chosen = await desk.client_of_ours(), await desk.client_of_ours(name="School")
    staff = await make_member(desk.owner, Role.STAFF, now=desk.clock.now())
    member = await member_with(desk)
    path = f"/v1/contract-clients/{own}/riders"
    await take(desk.client, staff, path, rider_id=str(member.id))

    await desk.book(
        await desk.guest(phone=member.phone), payment_method="invoice", client_id=chosen
    )

    assert await desk.owner.fetchval("select client_id from payment") == UUID(chosen)
    assert {one["name"] for one in await desk.listed("/v1/guest-clients")} == {
        "School",
        CLIENT["name"],
    }


async def test_a_suspended_member_is_not_driven_by_way_of_the_telephone(desk: Desk) -> None:
    member = await member_with(desk)
    guest_id = await desk.guest(phone=member.phone)
    quote = (await desk.quote(guest_id)).json()
    staff = await make_member(desk.owner, Role.STAFF, now=desk.clock.now())
    reason = "Three drivers reported threats."
    await take(desk.client, staff, f"/v1/members/{member.id}/suspend", reason=reason)

    assert slug(await desk.quote(guest_id)) == "guest-not-served"
    assert slug(await desk.ask(guest_id, quote["id"])) == "guest-not-served"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/guests"),
        ("GET", "/v1/guest-rides"),
        ("GET", f"/v1/guest-rides/{UUID(int=1)}/receipt.pdf"),
        ("GET", "/v1/guest-clients"),
    ],
)
async def test_only_dispatchers_and_staff_are_at_the_desk(
    desk: Desk, method: str, path: str
) -> None:
    body = {"name": "X"} if method == "POST" else None
    answer = await desk.client.request(method, path, json=body, headers=desk.driver.act)

    assert slug(answer) == "role-missing"


async def test_a_dispatcher_sees_open_rides_of_guests_and_calls_one_off(desk: Desk) -> None:
    rider = await make_member(desk.owner, now=desk.clock.now())
    ride = await desk.book(await desk.guest("Ospelt"))
    own = {"pickup": VADUZ, "dropoff": BALZERS}
    quote = (await take(desk.client, rider, "/v1/quotes", **own)).json()
    await take(desk.client, rider, "/v1/rides", quote_id=quote["id"])

    [listed] = await desk.listed()
    path = f"/v1/rides/{ride['id']}/cancel"
    await take(desk.client, desk.dispatcher, path, reason="they called again")

    assert (listed["id"], listed["guest_name"]) == (ride["id"], "Ospelt")
    assert (listed["state"], listed["payment_method"]) == ("requested", "cash")
    assert await desk.listed() == []
    [over] = await desk.listed("/v1/guest-rides?open_only=false")
    assert over["state"] == "cancelled"


async def test_a_guest_is_told_who_comes_and_when_and_that_they_are_there(desk: Desk) -> None:
    ride = await desk.book(await desk.guest())
    assert await desk.tell() == 0
    await desk.drive(ride)
    assert [await desk.tell(), await desk.tell()] == [1, 0]
    desk.clock.pass_time(120)
    await take(desk.client, desk.driver, f"/v1/rides/{ride['id']}/arrive")
    assert [await desk.tell(), await desk.tell()] == [1, 0]

    [listed] = await desk.listed()
    first, second = desk.texts()
    assert {first["to"], second["to"]} == {PHONE}
    for part in ("Bo", "green Skoda Enyaq, FL 12345"):
        assert part in first["text"]
        assert part in second["text"]
    minute = int(listed["expected_at"][14:16])
    assert f"about 17:{minute:02}" in first["text"]
    assert "is there" in second["text"]
    for text in (first["text"], second["text"]):
        assert not re.search(r"\d+\.\d", text)
        assert "Städtle" not in text


async def test_a_guest_is_told_again_when_another_driver_comes(desk: Desk) -> None:
    ride = await desk.book(await desk.guest())
    await desk.drive(ride)
    await desk.tell()
    path = f"/v1/rides/{ride['id']}/withdraw"
    await take(desk.client, desk.driver, path, reason="a puncture")
    desk.driver = await make_driver(desk.owner, now=desk.clock.now())
    desk.clock.pass_time(30)

    await desk.drive(ride)
    await desk.tell()

    assert len(desk.texts()) == 2


async def test_a_guest_for_whom_nobody_comes_is_told_so(desk: Desk) -> None:
    await desk.book(await desk.guest())
    desk.clock.pass_time(601)
    await give_up_searches(desk.database, now=desk.clock.now())

    assert await desk.tell() == 1

    assert "no driver was found" in desk.texts()[0]["text"]


async def test_who_called_off_themselves_or_has_no_number_gets_no_text(desk: Desk) -> None:
    member = await member_with(desk)
    ride = await desk.book(await desk.guest(phone=member.phone))
    await take(desk.client, member, f"/v1/rides/{ride['id']}/cancel", reason="")
    other = await desk.book(await desk.guest(phone=None))
    await desk.drive(other)

    assert await desk.tell() == 0


class Mute:
    """A sender that fails."""

    def send(self, phone: str, text: str) -> None:
        raise OSError(f"no line to {phone}: {text}")


async def test_a_text_that_did_not_leave_is_tried_again_and_an_old_one_never(desk: Desk) -> None:
    ride = await desk.book(await desk.guest())
    await desk.drive(ride)

    assert await tell_guests(desk.database, Mute(), now=desk.clock.now()) == 0
    assert await desk.tell() == 0
    desk.clock.pass_time(61)
    assert await desk.tell() == 1

    await take(desk.client, desk.driver, f"/v1/rides/{ride['id']}/arrive")
    later = desk.clock.now() + timedelta(minutes=31)
    assert await tell_guests(desk.database, desk.sms, now=later) == 0


async def test_each_text_leaves_once_though_six_workers_look_and_look_again(desk: Desk) -> None:
    ride = await desk.book(await desk.guest())
    await desk.drive(ride)

    sent = await asyncio.gather(*(desk.tell() for _ in range(6)))

    assert sum(sent) == len(desk.texts()) == 1
    desk.clock.pass_time(120)
    assert await desk.tell() == 0
