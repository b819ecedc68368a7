"""A ride paid by each method, from its booking to its end."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from app.members.roles import Role
from app.payments import sending
from app.rides.scheduled import keep_schedule
from app.rides.service import cancel_unpaid
from tests.app.payments.acts import CARD, CLIENT
from tests.app.payments.street import WHOLE, Street, drive, request
from tests.factories import make_member
from tests.steps import offered, slug, stand, take


async def test_a_ride_on_account_stays_on_the_riders_account(road: Street) -> None:
    ride = (await request(road, "balance")).json()
    fare_minor = (await drive(road, ride, *WHOLE)).json()["fare_minor"]

    payment = await road.payment(UUID(ride["id"]))
    assert (payment["state"], payment["amount_minor"]) == ("on_account", fare_minor)
    assert await road.standing("rider", road.rider.id) == -fare_minor


async def test_a_ride_by_card_leaves_the_rider_owing_nothing(road: Street) -> None:
    await take(road.client, road.rider, "/v1/me/payment-methods", **CARD)
    ride = (await request(road, "card")).json()
    await road.work()

    fare_minor = (await drive(road, ride, *WHOLE)).json()["fare_minor"]
    await road.work()

    assert await road.standing("rider", road.rider.id) == 0
    assert await road.standing("card_clearing") == -fare_minor
    view = await road.client.get(f"/v1/rides/{ride['id']}", headers=road.driver.headers)
    assert view.json()["payment_method"] == "card"


async def test_a_ride_by_card_needs_a_card(road: Street) -> None:
    assert slug(await request(road, "card")) == "no-card"
    assert slug(await request(road, "invoice")) == "no-client"


async def test_a_declined_card_cancels_the_ride_before_the_driver_has_come(road: Street) -> None:
    card = CARD | {"token": "tok_chargeDeclined"}
    await take(road.client, road.rider, "/v1/me/payment-methods", **card)
    ride = (await request(road, "card")).json()
    await drive(road, ride)

    await road.work()
    cancelled = await cancel_unpaid(road.database, now=road.now)

    assert cancelled == 1
    view = (await road.client.get(f"/v1/rides/{ride['id']}", headers=road.rider.headers)).json()
    assert (view["state"], view["cancelled_by"]) == ("cancelled", "platform")
    assert (await road.payment(UUID(ride["id"])))["state"] == "voided"
    told = await road.owner.fetch(
        "select stream_id from event_log where type = 'ride.cancelled' and stream_id = any($1)",
        [road.rider.id, road.driver.id],
    )
    assert len(told) == 2
    assert await road.owner.fetchval("select sum(held_minor) from balance") == 0


async def test_a_driver_who_has_come_drives_and_is_paid_though_the_card_failed(
    road: Street,
) -> None:
    card = CARD | {"token": "tok_chargeDeclined"}
    await take(road.client, road.rider, "/v1/me/payment-methods", **card)
    ride = (await request(road, "card")).json()
    await drive(road, ride, "arrive")
    await road.work()

    assert await cancel_unpaid(road.database, now=road.now) == 0
    await take(road.client, road.driver, f"/v1/rides/{ride['id']}/start")
    done = (await take(road.client, road.driver, f"/v1/rides/{ride['id']}/complete")).json()

    assert await road.standing("driver", road.driver.id) == done["driver_net_minor"]
    assert await road.standing("rider", road.rider.id) == -done["fare_minor"]
    payment = await road.payment(UUID(ride["id"]))
    assert (payment["state"], payment["amount_minor"]) == ("failed", done["fare_minor"])


async def test_a_receipt_names_the_card_that_paid_and_not_the_one_that_failed(road: Street) -> None:
    cards = "/v1/me/payment-methods"
    await take(road.client, road.rider, cards, **CARD | {"token": "tok_chargeDeclined"})
    ride = (await request(road, "card")).json()
    await drive(road, ride, "arrive")
    await road.work()
    for step in ("start", "complete"):
        done = await take(road.client, road.driver, f"/v1/rides/{ride['id']}/{step}")
    await take(road.client, road.rider, cards, **CARD | {"is_default": True})
    failed = await road.payment(UUID(ride["id"]))
    await take(road.client, road.rider, f"/v1/me/payments/{failed['id']}/retry")
    await road.work()

    receipt = await road.client.get(f"/v1/rides/{ride['id']}/receipt", headers=road.rider.headers)

    paid = {"method": "card", "state": "captured", "amount_minor": done.json()["fare_minor"]}
    assert receipt.json()["payments"] == [paid]
    assert await road.standing("rider", road.rider.id) == 0


async def test_a_card_is_asked_near_the_pickup_of_a_ride_booked_ahead(road: Street) -> None:
    await take(road.client, road.rider, "/v1/me/payment-methods", **CARD)

    pickup_at = road.now + timedelta(hours=2)
    await request(road, "card", pickup_at=pickup_at)

    assert await sending.run_once(road.database, road.port(), now=road.now) == 0
    road.clock.pass_time(105 * 60)
    await keep_schedule(road.database, now=road.now)
    assert await sending.run_once(road.database, road.port(), now=road.now) == 1


async def test_cash_stays_with_the_driver_and_the_books_net_it(road: Street) -> None:
    ride = (await request(road, "cash")).json()

    done = (await drive(road, ride, *WHOLE)).json()

    assert await road.standing("rider", road.rider.id) == 0
    assert await road.standing("driver", road.driver.id) == -done["commission_minor"]
    assert (await road.payment(UUID(ride["id"])))["state"] == "captured"
    staff = await make_member(road.owner, Role.STAFF, now=road.now)
    road.clock.pass_time(1)
    batch = await road.client.post("/v1/payouts/batches", json={}, headers=staff.act)
    assert slug(batch) == "nothing-to-pay"


async def test_who_owes_as_much_cash_as_allowed_is_offered_none(road: Street) -> None:
    staff = await make_member(road.owner, Role.STAFF, now=road.now)
    put = {"json": {"limit_minor": 100}, "headers": staff.act}
    assert (await road.client.put("/v1/cash-limit", **put)).status_code == 200
    await request(road, "cash")
    await stand(road.app, road.driver, now=road.now)

    await road.app.state.dispatcher.run_once()

    answer = await road.client.get("/v1/offers", headers=road.driver.headers)
    assert answer.json()["items"] == []


async def test_a_limit_that_fell_since_the_offer_refuses_the_acceptance(road: Street) -> None:
    await request(road, "cash")
    await stand(road.app, road.driver, now=road.now)
    offer = await offered(road.app, road.client, road.driver)
    staff = await make_member(road.owner, Role.STAFF, now=road.now)
    put = {"json": {"limit_minor": 100}, "headers": staff.act}
    await road.client.put("/v1/cash-limit", **put)

    answer = await take(road.client, road.driver, f"/v1/offers/{offer['id']}/accept")

    assert slug(answer) == "cash-limit-reached"
    assert offer["payment_method"] == "cash"


async def test_a_driver_who_gives_a_cash_ride_back_holds_nothing_any_more(road: Street) -> None:
    ride = (await request(road, "cash")).json()
    await drive(road, ride)
    held = (
        "select held_minor from balance join account a on a.id = account_id"
        " where a.kind = 'driver' and a.member_id = $1"
    )
    assert await road.owner.fetchval(held, road.driver.id) == ride["fare_minor"]

    await take(road.client, road.driver, f"/v1/rides/{ride['id']}/withdraw", reason="a puncture")

    assert await road.owner.fetchval(held, road.driver.id) == 0


async def test_a_client_takes_over_rides_up_to_its_limit_and_pays_by_the_month(
    road: Street,
) -> None:
    staff = await make_member(road.owner, Role.STAFF, now=road.now)
    client = await take(
        road.client, staff, "/v1/contract-clients", **CLIENT | {"limit_minor": 5000}
    )
    path = f"/v1/contract-clients/{client.json()['id']}"
    await take(road.client, staff, f"{path}/riders", rider_id=str(road.rider.id))
    ride = (await request(road, "invoice")).json()
    fare_minor = (await drive(road, ride, *WHOLE)).json()["fare_minor"]

    assert await road.standing("rider", road.rider.id) == 0
    assert slug(await request(road, "invoice")) == "client-limit-reached"
    early = await take(road.client, staff, f"{path}/invoices", month="2026-05")
    assert slug(early) == "invoice-too-early"
    road.clock.pass_time(10 * 24 * 3600)
    await road.owner.execute("update session set access_expires_at = access_expires_at + '1 y'")
    invoice = (await take(road.client, staff, f"{path}/invoices", month="2026-05")).json()
    again = await take(road.client, staff, f"{path}/invoices", month="2026-05")
    paid = await take(road.client, staff, f"/v1/invoices/{invoice['id']}/paid")
    twice = await take(road.client, staff, f"/v1/invoices/{invoice['id']}/paid")

    assert (invoice["number"], invoice["total_minor"]) == (1, fare_minor)
    assert [line["ride_id"] for line in invoice["lines"]] == [ride["id"]]
    assert slug(again) == "nothing-to-invoice"
    assert paid.status_code == 200
    assert slug(twice) == "invoice-paid-before"
    assert await road.standing("contract_client") == 0
    assert await road.standing("bank") == -fare_minor


async def test_an_invoice_is_due_thirty_days_after_the_day_it_was_by_the_citys_calendar(
    road: Street,
) -> None:
    staff = await make_member(road.owner, Role.STAFF, now=road.now)
    client = await take(road.client, staff, "/v1/contract-clients", **CLIENT)
    path = f"/v1/contract-clients/{client.json()['id']}"
    await take(road.client, staff, f"{path}/riders", rider_id=str(road.rider.id))
    ride = (await request(road, "invoice")).json()
    await drive(road, ride, *WHOLE)
    half_past_midnight = datetime(2026, 5, 31, 22, 30, tzinfo=UTC)  # of 1 June in Vaduz
    road.clock.pass_time((half_past_midnight - road.now).total_seconds())
    await road.owner.execute("update session set access_expires_at = access_expires_at + '1 y'")

    invoice = (await take(road.client, staff, f"{path}/invoices", month="2026-05")).json()

    assert invoice["due_on"] == "2026-07-01"


@pytest.fixture
async def latecomer(owner: asyncpg.Connection) -> AsyncIterator[str]:
    """Statements that let the newest line of a client appear while an invoice is stored."""
    yield (
        "create table late as select * from client_charge order by id desc limit 1;"
        " set session_replication_role = replica;"
        " delete from client_charge where id = (select id from late);"
        " set session_replication_role = origin;"
        " create function come_late() returns trigger language plpgsql security definer as"
        " $$ begin insert into client_charge select * from late; return new; end $$;"
        " create trigger late before insert on invoice for each row execute function come_late()"
    )
    await owner.execute("drop trigger late on invoice; drop function come_late(); drop table late")


async def test_an_invoice_asks_for_its_lines_though_a_late_one_is_committed_meanwhile(
    road: Street, latecomer: str
) -> None:
    staff = await make_member(road.owner, Role.STAFF, now=road.now)
    client = await take(road.client, staff, "/v1/contract-clients", **CLIENT)
    path = f"/v1/contract-clients/{client.json()['id']}"
    await take(road.client, staff, f"{path}/riders", rider_id=str(road.rider.id))
    fares_minor = []
    for _ in range(2):
        ride = (await request(road, "invoice")).json()
        fares_minor.append((await drive(road, ride, *WHOLE)).json()["fare_minor"])
    await road.owner.execute(latecomer)
    road.clock.pass_time(10 * 24 * 3600)
    await road.owner.execute("update session set access_expires_at = access_expires_at + '1 y'")

    invoice = (await take(road.client, staff, f"{path}/invoices", month="2026-05")).json()

    assert invoice["total_minor"] == fares_minor[0]
    assert [line["amount_minor"] for line in invoice["lines"]] == fares_minor[:1]
    waits = "select amount_minor from client_charge where invoice_id is null"
    assert await road.owner.fetchval(waits) == fares_minor[1]


async def test_a_providers_payout_is_booked_once_with_its_fee_as_a_cost(road: Street) -> None:
    staff = await make_member(road.owner, Role.STAFF, now=road.now)
    body = {
        "provider": "local",
        "reference": "po_1",
        "gross_minor": 10_000,
        "fee_minor": 175,
        "day": "2026-05-22",
    }

    first = await take(road.client, staff, "/v1/card-settlements", **body)
    second = await take(road.client, staff, "/v1/card-settlements", **body)

    assert first.status_code == 201, first.text
    assert slug(second) == "settlement-booked-before"
    assert await road.standing("bank") == -(10_000 - 175)
    assert await road.standing("card_clearing") == 10_000
    assert await road.standing("platform_costs") == -175


@pytest.mark.parametrize(
    "card",
    [
        {"token": "4242424242424242", "label": "card"},
        {"token": "tok_4242424242424242", "label": "card"},
        {"token": "tok_visa", "label": "4242 4242 4242 4242"},
        {"token": "tok_visa", "label": "3782-822463-10005"},
    ],
)
async def test_the_number_of_a_card_is_refused_and_never_repeated(
    road: Street, card: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await take(road.client, road.rider, "/v1/me/payment-methods", **card)

    assert slug(answer) == "card-number-refused"
    digits = "".join(c for c in str(card) if c.isdigit())
    said = answer.text + capsys.readouterr().out
    assert digits not in "".join(c for c in said if c.isdigit())
    assert await road.owner.fetchval("select count(*) from payment_method") == 0


async def test_the_database_itself_takes_no_card_number(road: Street) -> None:
    for token, label, broken in (
        ("tok_4242424242424242", "card", "tokens_are_no_card_numbers"),
        ("tok_visa", "4242 4242 4242 4242", "labels_are_no_card_numbers"),
    ):
        with pytest.raises(asyncpg.CheckViolationError, match=broken):
            await road.owner.execute(
                "insert into payment_method (id, member_id, provider, token, label, is_default,"
                " added_at) values (uuidv7(), $1, 'local', $2, $3, false, now())",
                road.rider.id,
                token,
                label,
            )


async def test_removing_the_default_card_makes_the_next_one_the_default(road: Street) -> None:
    path = "/v1/me/payment-methods"
    first = (await take(road.client, road.rider, path, **CARD)).json()
    other = CARD | {"token": "tok_mastercard", "label": "card ending 4444"}
    second = (await take(road.client, road.rider, path, **other)).json()
    assert (first["is_default"], second["is_default"]) == (True, False)

    await road.client.delete(f"{path}/{first['id']}", headers=road.rider.act)

    items = (await road.client.get(path, headers=road.rider.headers)).json()["items"]
    assert [(card["id"], card["is_default"]) for card in items] == [(second["id"], True)]
