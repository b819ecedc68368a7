"""The chart of accounts, the kinds of journals and what becomes of a hold."""

from enum import StrEnum


class AccountKind(StrEnum):
    """The chart of accounts. Credit is positive: what the cooperative owes to, or has earned."""

    RIDER = "rider"  # below zero: the rider owes for rides taken, down to a limit
    DRIVER = "driver"  # above zero: the cooperative owes this to the driver
    MEMBER_SHARE = "member_share"  # above zero: what a member paid in to join, theirs on leaving
    COMMISSION_INCOME = "commission_income"  # the voted share of fares; a house account
    BANK = "bank"  # below zero: money at the bank; a house account
    PLATFORM_COSTS = "platform_costs"  # below zero: what the platform cost; a house account
    OTHER_INCOME = "other_income"  # above zero: income but from fares; a house account


MEMBER_KINDS = (AccountKind.RIDER, AccountKind.DRIVER, AccountKind.MEMBER_SHARE)
HOUSE_KINDS = (
    AccountKind.COMMISSION_INCOME,
    AccountKind.BANK,
    AccountKind.PLATFORM_COSTS,
    AccountKind.OTHER_INCOME,
)


class JournalKind(StrEnum):
    """Why money moved."""

    RIDE_FARE = "ride_fare"
    MEMBER_SHARE = "member_share"
    PLATFORM_COST = "platform_cost"
    OTHER_INCOME = "other_income"
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
