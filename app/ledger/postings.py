"""Every recipe by which money moves. An auditor reads this page; nothing else makes transfers.

The ids are those of accounts. Refused (ValueError): a line that is not above zero.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.ledger.accounts import JournalKind


@dataclass(frozen=True, slots=True)
class TransferLine:
    """An amount that leaves ``debit_id`` and reaches ``credit_id``, in minor units, above zero."""

    debit_id: UUID
    credit_id: UUID
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """A journal to be: its kind and its lines. It balances because each line does."""

    kind: JournalKind
    lines: tuple[TransferLine, ...]

    @property
    def fingerprint(self) -> bytes:
        """A hash of what moves, so that one key cannot stand for two different journals."""
        text = "|".join(f"{x.debit_id}>{x.credit_id}:{x.amount_minor}" for x in self.lines)
        return hashlib.sha256(f"{self.kind}|{text}".encode()).digest()


def ride_fare(
    *,
    rider_id: UUID,
    driver_id: UUID,
    commission_income_id: UUID,
    pass_through_id: UUID,
    fare_minor: int,
    commission_minor: int,
    remitted_minor: int = 0,
    kind: JournalKind = JournalKind.RIDE_FARE,
) -> Recipe:
    """The rider owes the fare to the driver, who leaves the voted share to the cooperative.

    What is owed to others, such as a tax, leaves the driver's account too and passes through the
    house. The ids are those of accounts; a fee for a ride that did not take place is split alike.
    Refused (ValueError): a fare that is not positive, or parts that are negative or above it.
    """
    parts = (commission_minor, remitted_minor)
    if fare_minor <= 0 or min(parts) < 0 or sum(parts) > fare_minor:
        raise ValueError(f"cannot take {parts} of a fare of {fare_minor}")
    lines = [
        TransferLine(rider_id, driver_id, fare_minor),
        TransferLine(driver_id, commission_income_id, commission_minor),
        TransferLine(driver_id, pass_through_id, remitted_minor),
    ]
    # A transfer of nothing is no transfer.
    return Recipe(kind, tuple(line for line in lines if line.amount_minor))


def member_share(*, bank_id: UUID, member_share_id: UUID, amount_minor: int) -> Recipe:
    """A member's share reached the bank; it stays the member's, who gets it back on leaving."""
    return _recipe(JournalKind.MEMBER_SHARE, TransferLine(bank_id, member_share_id, amount_minor))


def platform_cost(*, platform_costs_id: UUID, bank_id: UUID, amount_minor: int) -> Recipe:
    """The cooperative paid for something from its bank account."""
    return _recipe(
        JournalKind.PLATFORM_COST, TransferLine(platform_costs_id, bank_id, amount_minor)
    )


def other_income(*, bank_id: UUID, other_income_id: UUID, amount_minor: int) -> Recipe:
    """Money that is no fare came to the cooperative's bank account."""
    return _recipe(JournalKind.OTHER_INCOME, TransferLine(bank_id, other_income_id, amount_minor))


def payout(*, driver_id: UUID, payout_clearing_id: UUID, amount_minor: int) -> Recipe:
    """What a driver has leaves the driver's account and is on its way to the driver's bank."""
    return _recipe(JournalKind.PAYOUT, TransferLine(driver_id, payout_clearing_id, amount_minor))


def payout_settled(*, payout_clearing_id: UUID, bank_id: UUID, amount_minor: int) -> Recipe:
    """The bank has paid what was on its way."""
    return _recipe(JournalKind.PAYOUT, TransferLine(payout_clearing_id, bank_id, amount_minor))


def payout_return(*, bank_id: UUID, driver_id: UUID, amount_minor: int) -> Recipe:
    """What the bank had paid came back to it, and stands on the driver's account again."""
    return _recipe(JournalKind.PAYOUT_RETURN, TransferLine(bank_id, driver_id, amount_minor))


def tip(*, rider_id: UUID, driver_id: UUID, amount_minor: int) -> Recipe:
    """A rider thanks the driver, who keeps all of it."""
    return _recipe(JournalKind.TIP, TransferLine(rider_id, driver_id, amount_minor))


def fare_share(*, co_rider_id: UUID, rider_id: UUID, amount_minor: int) -> Recipe:
    """A rider takes over a part of the fare that another one booked."""
    return _recipe(JournalKind.FARE_SHARE, TransferLine(co_rider_id, rider_id, amount_minor))


def pay_floor(*, platform_costs_id: UUID, driver_id: UUID, amount_minor: int) -> Recipe:
    """The cooperative fills a driver's week up to the voted floor, at its own cost."""
    return _recipe(JournalKind.PAY_FLOOR, TransferLine(platform_costs_id, driver_id, amount_minor))


def fare_refund(
    *,
    rider_id: UUID,
    driver_id: UUID,
    commission_income_id: UUID,
    platform_costs_id: UUID,
    from_driver_minor: int,
    from_commission_minor: int,
    from_costs_minor: int,
) -> Recipe:
    """A rider gets a part of a fare back, and each bears what was decided.

    Commission goes back by way of the driver who had paid it: so it counts less for that driver.
    """
    return moved(
        JournalKind.ADJUSTMENT,
        lines=[
            (commission_income_id, driver_id, from_commission_minor),
            (driver_id, rider_id, from_commission_minor + from_driver_minor),
            (platform_costs_id, rider_id, from_costs_minor),
        ],
    )


def driver_extra(
    *,
    driver_id: UUID,
    commission_income_id: UUID,
    platform_costs_id: UUID,
    from_commission_minor: int,
    from_costs_minor: int,
) -> Recipe:
    """A driver gets more for a ride: of the commission, and at the cooperative's cost."""
    return moved(
        JournalKind.ADJUSTMENT,
        lines=[
            (commission_income_id, driver_id, from_commission_minor),
            (platform_costs_id, driver_id, from_costs_minor),
        ],
    )


def solidarity_payment(*, solidarity_fund_id: UUID, account_id: UUID, amount_minor: int) -> Recipe:
    """The solidarity fund pays what a member's account gets."""
    line = TransferLine(solidarity_fund_id, account_id, amount_minor)
    return _recipe(JournalKind.SOLIDARITY_PAYMENT, line)


def card_capture(*, card_clearing_id: UUID, rider_id: UUID, amount_minor: int) -> Recipe:
    """What a rider owes was taken from their card; the provider has it until it pays it out."""
    return _recipe(JournalKind.CARD_CAPTURE, TransferLine(card_clearing_id, rider_id, amount_minor))


def card_refund(*, rider_id: UUID, card_clearing_id: UUID, amount_minor: int) -> Recipe:
    """What stood to a rider's credit went back to their card."""
    return _recipe(JournalKind.CARD_REFUND, TransferLine(rider_id, card_clearing_id, amount_minor))


def chargeback(*, bearer_id: UUID, card_clearing_id: UUID, amount_minor: int) -> Recipe:
    """A rider's bank took a payment back; below 0: it gave it up again. The bearer owes it."""
    line = (bearer_id, card_clearing_id, amount_minor)
    return moved(JournalKind.CHARGEBACK, lines=[line])


def card_settled(*, bank_id: UUID, card_clearing_id: UUID, amount_minor: int) -> Recipe:
    """The provider passed on to the bank what it had taken from cards."""
    return _recipe(JournalKind.REMITTANCE, TransferLine(bank_id, card_clearing_id, amount_minor))


def cash_taken(*, driver_id: UUID, rider_id: UUID, amount_minor: int) -> Recipe:
    """The rider paid the driver in cash, who keeps it and owes it on the books."""
    return _recipe(JournalKind.CASH_TAKEN, TransferLine(driver_id, rider_id, amount_minor))


def invoice_issued(*, client_id: UUID, rider_id: UUID, amount_minor: int) -> Recipe:
    """A client takes over what a rider owes; below 0: the client gets it back."""
    return moved(JournalKind.INVOICE_ISSUED, lines=[(client_id, rider_id, amount_minor)])


def invoice_paid(*, bank_id: UUID, client_id: UUID, amount_minor: int) -> Recipe:
    """A client paid an invoice; the money reached the bank."""
    return _recipe(JournalKind.INVOICE_PAID, TransferLine(bank_id, client_id, amount_minor))


def solidarity_contribution(
    *, account_id: UUID, solidarity_fund_id: UUID, amount_minor: int
) -> Recipe:
    """A member contributes to the solidarity fund, or gives back what it paid for them."""
    line = TransferLine(account_id, solidarity_fund_id, amount_minor)
    return _recipe(JournalKind.SOLIDARITY_CONTRIBUTION, line)


def bad_debt(*, platform_costs_id: UUID, rider_id: UUID, amount_minor: int) -> Recipe:
    """What a rider will never pay becomes a cost of the platform; the rider owes it no more."""
    line = TransferLine(platform_costs_id, rider_id, amount_minor)
    return _recipe(JournalKind.BAD_DEBT, line)


def adjustment(lines: Sequence[TransferLine]) -> Recipe:
    """A person puts money right, such as a part of a fare; the reason is kept beside it."""
    return _recipe(JournalKind.ADJUSTMENT, *lines)


def reversal(lines: Sequence[TransferLine]) -> Recipe:
    """Every line of an earlier journal goes back the way it came."""
    back = (TransferLine(line.credit_id, line.debit_id, line.amount_minor) for line in lines)
    return Recipe(JournalKind.REVERSAL, tuple(back))


def _recipe(kind: JournalKind, *lines: TransferLine) -> Recipe:
    """Return the journal to be. Refused (ValueError): no lines, or one that is not above zero."""
    if not lines or any(line.amount_minor <= 0 for line in lines):
        raise ValueError(f"each line of a {kind} is above 0, and there is one at least")
    return Recipe(kind, lines)


def moved(kind: JournalKind, *, lines: Sequence[tuple[UUID, UUID, int]]) -> Recipe:
    """Amounts go from the first account to the second; what is below 0 goes the other way.

    Lines of nothing are left out, so a recipe may have none.
    """
    return Recipe(
        kind,
        tuple(
            TransferLine(source, target, amount)
            if amount > 0
            else TransferLine(target, source, -amount)
            for source, target, amount in lines
            if amount
        ),
    )


def surplus_close(
    *,
    commission_income_id: UUID,
    other_income_id: UUID,
    platform_costs_id: UUID,
    surplus_id: UUID,
    member_commission_minor: int,
    other_commission_minor: int,
    other_income_minor: int,
    costs_minor: int,
) -> Recipe:
    """What a period brought and cost becomes its result, each source a line of its own."""
    return moved(
        JournalKind.SURPLUS_CLOSE,
        lines=[
            (commission_income_id, surplus_id, member_commission_minor),
            (commission_income_id, surplus_id, other_commission_minor),
            (other_income_id, surplus_id, other_income_minor),
            (surplus_id, platform_costs_id, costs_minor),
        ],
    )


def surplus_share(*, surplus_id: UUID, parts: Sequence[tuple[UUID, int]]) -> Recipe:
    """The result goes to the reserves, the pots and what is to be refunded."""
    lines = [(surplus_id, account_id, amount_minor) for account_id, amount_minor in parts]
    return moved(JournalKind.SURPLUS_SHARE, lines=lines)


def refund_allocation(
    *,
    refunds_payable_id: UUID,
    driver_id: UUID,
    member_capital_id: UUID,
    cash_minor: int,
    capital_minor: int,
) -> Recipe:
    """A member's part of a surplus: so much in money, the rest a lot of the member's capital."""
    return moved(
        JournalKind.REFUND_ALLOCATION,
        lines=[
            (refunds_payable_id, driver_id, cash_minor),
            (refunds_payable_id, member_capital_id, capital_minor),
        ],
    )


def loss_absorption(*, statutory_reserve_id: UUID, surplus_id: UUID, amount_minor: int) -> Recipe:
    """The indivisible reserve bears a loss: the only thing it ever pays for."""
    lines = [(statutory_reserve_id, surplus_id, amount_minor)]
    return moved(JournalKind.LOSS_ABSORPTION, lines=lines)


def capital_redemption(*, member_capital_id: UUID, driver_id: UUID, amount_minor: int) -> Recipe:
    """Capital becomes money of its member, who has left."""
    lines = [(member_capital_id, driver_id, amount_minor)]
    return moved(JournalKind.CAPITAL_REDEMPTION, lines=lines)


def peer_ride(*, debtor_id: UUID, creditor_id: UUID, amount_minor: int) -> Recipe:
    """A ride between cooperatives: the account that owes it pays; below zero it is given back.

    At home the member owes it to the sister's account; where the ride was, the sister's account
    owes it to the visitor's.
    """
    return moved(JournalKind.PEER_RIDE, lines=[(debtor_id, creditor_id, amount_minor)])


def peer_settlement(*, peer_id: UUID, bank_id: UUID, paid_minor: int) -> Recipe:
    """What stood with a sister cooperative was paid: by us above zero, to us below it."""
    return moved(JournalKind.PEER_SETTLEMENT, lines=[(peer_id, bank_id, paid_minor)])
