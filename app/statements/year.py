"""A driver-member's year: what it brought, quarter by quarter as a tax office asks, and capital."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.ledger.accounts import AccountKind, JournalKind
from app.statements.earnings import Earnings
from app.statements.lines import EARNED, Line
from app.statements.periods import Period

# What goes to these was withheld from what riders paid.
_WITHHELD_BY: Final = (AccountKind.COMMISSION_INCOME, AccountKind.PASS_THROUGH)
_FARES: Final = (JournalKind.RIDE_FARE, JournalKind.PEER_RIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter:
    """What a platform tells a tax office of a quarter (directive (EU) 2021/514, "DAC7").

    `gross_minor` is what was credited for driving, `withheld_minor` the commission and what was
    passed on of it; their difference is what was earned. `rides` are those with a fare that was
    not taken back.
    """

    period: Period
    gross_minor: int
    withheld_minor: int
    rides: int

    @property
    def earned_minor(self) -> int:
        """What is left."""
        return self.gross_minor - self.withheld_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountYear:
    """What one of a member's other accounts held before the year, and what moved it."""

    kind: str
    opening_minor: int
    credits_minor: int
    debits_minor: int

    @property
    def closing_minor(self) -> int:
        """What it held after the year."""
        return self.opening_minor + self.credits_minor - self.debits_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class SurplusRefund:
    """What came back of a closed period's surplus, in money and as a lot of capital."""

    since: datetime
    until: datetime
    allotted_at: datetime
    commission_minor: int
    engaged_s: int
    cash_minor: int
    capital_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YearStatement:
    """All that a yearly statement says."""

    year: int
    earnings: Earnings
    quarters: tuple[Quarter, ...]
    refunds: tuple[SurplusRefund, ...]
    accounts: tuple[AccountYear, ...]


def reckon_quarters(lines: Iterable[Line], *, periods: Iterable[Period]) -> tuple[Quarter, ...]:
    """Return each period's quarter; together they are what the year's lines say was earned."""
    kept = list(lines)
    return tuple(
        _quarter([one for one in kept if period.since <= one.effective_at < period.until], period)
        for period in periods
    )


def _quarter(lines: list[Line], period: Period) -> Quarter:
    earned = [line for line in lines if line.column in EARNED]
    withheld = [line for line in earned if line.other_side in _WITHHELD_BY]
    fares = {line.ride_id for line in lines if line.kind in _FARES}
    undone = {line.ride_id for line in lines if line.undone_kind in _FARES}
    return Quarter(
        period=period,
        gross_minor=sum(one.amount_minor for one in earned)
        - sum(one.amount_minor for one in withheld),
        withheld_minor=-sum(one.amount_minor for one in withheld),
        rides=len(fares - undone),
    )
