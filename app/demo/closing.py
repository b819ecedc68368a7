"""The demo's close: two staff phones close the hour's period and pay the drivers, a week later."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from schwifty import IBAN

from app.demo.api_client import Api, Member, RefusedError

# Later than the holding period of a new bank account, and than anything that still went on.
LATER = timedelta(days=8)
PUBLISHED_WITHIN_S, LOOK_EVERY_S = 60.0, 0.5  # real seconds
# What the platform cost in that hour, as parts of its commission: not looked up, and said so.
COSTS = (("servers", "Invoice 1: servers", 0.25), ("support", "Invoice 2: support", 0.15))
# A bank that exists, so that the numbers are in order; the accounts are made up.
_COUNTRY, _BANK = "LI", "08810"


def made_up_iban(number: int) -> str:
    """Return an account number with the right check digits, which is nobody's."""
    return str(IBAN.generate(_COUNTRY, bank_code=_BANK, account_code=f"{number:012}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodClosed:
    """What came of it, as two people of staff saw it; money in minor units."""

    since: datetime
    until: datetime
    steps: list[dict[str, Any]]
    payouts: int
    paid_minor: int
    passed_over: dict[str, int]
    payout_file: Path
    of_ten: list[dict[str, Any]]
    page: Path

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "from": self.since.isoformat(),
            "to": self.until.isoformat(),
            "steps": self.steps,
            "payouts": self.payouts,
            "paid_minor": self.paid_minor,
            "passed_over": self.passed_over,
            "payout_file": str(self.payout_file),
            "of_ten": self.of_ten,
            "page": str(self.page),
        }


async def close_period(
    api: Api,
    *,
    phones: tuple[str, str],
    since: datetime,
    until: datetime,
    commission_minor: int,
    folder: Path,
) -> PeriodClosed:
    """The period is closed for good, and the drivers' money is on its way in a file for the bank.

    What one phone prepares the other lets go. The costs are parts of `commission_minor`.
    """
    first, second = (Member(api, phone=phone) for phone in phones)
    for purpose, document, part in COSTS:
        cost = {"purpose": purpose, "document": document, "day": since.date().isoformat()}
        amount_minor = round(commission_minor * part)
        if amount_minor:
            await first.act("/v1/costs", cost | {"amount_minor": amount_minor})
    span = {"since": since.isoformat(), "until": until.isoformat()}
    draft = await first.act("/v1/surplus/periods", span)
    period = await second.act(f"/v1/surplus/periods/{draft['id']}/confirm")
    prepared = await first.act("/v1/payouts/batches", {})
    batch = f"/v1/payouts/batches/{prepared['id']}"
    released = await second.act(f"{batch}/release")
    await first.act(f"{batch}/file")
    payout_file = folder / "payouts.xml"
    content = await first.fetch(f"{batch}/file")
    await asyncio.to_thread(payout_file.write_bytes, content)
    report = await _published(first, period["id"])
    page = folder / "transparency.html"
    content = await first.fetch(f"/transparency/{period['id']}")
    await asyncio.to_thread(page.write_bytes, content)
    [paid] = [part for part in released["by_state"] if part["state"] == "released"]
    return PeriodClosed(
        since=since,
        until=until,
        steps=[
            {name: step[name] for name in ("words", "amount_minor")} for step in period["steps"]
        ],
        payouts=paid["payouts"],
        paid_minor=paid["amount_minor"],
        passed_over=released["passed_over"],
        payout_file=payout_file,
        of_ten=report["of_ten"],
        page=page,
    )


async def _published(member: Member, period_id: str) -> dict[str, Any]:
    """Return the report once the books of the period are sealed.

    Raises:
        RefusedError: it is not there after longer than anybody would wait.
    """
    end_s = time.monotonic() + PUBLISHED_WITHIN_S
    while True:
        try:
            report: dict[str, Any] = await member.get(f"/v1/transparency/{period_id}")
        except RefusedError as refused:
            if refused.status != 404 or time.monotonic() > end_s:
                raise
            await asyncio.sleep(LOOK_EVERY_S)
        else:
            return report
