"""Each command of payments, taken once from the beginning, for tests over every command."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from app.foundation.ids import new_id
from app.ledger import postings
from app.ledger import service as ledger
from app.payments import service
from app.payments.local_provider.adapter import SIGNATURE_HEADER
from app.payments.local_provider.server import sign
from tests.factories import make_member
from tests.steps import ask_price, book, take

CARD = {"token": "tok_visa", "label": "card ending 4242"}
CLIENT = {
    "name": "Hospital of Vaduz",
    "billing_address": "Heiligkreuz 25, 9490 Vaduz",
    "vat_number": "LI54321",
    "limit_minor": 500_000,
}
SETTLEMENT = {
    "provider": "local",
    "reference": "po_1",
    "gross_minor": 120_000,
    "fee_minor": 2_150,
    "day": "2026-05-22",
}


async def _register(s: Any) -> httpx.Response:
    return await take(s.client, s.rider, "/v1/me/payment-methods", **CARD)


async def _remove(s: Any) -> httpx.Response:
    card = (await _register(s)).json()
    path = f"/v1/me/payment-methods/{card['id']}"
    answer: httpx.Response = await s.client.delete(path, headers=s.rider.act)
    return answer


async def _retry(s: Any) -> httpx.Response:
    """A tip whose card gave nothing, and a card that gives."""
    await _register(s)
    rider = await make_member(s.owner, now=s.clock.now())
    ride = await book(s.client, rider)
    payment_id = new_id()
    await s.owner.execute(
        "insert into payment (id, ride_id, rider_id, kind, key, method, state, amount_minor,"
        " failure, failed_at, begun_at) values ($1, $2, $3, 'extra', 'tip', 'cash', 'failed', 500,"
        " 'limit_reached', $4, $4)",
        payment_id,
        ride["id"],
        s.rider.id,
        s.clock.now(),
    )
    accounts = "select id from account where kind = $1 and member_id = $2"
    async with s.app.state.database.transaction() as tx:
        owed = postings.tip(
            rider_id=await tx.value(accounts, "rider", s.rider.id),
            driver_id=await tx.value(accounts, "driver", s.driver.id),
            amount_minor=500,
        )
        await ledger.post(
            tx, owed, scope="tip", key=str(payment_id), subject_id=payment_id, now=s.clock.now()
        )
    return await take(s.client, s.rider, f"/v1/me/payments/{payment_id}/retry")


async def _event(s: Any) -> httpx.Response:
    payment = (
        f'{{"id": "pay_1", "ours": "{new_id()}", "authorised": 1, "captured": 0, "refunded": 0,'
        ' "withdrawn": 0, "reinstated": 0, "failure": null}'
    )
    body = f'{{"id": "evt_1", "type": "payment.authorised", "payment": {payment}}}'.encode()
    secret = s.app.state.card_provider.double.secret
    headers = {SIGNATURE_HEADER: sign(body, secret=secret, at_s=int(time.time()))}
    answer: httpx.Response = await s.client.post(
        "/v1/payment-webhooks/local", content=body, headers=headers
    )
    return answer


async def _open(s: Any) -> httpx.Response:
    return await take(s.client, s.staff, "/v1/contract-clients", **CLIENT)


def _riders(*steps: str) -> Callable[[Any], Awaitable[httpx.Response]]:
    async def act(s: Any) -> httpx.Response:
        client_id = (await _open(s)).json()["id"]
        for step in steps:
            path = f"/v1/contract-clients/{client_id}/{step}"
            answer = await take(s.client, s.staff, path, rider_id=str(s.rider.id))
        return answer

    return act


async def _invoice(s: Any) -> httpx.Response:
    client_id = (await _riders("riders")(s)).json()["id"]
    quote = await ask_price(s.client, s.rider)
    wish = {"quote_id": quote["id"], "payment_method": "invoice"}
    ride = (await take(s.client, s.rider, "/v1/rides", **wish)).json()
    async with s.app.state.database.transaction() as tx:
        await service.settle(
            tx,
            ride_id=ride["id"],
            rider_id=s.rider.id,
            driver_id=s.driver.id,
            amount_minor=900,
            took_place=True,
            now=s.clock.now(),
        )
    s.clock.pass_time(20 * 24 * 3600)
    await s.owner.execute(
        "update session set access_expires_at = access_expires_at + interval '99 d'"
    )
    path = f"/v1/contract-clients/{client_id}/invoices"
    return await take(s.client, s.staff, path, month="2026-05")


async def _paid(s: Any) -> httpx.Response:
    invoice_id = (await _invoice(s)).json()["id"]
    return await take(s.client, s.staff, f"/v1/invoices/{invoice_id}/paid")


async def _limit(s: Any) -> httpx.Response:
    answer: httpx.Response = await s.client.put(
        "/v1/cash-limit", json={"limit_minor": 30_000}, headers=s.staff.act
    )
    return answer


PAYMENT_ACTS: dict[str, Callable[[Any], Awaitable[httpx.Response]]] = {
    "register_payment_method": _register,
    "remove_payment_method": _remove,
    "retry_payment": _retry,
    "take_payment_event": _event,
    "open_contract_client": _open,
    "authorise_contract_rider": _riders("riders"),
    "end_contract_rider": _riders("riders", "riders/end"),
    "issue_invoice": _invoice,
    "book_invoice_paid": _paid,
    "book_card_settlement": lambda s: take(s.client, s.staff, "/v1/card-settlements", **SETTLEMENT),
    "set_cash_limit": _limit,
}
