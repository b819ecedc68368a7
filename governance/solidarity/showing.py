"""What all members see of payments: months added up until no single person can be made out."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from governance.solidarity.rules import LEAST_PEOPLE_SHOWN


@dataclass(frozen=True, slots=True)
class FundPayment:
    """Something the fund paid: in which month (its first day), what for, to whom, how much."""

    month: date
    kind: str
    person: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class ShownPayments:
    """Payments of one kind in whole months, to ten people or more, without a name."""

    since: date
    through: date
    kind: str
    payments: int
    amount_minor: int


def shown_payments(
    payments: Iterable[FundPayment], *, least_people: int = LEAST_PEOPLE_SHOWN
) -> list[ShownPayments]:
    """Return what may be shown: whole months of one kind, together until ten people are in them.

    A person who is paid in many months counts once. What comes later changes no group that was
    shown before, so nothing can be found by comparing; the newest months, in which too few people
    were paid, are left out until there are more. Months must be over: `payments` holds none of
    the current one.
    """
    by_kind: dict[str, dict[date, list[FundPayment]]] = defaultdict(lambda: defaultdict(list))
    for payment in payments:
        by_kind[payment.kind][payment.month].append(payment)
    shown = []
    for kind, months in sorted(by_kind.items()):
        gathered: list[FundPayment] = []
        for month in sorted(months):
            gathered += months[month]
            if len({payment.person for payment in gathered}) >= least_people:
                total = sum(payment.amount_minor for payment in gathered)
                shown.append(ShownPayments(gathered[0].month, month, kind, len(gathered), total))
                gathered = []
    return shown


def rounded_minor(amount_minor: int) -> int:
    """Return an amount to one leading digit, rounded down: from the fund no gift can be read."""
    if amount_minor <= 0:
        return 0
    step: int = 10 ** (len(str(amount_minor)) - 1)
    return amount_minor // step * step
