"""A card's whole way: authorised, captured, given back, and each thing that goes wrong on it."""

import asyncio
import json
import time
from typing import Any

import pytest

from app.payments import sending, service
from app.payments.local_provider.moods import Moods
from app.payments.local_provider.server import sign
from app.payments.port import Done, Outcome, Unknown
from app.payments.rules import MOST_ATTEMPTS
from tests.app.payments.street import Street, begin, refund, settle


async def test_a_card_is_authorised_at_booking_and_captured_at_the_end(street: Street) -> None:
    await street.card()
    before = await street.standing("rider", street.rider.id)
    ride_id = await begin(street, amount_minor=4000)
    await street.work()
    assert (await street.payment(ride_id))["state"] == "authorised"

    await settle(street, ride_id, 3500)
    await street.work()

    payment = await street.payment(ride_id)
    assert (payment["state"], payment["captured_minor"]) == ("captured", 3500)
    assert await street.standing("card_clearing") == -3500
    assert await street.standing("rider", street.rider.id) == before


async def test_what_is_above_the_authorisation_is_charged_as_an_extra(street: Street) -> None:
    await street.card()
    ride_id = await begin(street, amount_minor=4000)

    await settle(street, ride_id, 4600)
    await street.work()

    assert (await street.payment(ride_id))["captured_minor"] == 4000
    assert (await street.payment(ride_id, "extra"))["captured_minor"] == 600


async def test_a_ride_that_costs_nothing_leaves_nothing_set_aside(street: Street) -> None:
    await street.card()
    ride_id = await begin(street)
    await street.work()

    async with street.database.transaction() as tx:
        await service.drop(tx, ride_id=ride_id, now=street.now)
    await street.work()

    assert (await street.payment(ride_id))["state"] == "voided"
    [theirs] = street.double.vault.payments()
    assert theirs["status"] == "voided"
    assert await street.standing("card_clearing") == 0


async def test_what_was_never_sent_is_never_asked_for(street: Street) -> None:
    await street.card()
    ride_id = await begin(street)

    async with street.database.transaction() as tx:
        await service.drop(tx, ride_id=ride_id, now=street.now)
    await street.work()

    assert street.double.vault.payments() == []


@pytest.mark.parametrize(
    ("token", "failure"),
    [
        ("tok_chargeDeclined", "card_declined"),
        ("tok_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("tok_authorisationExpires", "authorisation_expired"),
    ],
)
async def test_what_a_card_does_not_give_stays_the_riders_debt(
    street: Street, token: str, failure: str
) -> None:
    await street.card(token)
    before = await street.standing("rider", street.rider.id)
    ride_id = await begin(street)
    await settle(street, ride_id, 4000)

    await street.work()

    payment = await street.payment(ride_id)
    assert (payment["state"], payment["failure"]) == ("failed", failure)
    assert payment["amount_minor"] == 4000
    assert payment["failed_at"] == street.now
    assert await street.standing("rider", street.rider.id) == before - 4000
    told = await street.owner.fetchval(
        "select data from event_log where stream_id = $1 and type = 'payment.failed'",
        street.rider.id,
    )
    assert failure in told


async def test_a_payment_that_failed_is_paid_by_another_card_once(street: Street) -> None:
    await street.card("tok_chargeDeclined")
    before = await street.standing("rider", street.rider.id)
    ride_id = await begin(street)
    await settle(street, ride_id, 4000)
    await street.work()
    await street.card("tok_mastercard", "card ending 4444")
    failed = await street.payment(ride_id)
    path = f"/v1/me/payments/{failed['id']}/retry"

    first = await street.client.post(path, headers=street.rider.act)
    second = await street.client.post(path, headers=street.rider.act)
    await street.work()

    assert (first.status_code, second.status_code) == (201, 409)
    assert (await street.payment(ride_id))["state"] == "voided"
    assert (await street.payment(ride_id, "extra"))["captured_minor"] == 4000
    assert await street.standing("rider", street.rider.id) == before


async def test_another_card_pays_no_more_than_is_still_owed_for_the_ride(street: Street) -> None:
    await street.card("tok_chargeDeclined")
    before = await street.standing("rider", street.rider.id)
    ride_id = await begin(street)
    await street.work()
    await street.card("tok_mastercard", "card ending 4444")
    failed = await street.payment(ride_id)
    path = f"/v1/me/payments/{failed['id']}/retry"

    too_early = await street.client.post(path, headers=street.rider.act)
    await settle(street, ride_id, 4000)
    await refund(street, ride_id, 1500)
    again = await street.client.post(path, headers=street.rider.act)
    await street.work()

    assert (too_early.status_code, again.status_code) == (409, 201)
    assert (await street.payment(ride_id, "extra"))["captured_minor"] == 2500
    assert await street.standing("rider", street.rider.id) == before


async def test_money_goes_back_to_the_card_once_for_each_key(street: Street) -> None:
    await street.card()
    ride_id = await begin(street)
    await settle(street, ride_id, 4000)
    await street.work()
    before = await street.standing("rider", street.rider.id)

    await refund(street, ride_id, 1500)
    async with street.database.transaction() as tx:
        await service.refund(
            tx,
            ride_id=ride_id,
            rider_id=street.rider.id,
            key="dispute",
            amount_minor=1500,
            now=street.now,
        )
    await street.work()

    payment = await street.payment(ride_id)
    assert (payment["state"], payment["refunded_minor"]) == ("captured", 1500)
    assert await street.standing("card_clearing") == -2500
    assert await street.standing("rider", street.rider.id) == before
    held = "select held_minor from balance join account a on a.id = account_id where member_id = $1"
    assert await street.owner.fetchval(f"{held} and kind = 'rider'", street.rider.id) == 0


async def test_a_refund_before_the_capture_waits_for_it(street: Street) -> None:
    await street.card()
    ride_id = await begin(street)
    await settle(street, ride_id, 4000)

    await refund(street, ride_id, 4000)
    await street.work()

    assert (await street.payment(ride_id))["state"] == "refunded"
    assert await street.standing("card_clearing") == 0


async def test_a_refund_that_is_refused_stays_to_the_riders_credit(street: Street) -> None:
    await street.card("tok_refundFail")
    before = await street.standing("rider", street.rider.id)
    ride_id = await begin(street)
    await settle(street, ride_id, 4000)
    await street.work()

    await refund(street, ride_id, 1500)
    await street.work()

    assert (await street.payment(ride_id))["refunded_minor"] == 0
    assert await street.standing("rider", street.rider.id) == before + 1500


async def test_a_chargeback_is_owed_again_and_given_up_if_the_dispute_is_won(
    street: Street,
) -> None:
    before = await street.standing("rider", street.rider.id)
    await street.card("tok_createDispute")
    lost = await begin(street)
    await settle(street, lost, 4000)
    await street.work()
    await street.card("tok_createDisputeWon")
    won = await begin(street)
    await settle(street, won, 3000)
    await street.work()

    assert (await street.payment(lost))["state"] == "charged_back"
    assert (await street.payment(won))["state"] == "captured"
    assert await street.standing("card_clearing") == -3000
    assert await street.standing("rider", street.rider.id) == before - 4000


async def test_a_chargeback_that_the_rider_cannot_bear_costs_the_house(street: Street) -> None:
    await street.card("tok_createDispute")
    ride_id = await begin(street)
    await settle(street, ride_id, 4000)
    while await sending.run_once(street.database, street.port(), now=street.now):
        pass
    await street.owner.execute(
        "update balance set lowest_minor = posted_minor where account_id ="
        " (select id from account where member_id = $1 and kind = 'rider')",
        street.rider.id,
    )

    await street.double.tell_all(street.hear)

    assert (await street.payment(ride_id))["state"] == "charged_back"
    assert await street.standing("platform_costs") == -4000


async def test_an_event_that_twenty_tell_at_once_is_booked_once(street: Street) -> None:
    await street.card()
    ride_id = await begin(street)
    await street.work()
    await settle(street, ride_id, 4000)
    await sending.run_once(street.database, LostAnswers(street), now=street.now)
    captured = street.double.vault.take_event(Moods())
    assert captured is not None
    body = captured[1].encode()
    signature = sign(body, secret=street.double.secret, at_s=_unix())

    statuses = await asyncio.gather(*(street.hear(body, signature) for _ in range(20)))

    assert statuses == [200] * 20
    assert await street.standing("card_clearing") == -4000
    assert (
        await street.owner.fetchval("select count(*) from journal where kind = 'card_capture'") == 1
    )


class LostAnswers:
    """The double's port whose answers never arrive: what it does is known from events alone."""

    name = "local"

    def __init__(self, street: Street) -> None:
        self._port = street.port()

    def __getattr__(self, act: str) -> Any:
        async def lost(**asked: Any) -> Outcome:
            outcome: Outcome = await getattr(self._port, act)(**asked)
            assert isinstance(outcome, Done)
            return Unknown("lost")

        return lost


def _unix() -> int:
    return int(time.time())


async def test_an_event_that_nobody_signed_is_refused(street: Street) -> None:
    body = b'{"id": "evt_1", "type": "payment.captured"}'

    assert await street.hear(body, "") == 400
    assert await street.hear(body, "t=abc,v1=") == 400
    assert await street.hear(body, sign(body, secret="another", at_s=_unix())) == 400
    assert await street.hear(body, sign(body, secret=street.double.secret, at_s=1)) == 400


async def test_an_event_of_a_payment_that_nobody_knows_is_heard_and_moves_nothing(
    street: Street,
) -> None:
    payment = {
        "id": "pay_of_somebody",
        "ours": "019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d",
        "authorised": 4000,
        "captured": 4000,
        "refunded": 0,
        "withdrawn": 0,
        "reinstated": 0,
        "failure": None,
    }
    body = json.dumps({"id": "evt_1", "type": "payment.captured", "payment": payment}).encode()
    before = await street.owner.fetchval("select count(*) from journal")

    status = await street.hear(body, sign(body, secret=street.double.secret, at_s=_unix()))

    kept = await street.owner.fetchrow("select payment_id from provider_event")
    assert (status, kept and kept["payment_id"]) == (200, None)
    assert await street.owner.fetchval("select count(*) from journal") == before


async def test_who_dies_between_sending_and_recording_charges_nobody_twice(
    street: Street,
) -> None:
    await street.card()
    ride_id = await begin(street)
    await settle(street, ride_id, 4000)

    class Died(Exception):
        pass

    class DyingPort(LostAnswers):
        def __getattr__(self, act: str) -> Any:
            async def die(**asked: Any) -> Outcome:
                await getattr(self._port, act)(**asked)
                raise Died

            return die

    for _ in range(2):
        with pytest.raises(ExceptionGroup):
            await sending.run_once(street.database, DyingPort(street), now=street.now)
        street.clock.pass_time(3600)
        await sending.run_once(street.database, street.port(), now=street.now)

    [theirs] = street.double.vault.payments()
    assert theirs["captured"] == 4000
    assert (await street.payment(ride_id))["captured_minor"] == 4000
    assert await street.standing("card_clearing") == -4000


async def test_five_workers_at_once_send_each_command_once(street: Street) -> None:
    await street.card()
    rides = [await begin(street, amount_minor=1000) for _ in range(6)]
    for ride_id in rides:
        await settle(street, ride_id, 1000)

    # A capture is due as soon as its card was authorised, perhaps while others still send.
    sent = []
    for _ in range(3):
        sent += await asyncio.gather(
            *(sending.run_once(street.database, street.port(), now=street.now) for _ in range(5))
        )
    assert sum(sent) == 2 * len(rides)

    assert [one["captured"] for one in street.double.vault.payments()] == [1000] * len(rides)
    assert await street.standing("card_clearing") == -1000 * len(rides)


async def test_a_provider_that_is_never_reached_makes_a_payment_fail(street: Street) -> None:
    await street.card()
    ride_id = await begin(street)
    street.double.moods = Moods(fails_before=1.0)

    for _ in range(MOST_ATTEMPTS):
        await sending.run_once(street.database, street.port(), now=street.now)
        street.clock.pass_time(3600)

    payment = await street.payment(ride_id)
    assert (payment["state"], payment["failure"]) == ("failed", "provider_unreachable")


async def test_what_no_event_told_is_found_by_asking(street: Street) -> None:
    await street.card()
    ride_id = await begin(street)
    await street.work()
    payment = await street.payment(ride_id)
    street.double.vault.act(f"/payments/{payment['reference']}/capture", {"amount": 900}, key="x")
    street.clock.pass_time(7200)

    looked = await sending.look_after(street.database, street.port(), now=street.now)

    assert looked == 1
    assert (await street.payment(ride_id))["captured_minor"] == 900
    assert await street.standing("card_clearing") == -900


async def test_what_was_given_up_and_captured_all_the_same_goes_back(street: Street) -> None:
    await street.card()
    before = await street.standing("rider", street.rider.id)
    ride_id = await begin(street)
    await street.work()
    payment = await street.payment(ride_id)
    street.double.vault.act(f"/payments/{payment['reference']}/capture", {"amount": 900}, key="x")
    async with street.database.transaction() as tx:
        await service.drop(tx, ride_id=ride_id, now=street.now)

    await street.work()
    await street.work()

    assert (await street.payment(ride_id))["state"] == "refunded"
    assert await street.standing("card_clearing") == 0
    assert await street.standing("rider", street.rider.id) == before
