"""The statutes in force: what the assembly goes by, each figure as founded or last voted."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.assembly import queries
from app.foundation.database import Transaction
from governance.electorate import House, RollRules
from governance.legal_form import LEGAL_FORMS, LegalForm
from governance.proposal import Durations
from governance.tally import Majority


@dataclass(frozen=True, slots=True)
class StatutesInForce:
    """What the statutes say at a moment; shares in basis points, money in minor units."""

    durations: Durations
    roll_rules: RollRules
    zone: ZoneInfo
    houses: tuple[House, ...]
    share_minor: dict[House, int]
    panel_size: int
    text_majority: Majority
    commission_ceiling_bp: int
    commission_largest_step_bp: int
    reserve_bp: int
    education_bp: int
    patronage_hours_bp: int
    legal_form: LegalForm
    refund_cash_bp: int
    reserve_bears_losses: bool


async def statutes_in_force(reader: Transaction, *, at: datetime) -> StatutesInForce:
    """Return the statutes in force at a moment; the cooperative's founding sets every figure."""
    row = await queries.find_statutes(reader, at=at)
    assert row is not None, "no statutes are in force: was the cooperative founded?"
    figures: dict[str, Any] = row["figures"]
    return StatutesInForce(
        durations=Durations(
            **{field.name: _lasting(figures, field.name) for field in fields(Durations)}
        ),
        roll_rules=RollRules(
            waiting=_lasting(figures, "waiting"),
            active_for=_lasting(figures, "active_for"),
            quorum_bp=figures["quorum_bp"],
            support_bp=figures["support_bp"],
            least_supporters=figures["least_supporters"],
        ),
        zone=ZoneInfo(row["time_zone"]),
        houses=tuple(House(house) for house in figures["houses"]),
        share_minor={house: figures[f"share_{house}_minor"] for house in House},
        panel_size=figures["panel_size"],
        text_majority=Majority(*figures["text_majority"]),
        commission_ceiling_bp=figures["commission_ceiling_bp"],
        commission_largest_step_bp=figures["commission_largest_step_bp"],
        reserve_bp=figures["reserve_bp"],
        education_bp=figures["education_bp"],
        patronage_hours_bp=figures["patronage_hours_bp"],
        legal_form=LEGAL_FORMS[figures["legal_form"]],
        refund_cash_bp=figures["refund_cash_bp"],
        reserve_bears_losses=figures["losses"] == "reserve",
    )


def _lasting(figures: dict[str, Any], stage: str) -> timedelta:
    return timedelta(seconds=figures[f"{stage}_s"])
