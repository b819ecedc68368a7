"""Clears what cooperatives owe each other: lists compared line by line, many debts made few."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Entry:
    """One clearing between two cooperatives; the creditor gets the amount, below zero gives it."""

    clearing_id: UUID
    creditor: UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A clearing on which two lists disagree; None where a list does not have it.

    An amount is above zero where whoever keeps the first list is to get it.
    """

    clearing_id: UUID
    ours_minor: int | None
    theirs_minor: int | None


@dataclass(frozen=True, slots=True)
class Position:
    """What one cooperative owes another in one currency; below zero it is owed that much."""

    debtor: str
    creditor: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Payment:
    """An amount above zero that one cooperative pays another, so that all are quits."""

    payer: str
    payee: str
    currency: str
    amount_minor: int


def compare(
    ours: Iterable[Entry], theirs: Iterable[Entry], *, own_id: UUID
) -> tuple[Difference, ...]:
    """Name every clearing that is not the same in both lists, in order of its id.

    Refused (ValueError): a list that names a clearing twice.
    """
    own, other = _by_id(ours, own_id=own_id), _by_id(theirs, own_id=own_id)
    return tuple(
        Difference(clearing_id, own.get(clearing_id), other.get(clearing_id))
        for clearing_id in sorted(own.keys() | other.keys())
        if own.get(clearing_id) != other.get(clearing_id)
    )


def _by_id(entries: Iterable[Entry], *, own_id: UUID) -> dict[UUID, int]:
    signed: dict[UUID, int] = {}
    for entry in entries:
        if entry.clearing_id in signed:
            raise ValueError(f"clearing {entry.clearing_id} is listed twice")
        is_ours = entry.creditor == own_id
        signed[entry.clearing_id] = entry.amount_minor if is_ours else -entry.amount_minor
    return signed


def net_positions(positions: Iterable[Position]) -> dict[str, dict[str, int]]:
    """What stands for each cooperative over all others, by currency and name, in order.

    Above zero it is to be paid that much, below zero it is to pay. The sum of each currency is
    exactly 0; a cooperative that is quits is listed with 0. Amounts are whole minor units.
    Refused (ValueError): a cooperative that owes itself, an amount that is no whole number.
    """
    nets: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for position in positions:
        if position.debtor == position.creditor:
            raise ValueError(f"{position.debtor} cannot owe itself")
        if type(position.amount_minor) is not int:
            raise ValueError(f"amounts are whole minor units, got {position.amount_minor!r}")
        nets[position.currency][position.debtor] -= position.amount_minor
        nets[position.currency][position.creditor] += position.amount_minor
    return {currency: dict(sorted(nets[currency].items())) for currency in sorted(nets)}


def settle(nets: Mapping[str, Mapping[str, int]]) -> tuple[Payment, ...]:
    """The payments after which everybody is quits, by currency, the largest first.

    Whoever is to pay most pays whoever is to get most, as much as makes one of the two quits; of
    equals the smaller name comes first. Each payment makes one cooperative quits and the last one
    two, so n cooperatives that are not quits need at most n - 1 payments per currency. The fewest
    possible is not sought: that is NP-hard, as it must find parts that sum to zero (Verhoeff,
    "Settling multiple debts efficiently", 2004). Nobody pays more than their net, nor do any both
    pay and get. Refused (ValueError): a currency whose nets do not sum to 0.
    """
    return tuple(
        payment
        for currency in sorted(nets)
        for payment in _settle_one(currency, nets=nets[currency])
    )


def _settle_one(currency: str, *, nets: Mapping[str, int]) -> Sequence[Payment]:
    if sum(nets.values()) != 0:
        raise ValueError(f"what stands in {currency} sums to {sum(nets.values())}, not to 0")
    open_nets = {name: amount for name, amount in nets.items() if amount}
    payments = []
    while open_nets:
        payer = min(open_nets, key=lambda name: (open_nets[name], name))
        payee = min(open_nets, key=lambda name: (-open_nets[name], name))
        amount = min(-open_nets[payer], open_nets[payee])
        payments.append(Payment(payer, payee, currency, amount))
        for name, change in ((payer, amount), (payee, -amount)):
            open_nets[name] += change
            if open_nets[name] == 0:
                del open_nets[name]
    return payments
