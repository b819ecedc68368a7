"""The chart of accounts, the kinds of journals and what becomes of a hold."""

from enum import StrEnum


class AccountKind(StrEnum):
    """The chart of accounts. Credit is positive: what the cooperative owes to, or has earned."""

    RIDER = "rider"  # below zero: the rider owes for rides taken, down to a limit
    DRIVER = "driver"  # above zero: the cooperative owes this to the driver
    MEMBER_SHARE = "member_share"  # above zero: what a member paid in to join, theirs on leaving
    MEMBER_CAPITAL = "member_capital"  # above zero: refunds a member left in, paid back in turn
    # Those of partners, who are no members:
    CONTRACT_CLIENT = "contract_client"  # below zero: a client owes for rides, down to a limit
    PEER_COOPERATIVE = "peer_cooperative"  # the mirror of what stands between a sister and us
    # The house's own accounts, one of each kind, opened with the cooperative:
    COMMISSION_INCOME = "commission_income"  # the voted share of fares
    BANK = "bank"  # below zero: money at the bank
    PLATFORM_COSTS = "platform_costs"  # below zero: what the platform cost
    OTHER_INCOME = "other_income"  # above zero: income but from fares
    SURPLUS = "surplus"  # a closed period's result until it is shared; below zero: a loss
    STATUTORY_RESERVE = "statutory_reserve"  # above zero: indivisible, it only absorbs losses
    VOTED_RESERVE = "voted_reserve"  # above zero: set aside by a vote, divisible by another
    EDUCATION_FUND = "education_fund"  # above zero: to be spent on learning
    SOLIDARITY_FUND = "solidarity_fund"  # above zero: pays where a member cannot
    INVESTMENT_POT = "investment_pot"  # above zero: to be spent on the cooperative itself
    REFUNDS_PAYABLE = "refunds_payable"  # above zero: members' part of a surplus, not yet allotted
    PAYOUT_CLEARING = "payout_clearing"  # above zero: on its way from the bank to members
    CARD_CLEARING = "card_clearing"  # below zero: paid by card, not yet at the bank
    # Above zero: taxes and fees that were taken with fares and are owed to others.
    PASS_THROUGH = "pass_through"  # noqa: S105 - no password


# A member's account authorises, and a partner's: its balance is kept and checked by every posting.
# A house account only records: its balance is the sum of its transfers, so that nobody queues at a
# busy row.
MEMBER_KINDS = (
    AccountKind.RIDER,
    AccountKind.DRIVER,
    AccountKind.MEMBER_SHARE,
    AccountKind.MEMBER_CAPITAL,
)
PARTNER_KINDS = (AccountKind.CONTRACT_CLIENT, AccountKind.PEER_COOPERATIVE)
HOUSE_KINDS = tuple(
    kind for kind in AccountKind if kind not in MEMBER_KINDS and kind not in PARTNER_KINDS
)


class JournalKind(StrEnum):
    """Why money moved."""

    RIDE_FARE = "ride_fare"
    MEMBER_SHARE = "member_share"
    PLATFORM_COST = "platform_cost"
    OTHER_INCOME = "other_income"
    TIP = "tip"  # from rider to driver, whole
    PAYOUT = "payout"  # from a member's account towards their bank
    PAYOUT_RETURN = "payout_return"  # the bank sent it back
    SURPLUS_CLOSE = "surplus_close"  # a period's income and costs become its result
    SURPLUS_SHARE = "surplus_share"  # the result goes to the reserves and pots as voted
    REFUND_ALLOCATION = "refund_allocation"  # a member's part: so much in money, the rest capital
    CAPITAL_REDEMPTION = "capital_redemption"  # a lot of capital is paid back to its member
    LOSS_ABSORPTION = "loss_absorption"  # the only way out of the indivisible reserve
    SOLIDARITY_PAYMENT = "solidarity_payment"
    SOLIDARITY_CONTRIBUTION = "solidarity_contribution"  # from a member's account to the fund
    RIDE_FEE = "ride_fee"  # for a ride that did not take place, by whose fault it was
    FARE_SHARE = "fare_share"  # a rider takes over a part of another's fare
    PAY_FLOOR = "pay_floor"  # a driver's week is filled up to what the members voted
    CARD_CAPTURE = "card_capture"  # what a rider owes was taken from their card
    CARD_REFUND = "card_refund"  # and given back to it
    CHARGEBACK = "chargeback"  # the rider's bank took it back
    CASH_TAKEN = "cash_taken"  # the rider paid the driver in cash
    INVOICE_ISSUED = "invoice_issued"  # a client takes over what its riders owe
    INVOICE_PAID = "invoice_paid"
    BAD_DEBT = "bad_debt"  # what will never be paid becomes a cost
    PEER_RIDE = "peer_ride"  # a ride between a member of ours and one of a sister cooperative
    PEER_SETTLEMENT = "peer_settlement"  # what stood between the two was paid
    REMITTANCE = "remittance"  # what passed through went to whom it belongs
    ADJUSTMENT = "adjustment"  # money put right by a person, with a reason
    REVERSAL = "reversal"


class Purpose(StrEnum):
    """What the platform's own money was spent on, or came from."""

    SERVERS = "servers"
    MAPS = "maps"
    STAFF = "staff"
    INSURANCE = "insurance"
    CARD_FEES = "card_fees"
    SUPPORT = "support"
    RENT = "rent"
    AUDIT = "audit"
    GRANTS = "grants"
    INTEREST = "interest"
    OTHER = "other"


# What is booked as other income is for one of these; a cost for any but a grant.
PURPOSES_OF_INCOME = (Purpose.GRANTS, Purpose.INTEREST, Purpose.OTHER)
PURPOSES_OF_COSTS = tuple(purpose for purpose in Purpose if purpose is not Purpose.GRANTS)


class HoldOutcome(StrEnum):
    """What became of money set aside."""

    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"
