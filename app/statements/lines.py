"""What each movement of a driver's account is called on a statement, so that none is left out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from app.ledger.accounts import AccountKind, JournalKind


class Column(StrEnum):
    """Where an amount stands on a statement; above zero it came to the driver."""

    # Together what driving brought:
    FARES = "fares"
    FEES = "fees"  # for rides that did not take place by the rider's fault
    TIPS = "tips"
    TOP_UPS = "top_ups"  # of the pay floor
    COMMISSION = "commission"
    PASSED_ON = "passed_on"  # taken with fares and owed to others, such as a tax
    CORRECTIONS = "corrections"  # what was taken back or put right, in both directions
    # What the cooperative gave back, and what members do for each other:
    SURPLUS_REFUNDS = "surplus_refunds"
    CAPITAL_REPAID = "capital_repaid"
    SOLIDARITY = "solidarity"
    # What has left the account, or never came to it since it was in the driver's hand already:
    CASH_TAKEN = "cash_taken"
    PAID_OUT = "paid_out"
    OTHER = "other"  # what this page does not know yet is shown all the same


EARNED: Final = (
    Column.FARES,
    Column.FEES,
    Column.TIPS,
    Column.TOP_UPS,
    Column.COMMISSION,
    Column.PASSED_ON,
    Column.CORRECTIONS,
)

_ANY: Final = None
# By the kind of a journal and the kind of the account on the other side of the line.
_COLUMNS: Final[Mapping[tuple[str, str | None], Column]] = MappingProxyType(
    {
        (JournalKind.RIDE_FARE, _ANY): Column.FARES,
        (JournalKind.RIDE_FARE, AccountKind.COMMISSION_INCOME): Column.COMMISSION,
        (JournalKind.RIDE_FARE, AccountKind.PASS_THROUGH): Column.PASSED_ON,
        (JournalKind.PEER_RIDE, _ANY): Column.FARES,
        (JournalKind.PEER_RIDE, AccountKind.COMMISSION_INCOME): Column.COMMISSION,
        (JournalKind.PEER_RIDE, AccountKind.PASS_THROUGH): Column.PASSED_ON,
        (JournalKind.RIDE_FEE, _ANY): Column.FEES,
        (JournalKind.RIDE_FEE, AccountKind.COMMISSION_INCOME): Column.COMMISSION,
        (JournalKind.RIDE_FEE, AccountKind.PASS_THROUGH): Column.PASSED_ON,
        (JournalKind.TIP, _ANY): Column.TIPS,
        (JournalKind.PAY_FLOOR, _ANY): Column.TOP_UPS,
        (JournalKind.ADJUSTMENT, _ANY): Column.CORRECTIONS,
        (JournalKind.REFUND_ALLOCATION, _ANY): Column.SURPLUS_REFUNDS,
        (JournalKind.CAPITAL_REDEMPTION, _ANY): Column.CAPITAL_REPAID,
        (JournalKind.SOLIDARITY_PAYMENT, _ANY): Column.SOLIDARITY,
        (JournalKind.SOLIDARITY_CONTRIBUTION, _ANY): Column.SOLIDARITY,
        (JournalKind.CASH_TAKEN, _ANY): Column.CASH_TAKEN,
        (JournalKind.PAYOUT, _ANY): Column.PAID_OUT,
        (JournalKind.PAYOUT_RETURN, _ANY): Column.PAID_OUT,
    }
)


def column_of(kind: str, *, other_side: str, undone_kind: str | None = None) -> Column:
    """Return where a line stands; what takes earnings back is a correction, the rest as it was."""
    if kind == JournalKind.REVERSAL and undone_kind is not None:
        undone = column_of(undone_kind, other_side=other_side)
        return Column.CORRECTIONS if undone in EARNED else undone
    return _COLUMNS.get((kind, other_side)) or _COLUMNS.get((kind, _ANY), Column.OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One movement of a driver's account; above zero it reached the account.

    Attributes:
        other_side: The kind of the account where it came from or went to.
        undone_kind: Of a reversal, the kind of the journal that it takes back.
        ride_id: The ride it is for; None where it is for something else.
    """

    journal_id: int
    line: int
    kind: str
    other_side: str
    undone_kind: str | None
    ride_id: UUID | None
    policy_version_id: UUID | None
    reason: str | None
    effective_at: datetime
    amount_minor: int

    @property
    def column(self) -> Column:
        """Where it stands."""
        return column_of(self.kind, other_side=self.other_side, undone_kind=self.undone_kind)

    @property
    def is_commission(self) -> bool:
        """Whether it is a share that the cooperative took, or gave back."""
        return self.other_side == AccountKind.COMMISSION_INCOME


@dataclass(slots=True)
class Sums:
    """The amounts of some lines by column, in minor units."""

    by_column: dict[Column, int] = field(default_factory=lambda: dict.fromkeys(Column, 0))

    def add(self, line: Line) -> None:
        """Add a line where it stands."""
        self.by_column[line.column] += line.amount_minor

    def take_in(self, other: "Sums") -> None:
        """Add the sums of other lines."""
        for column, amount_minor in other.by_column.items():
            self.by_column[column] += amount_minor

    def __getitem__(self, column: Column) -> int:
        return self.by_column[column]

    @property
    def earned_minor(self) -> int:
        """What driving brought, after the commission and all that was put right."""
        return sum(self.by_column[column] for column in EARNED)

    @property
    def moved_minor(self) -> int:
        """By how much the account changed."""
        return sum(self.by_column.values())


def add_up(lines: Iterable[Line]) -> Sums:
    """Return the sums of these lines; together they are what the account changed by."""
    sums = Sums()
    for line in lines:
        sums.add(line)
    return sums
