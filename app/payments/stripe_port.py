"""The port in front of Stripe: PaymentIntents that are authorised first and captured later."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import stripe

from app.payments.port import Done, EventInvalid, Outcome, Refused, Seen, Told, Unknown

NAME: Final = "stripe"
# Before this version a charge counted what a partial capture let go as refunded.
OLDEST_API: Final = "2025-03-31"
TIMEOUT_S: Final = 20.0
# Of these Stripe counts other units than ISO 4217 has, or takes round amounts alone: it would take
# a hundredth of what is owed, or a hundred times that, or nothing. See https://docs.stripe.com/currencies.
COUNTED_OTHERWISE: Final = frozenset({"ISK", "UGX", "MGA", "BHD", "JOD", "KWD", "OMR", "TND"})
# The charge of an intent says what was given back of it.
_WHOLE: Final = ["latest_charge"]


def _payment_id(metadata: Any) -> UUID | None:
    """Return our own name of a payment, which Stripe keeps in its metadata."""
    try:
        return UUID(metadata["payment_id"])
    except (KeyError, TypeError, ValueError):
        return None


def _failure(intent: Any) -> str | None:
    """Return why nothing can be had of an intent any more."""
    if intent["status"] == "canceled":
        return str(intent.get("cancellation_reason") or "canceled")
    error = intent.get("last_payment_error")
    if intent["status"] == "requires_payment_method" and error:
        return str(error.get("decline_code") or error.get("code") or "declined")
    return "authentication_required" if intent["status"] == "requires_action" else None


def seen_intent(intent: Any) -> Seen:
    """Return what a PaymentIntent says. Its charge, where it is whole, says what was refunded."""
    charge = intent.get("latest_charge")
    whole = charge if isinstance(charge, dict) else {}
    received = intent.get("amount_received") or 0
    return Seen(
        payment_id=_payment_id(intent.get("metadata")),
        reference=intent["id"],
        authorised_minor=max(intent.get("amount_capturable") or 0, received),
        captured_minor=received,
        refunded_minor=min(received, whole.get("amount_refunded") or 0),
        failure=_failure(intent),
    )


def seen_charge(charge: Any) -> Seen | None:
    """Return what a Charge says; None for one of no PaymentIntent."""
    intent_id = charge.get("payment_intent")
    if intent_id is None:
        return None
    captured = charge.get("amount_captured") or 0
    return Seen(
        payment_id=_payment_id(charge.get("metadata")),
        reference=intent_id,
        authorised_minor=captured,
        captured_minor=captured,
        refunded_minor=min(captured, charge.get("amount_refunded") or 0),
    )


def seen_dispute(dispute: Any) -> Seen | None:
    """Return what the movements of a Dispute say: what the bank took back, and gave up again."""
    intent_id = dispute.get("payment_intent")
    if intent_id is None:
        return None
    moves = [move["amount"] for move in dispute.get("balance_transactions") or ()]
    return Seen(
        payment_id=_payment_id(dispute.get("metadata")),
        reference=intent_id,
        authorised_minor=0,
        captured_minor=0,
        refunded_minor=0,
        withdrawn_minor=-sum(minor for minor in moves if minor < 0),
        reinstated_minor=sum(minor for minor in moves if minor > 0),
    )


_READERS: Final = MappingProxyType(
    {"payment_intent": seen_intent, "charge": seen_charge, "dispute": seen_dispute}
)


class StripePort:
    """Stripe, by the keys of an account. ``http_client`` stands in for the network in tests."""

    def __init__(
        self,
        *,
        secret_key: str,
        webhook_secret: str,
        http_client: stripe.HTTPClient | None = None,
    ) -> None:
        self._webhook_secret = webhook_secret
        self._http = http_client or stripe.HTTPXClient(timeout=TIMEOUT_S)
        # The worker tries again itself, after pauses and with the outcome recorded.
        self._client = stripe.StripeClient(
            secret_key, http_client=self._http, max_network_retries=0
        )

    @property
    def name(self) -> str:
        """The provider's name."""
        return NAME

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call] # theirs has no types

    async def authorise(
        self, *, payment_id: UUID, token: str, amount_minor: int, currency: str, key: str
    ) -> Outcome:
        """Set an amount aside; a card that asks its holder first is refused, who is not there.

        So is one in a currency that Stripe counts otherwise than we do.
        """
        if currency in COUNTED_OTHERWISE:
            return Refused("currency_not_supported")
        try:
            holder = await self._holder(token)
        except stripe.StripeError as error:
            return _outcome(error)
        return await self._intent(
            self._client.v1.payment_intents.create_async(
                {
                    "amount": amount_minor,
                    "currency": currency.lower(),
                    "customer": holder,
                    "payment_method": token,
                    "allowed_payment_method_types": ["card"],
                    "capture_method": "manual",
                    "confirm": True,
                    "error_on_requires_action": True,
                    "metadata": {"payment_id": str(payment_id)},
                    "expand": _WHOLE,
                },
                {"idempotency_key": key},
            )
        )

    async def _holder(self, token: str) -> str:
        """Return whose card it is at Stripe, where a card of nobody pays once and never again."""
        card = (await self._client.v1.payment_methods.retrieve_async(token)).to_dict()
        if card["customer"] is not None:
            return str(card["customer"])
        made = await self._client.v1.customers.create_async(
            {}, {"idempotency_key": f"{token}:holder"}
        )
        await self._client.v1.payment_methods.attach_async(token, {"customer": made.id})
        return made.id

    async def capture(self, *, reference: str, amount_minor: int, key: str) -> Outcome:
        """Take what was set aside, or a part of it."""
        return await self._intent(
            self._client.v1.payment_intents.capture_async(
                reference,
                {"amount_to_capture": amount_minor, "expand": _WHOLE},
                {"idempotency_key": key},
            )
        )

    async def void(self, *, reference: str, key: str) -> Outcome:
        """Let go what was set aside."""
        return await self._intent(
            self._client.v1.payment_intents.cancel_async(
                reference, {"expand": _WHOLE}, {"idempotency_key": key}
            )
        )

    async def refund(self, *, reference: str, amount_minor: int, key: str) -> Outcome:
        """Give back what was captured, or a part of it; the charge then says how much in all."""
        try:
            refund = await self._client.v1.refunds.create_async(
                {"payment_intent": reference, "amount": amount_minor, "expand": ["charge"]},
                {"idempotency_key": key},
            )
        except stripe.StripeError as error:
            return _outcome(error)
        whole = refund.to_dict()
        if whole["status"] in ("failed", "canceled"):
            return Refused(str(whole.get("failure_reason") or whole["status"]))
        seen = seen_charge(whole["charge"])
        return Unknown("a refund of no intent") if seen is None else Done(seen)

    async def look_up(self, *, reference: str) -> Outcome:
        """Return a payment as Stripe sees it now, with what the rider's bank took back of it."""
        outcome = await self._intent(
            self._client.v1.payment_intents.retrieve_async(reference, {"expand": _WHOLE})
        )
        if not isinstance(outcome, Done) or not outcome.seen.captured_minor:
            return outcome
        try:
            found = await self._client.v1.disputes.list_async({"payment_intent": reference})
        except stripe.StripeError as error:
            return _outcome(error)
        disputes = [seen for one in found.to_dict()["data"] if (seen := seen_dispute(one))]
        seen = replace(
            outcome.seen,
            withdrawn_minor=sum(one.withdrawn_minor for one in disputes),
            reinstated_minor=sum(one.reinstated_minor for one in disputes),
        )
        return Done(seen)

    async def _intent(self, request: Any) -> Outcome:
        try:
            intent = (await request).to_dict()
        except stripe.StripeError as error:
            return _outcome(error)
        seen = seen_intent(intent)
        if intent["status"] in ("requires_payment_method", "requires_action"):
            return Refused(seen.failure or intent["status"], seen)
        return Done(seen)

    def read_event(self, body: bytes, *, signature: str | None) -> Told:
        """Return what an event tells; of things that are no payments it tells nothing.

        Raises:
            EventInvalid: it is not signed by Stripe, or was long ago.
        """
        try:
            event = stripe.Webhook.construct_event(body, signature, self._webhook_secret).to_dict()
        except (stripe.SignatureVerificationError, ValueError) as invalid:
            raise EventInvalid("not signed by Stripe") from invalid
        if (event.get("api_version") or "") < OLDEST_API:
            raise EventInvalid(f"of an API version before {OLDEST_API}: renew the endpoint")
        thing = event["data"]["object"]
        reader = _READERS.get(thing.get("object"))
        return Told(event["id"], event["type"], None if reader is None else reader(thing))


def _outcome(error: stripe.StripeError) -> Outcome:
    """Return what an error means. Only what is certainly a refusal for good is one."""
    code = getattr(getattr(error, "error", None), "decline_code", None) or error.code
    status = error.http_status or 0
    if isinstance(error, stripe.CardError):
        body: Any = error.json_body or {}
        intent = body.get("error", {}).get("payment_intent")
        return Refused(code or "declined", None if intent is None else seen_intent(intent))
    # Another request under this key is still at work (409), or the fault is theirs or the way's.
    if isinstance(error, stripe.IdempotencyError) and status == 409:
        return Unknown("still at work")
    if status in (409, 429) or status >= 500 or isinstance(error, stripe.APIConnectionError):
        return Unknown(type(error).__name__)
    # Of wrong keys of ours a person is to hear; what was asked is still right.
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return Unknown(type(error).__name__)
    return Refused(code or type(error).__name__)
