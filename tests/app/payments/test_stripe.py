"""Stripe behind the port: what it is asked, and what its answers and events mean.

The shapes are those of Stripe's published examples, with amounts and names of one story.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qs
from uuid import UUID

import pytest
import stripe

from app.payments.port import Done, EventInvalid, Outcome, Refused, Seen, Unknown
from app.payments.stripe_port import StripePort
from app.settings import SettingsError, load_settings

SHAPES = Path(__file__).parent / "stripe_shapes"
SECRET = "whsec_of_tests"
PAYMENT_ID = UUID("019aab1c-2d3e-7f40-8a5b-6c7d8e9f0a1d")
REFERENCE = "pi_3MrPBM2eZvKYlo2C1TEMacFD"


class Recorded(stripe.HTTPClient):
    """A line on which one recorded answer waits, and which keeps what was asked.

    What is asked of the card and of whose it is, gets answers of its own.
    """

    name = "recorded"

    def __init__(
        self, shape: str, status: int, *, card: str = "card_kept", disputes: str = "disputes_none"
    ) -> None:
        super().__init__()
        self._shape, self._status, self._card, self._disputes = shape, status, card, disputes
        self.asked: list[tuple[str, str, Mapping[str, str], dict[str, list[str]]]] = []

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        self.asked.append((method, url, headers, parse_qs(post_data or "")))
        shape, status = self._shape, self._status
        if "/payment_methods/" in url:
            shape, status = self._card, 200
        elif url.endswith("/customers"):
            shape, status = "customer", 200
        elif "/disputes" in url:
            shape, status = self._disputes, 200
        answer = (SHAPES / f"{shape}.json").read_bytes()
        return answer, status, {"Request-Id": "req_of_tests"}

    async def close_async(self) -> None:
        """Nothing is open."""


class Broken(Recorded):
    """A line on which nothing comes back."""

    async def request_async(self, *_: Any, **__: Any) -> NoReturn:
        raise stripe.APIConnectionError("the line is dead")


def stripe_port(line: stripe.HTTPClient) -> StripePort:
    return StripePort(secret_key="sk_test_of_tests", webhook_secret=SECRET, http_client=line)


async def authorise(line: stripe.HTTPClient, *, currency: str = "CHF") -> Outcome:
    return await stripe_port(line).authorise(
        payment_id=PAYMENT_ID,
        token="pm_1MrPBL2eZvKYlo2CAlxUDpDq",
        amount_minor=4465,
        currency=currency,
        key="our-key",
    )


def seen(**sums: Any) -> Seen:
    whole: dict[str, Any] = {
        "authorised_minor": 0,
        "captured_minor": 0,
        "refunded_minor": 0,
        "payment_id": PAYMENT_ID,
        "reference": REFERENCE,
    }
    return Seen(**(whole | sums))


async def test_an_authorisation_is_captured_by_hand_and_asked_for_under_our_key() -> None:
    line = Recorded("authorised", 200)

    outcome = await authorise(line)

    assert outcome == Done(seen(authorised_minor=4465))
    method, url, headers, body = line.asked[-1]
    assert (method, url) == ("post", "https://api.stripe.com/v1/payment_intents")
    assert headers["Idempotency-Key"] == "our-key"
    assert body["capture_method"] == ["manual"]
    assert (body["amount"], body["currency"]) == (["4465"], ["chf"])
    assert body["metadata[payment_id]"] == [str(PAYMENT_ID)]


async def test_a_card_is_kept_with_a_holder_since_else_it_would_pay_once_alone() -> None:
    new, kept = Recorded("authorised", 200, card="card_new"), Recorded("authorised", 200)

    for line in (new, kept):
        await authorise(line)

    paths = [
        [url.removeprefix("https://api.stripe.com/v1") for _, url, _, _ in line.asked]
        for line in (new, kept)
    ]
    card = "/payment_methods/pm_1MrPBL2eZvKYlo2CAlxUDpDq"
    assert paths == [
        [card, "/customers", f"{card}/attach", "/payment_intents"],
        [card, "/payment_intents"],
    ]
    assert new.asked[2][3]["customer"] == ["cus_NffrFeUfNV2Hib"]
    for line in (new, kept):
        assert line.asked[-1][3]["customer"] == ["cus_NffrFeUfNV2Hib"]


@pytest.mark.parametrize("currency", ["ISK", "KWD"])
async def test_nothing_is_taken_in_a_currency_that_stripe_counts_otherwise(currency: str) -> None:
    line = Recorded("authorised", 200)

    assert await authorise(line, currency=currency) == Refused("currency_not_supported")
    assert line.asked == []


async def test_what_a_partial_capture_lets_go_was_never_captured_nor_refunded() -> None:
    line = Recorded("captured_in_part", 200)

    outcome = await stripe_port(line).capture(reference=REFERENCE, amount_minor=4000, key="k")

    assert outcome == Done(seen(authorised_minor=4000, captured_minor=4000))
    assert line.asked[0][3]["amount_to_capture"] == ["4000"]


async def test_a_void_leaves_nothing() -> None:
    line = Recorded("canceled", 200)

    outcome = await stripe_port(line).void(reference=REFERENCE, key="k")

    assert outcome == Done(seen(failure="requested_by_customer"))
    assert line.asked[0][1].endswith(f"/v1/payment_intents/{REFERENCE}/cancel")


@pytest.mark.parametrize(("disputes", "minor"), [("disputes", 4000), ("disputes_none", 0)])
async def test_asking_tells_what_a_bank_took_back_though_no_event_did(
    disputes: str, minor: int
) -> None:
    port = stripe_port(Recorded("captured_in_part", 200, disputes=disputes))

    outcome = await port.look_up(reference=REFERENCE)

    assert outcome == Done(seen(authorised_minor=4000, captured_minor=4000, withdrawn_minor=minor))


async def test_a_refund_says_how_much_went_back_in_all() -> None:
    outcome = await stripe_port(Recorded("refund", 200)).refund(
        reference=REFERENCE, amount_minor=1500, key="k"
    )

    assert outcome == Done(seen(authorised_minor=4000, captured_minor=4000, refunded_minor=1500))


async def test_a_decline_is_final_and_says_why() -> None:
    outcome = await authorise(Recorded("declined", 402))

    assert outcome == Refused("insufficient_funds", seen(failure="insufficient_funds"))


async def test_a_capture_that_came_too_late_is_final() -> None:
    port = stripe_port(Recorded("capture_expired", 400))

    outcome = await port.capture(reference=REFERENCE, amount_minor=4000, key="k")

    assert outcome == Refused("payment_intent_unexpected_state")


@pytest.mark.parametrize(
    ("shape", "status"), [("in_flight", 409), ("rate_limit", 429), ("api_error", 500)]
)
async def test_what_asking_again_may_mend_is_unknown(shape: str, status: int) -> None:
    assert isinstance(await authorise(Recorded(shape, status)), Unknown)


async def test_a_dead_line_leaves_the_outcome_unknown() -> None:
    assert isinstance(await authorise(Broken("api_error", 500)), Unknown)


def told(shape: str, *, secret: str = SECRET, at_s: int | None = None) -> Any:
    body = (SHAPES / f"{shape}.json").read_bytes()
    at_s = int(time.time()) if at_s is None else at_s
    code = hmac.new(secret.encode(), f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    port = stripe_port(Recorded("api_error", 500))
    return port.read_event(body, signature=f"t={at_s},v1={code}")


@pytest.mark.parametrize(
    ("shape", "sums"),
    [
        ("event_refunded", {"captured_minor": 4000, "refunded_minor": 1500}),
        ("event_withdrawn", {"withdrawn_minor": 4000}),
        ("event_reinstated", {"withdrawn_minor": 4000, "reinstated_minor": 4000}),
        ("event_expired", {"failure": "expired"}),
    ],
)
def test_an_event_tells_sums(shape: str, sums: dict[str, Any]) -> None:
    event = told(shape)

    assert event.event_id == json.loads((SHAPES / f"{shape}.json").read_bytes())["id"]
    assert event.seen.reference == REFERENCE
    assert {name: getattr(event.seen, name) for name in sums} == sums


def test_an_event_of_something_else_tells_of_no_payment() -> None:
    assert told("event_other").seen is None


def test_an_event_that_stripe_did_not_sign_or_long_ago_is_refused() -> None:
    with pytest.raises(EventInvalid):
        told("event_refunded", secret="whsec_of_somebody")
    with pytest.raises(EventInvalid):
        told("event_refunded", at_s=1_700_000_000)
    with pytest.raises(EventInvalid, match="endpoint"):
        told("event_of_an_old_endpoint")


def test_stripe_is_off_until_both_its_secrets_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().payment_provider == "local"
    monkeypatch.setenv("MEENT_PAYMENT_PROVIDER", "stripe")
    monkeypatch.setenv("MEENT_STRIPE_SECRET_KEY", "sk_live_secret")
    with pytest.raises(SettingsError, match="MEENT_STRIPE_WEBHOOK_SECRET"):
        load_settings()
    monkeypatch.setenv("MEENT_STRIPE_WEBHOOK_SECRET", "whsec_secret")
    settings = load_settings()

    assert settings.payment_provider == "stripe"
    said = f"{settings!r} {settings.stripe_secret_key} {settings.stripe_webhook_secret}"
    assert "sk_live" not in said
    assert "whsec" not in said
