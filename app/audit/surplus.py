"""Audits the surplus: its guards stand, each close works out again, capital is its lots."""

from typing import Any

from app.audit.elections import reading_json
from app.surplus.recount import Recounted, recount_periods

RECOUNT = "closed periods come out again as they were closed"

UNIQUE_INDEXES = (
    "a_period_is_closed_once",
    "one_period_after_another",
    "a_refund_has_its_own_journal",
    "member_refund_pkey",
)
CONSTRAINTS = (
    "periods_last",
    "periods_follow_without_a_gap",
    "two_people_close_a_period",
    "operators_give_a_name",
    "refunds_are_positive",
    "redemptions_are_positive",
    "nobody_redeems_their_own_capital",
)
APPEND_ONLY = ("surplus_draft", "surplus_period", "member_refund", "capital_redemption")


async def recount_closed(connection: Any) -> Recounted:
    """Work every closed period out again: no statement divides to the cent."""
    async with reading_json(connection) as reader:
        return await recount_periods(reader)
