"""The chart of accounts, the kinds of journals and what becomes of a hold."""

from enum import StrEnum


class AccountKind(StrEnum):
    """The chart of accounts. Credit is positive: what the cooperative owes to, or has earned."""

    RIDER = "rider"  # below zero: the rider owes for rides taken, down to a limit
    DRIVER = "driver"  # above zero: the cooperative owes this to the driver
    COMMISSION_INCOME = "commission_income"  # the voted share of fares; a house account


MEMBER_KINDS = (AccountKind.RIDER, AccountKind.DRIVER)
HOUSE_KINDS = (AccountKind.COMMISSION_INCOME,)


class JournalKind(StrEnum):
    """Why money moved."""

    RIDE_FARE = "ride_fare"
    REVERSAL = "reversal"


class HoldOutcome(StrEnum):
    """What became of money set aside."""

    POSTED = "posted"
    VOIDED = "voided"
