"""How it stands with the fund, as every member may know it."""

from datetime import datetime
from typing import Any

from app.foundation.database import Transaction
from app.ledger.queries import currency
from app.solidarity.queries import fund as queries
from app.solidarity.service.policies import (
    cap_in_force,
    longest_months,
    rules_in_force,
    today,
    waiting_days,
)
from app.solidarity.words import LAW, PRIVACY, state_in_words
from governance.solidarity.gifts import first_of_month, later_month
from governance.solidarity.rules import CIRCLE_LEAST, CIRCLE_MOST, TIERS_MINOR
from governance.solidarity.showing import (
    FundPayment,
    ShownPayments,
    rounded_minor,
    shown_payments,
)


async def get_state(reader: Transaction, *, now: datetime) -> dict[str, Any]:
    """Return the rules in force, this month's contribution and the fund to one digit."""
    rules = await rules_in_force(reader, at=now)
    month = first_of_month(await today(reader, now=now))
    this = await queries.find_month(reader, month=month)
    after = await queries.find_month(reader, month=later_month(month, months=1))
    rate_bp = this["rate_bp"] if this is not None else rules.contribution_bp
    next_rate_bp = after["rate_bp"] if after is not None else None
    seen = after if after is not None else this
    expected = seen["expected_claims_minor"] if seen is not None else 0
    reserve = max(seen["fund_minor"], 0) // expected if seen is not None and expected else None
    return {
        "currency": await currency(reader),
        "words": state_in_words(
            rate_bp=rate_bp,
            next_rate_bp=next_rate_bp,
            base_bp=rules.contribution_bp,
            reserve_months=reserve,
        ),
        "law": LAW,
        "privacy": PRIVACY,
        "rules": {
            "contribution_bp": rules.contribution_bp,
            "contribution_most_bp": rules.contribution_most_bp,
            "guarantee_cap_minor": (await cap_in_force(reader, at=now)).value,
            "gift_waiting_days": await waiting_days(reader, at=now),
            "gift_longest_months": await longest_months(reader, at=now),
        },
        "tiers_minor": list(TIERS_MINOR),
        "circle_least": CIRCLE_LEAST,
        "circle_most": CIRCLE_MOST,
        "rate_bp": rate_bp,
        "next_rate_bp": next_rate_bp,
        "fund_about_minor": rounded_minor(seen["fund_minor"]) if seen is not None else 0,
        "fund_as_of": seen["decided_at"] if seen is not None else None,
        "reserve_months": reserve,
    }


async def list_shown(reader: Transaction, *, now: datetime) -> list[ShownPayments]:
    """Return what the fund paid in months that are over, so that nobody can be made out."""
    month = first_of_month(await today(reader, now=now))
    rows = await queries.list_paid(reader, before=month)
    return shown_payments(FundPayment(**row) for row in rows)
