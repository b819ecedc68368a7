"""Who gets which part of what a ride cost, in whole minor units: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.fares.rules import FareItem
from app.tariff import Vat
from governance.commission import BASIS_POINTS, split_fare


class Keeper(StrEnum):
    """Who is owed a line that only passes through."""

    DRIVER = "driver"  # who laid it out
    OTHERS = "others"  # who levies it


# Lines of which nobody takes a share, by their code. All others are the price of the ride.
PASSED_THROUGH: dict[str, Keeper] = {
    "airport": Keeper.DRIVER,
    "toll": Keeper.DRIVER,
    "tax": Keeper.OTHERS,
}


@dataclass(frozen=True, slots=True)
class Division:
    """The parts of what a ride cost: commission, driver's net and remitted add up to the fare.

    What passes through is in the driver's net as far as the driver laid it out, and remitted as
    far as it is owed to others.
    """

    fare_minor: int
    pass_through_minor: int
    remitted_minor: int
    commission_minor: int
    driver_net_minor: int
    vat_minor: int


def is_passed_through(item: FareItem) -> bool:
    """Return whether a line is none of the ride's own price."""
    return item.code in PASSED_THROUGH


def divide(items: Sequence[FareItem], *, commission_bp: int, vat: Vat) -> Division:
    """Divide what a ride cost among driver, cooperative and whom else it is owed to.

    The price includes its tax, which is rounded half up; passed-through lines bear none of ours.
    The commission is taken of what is left of the price and rounded down, for the driver. Refused
    (ValueError): lines that add up to nothing, or whose own price is below zero.
    """
    fare_minor = sum(item.amount_minor for item in items)
    passed_minor = sum(item.amount_minor for item in items if is_passed_through(item))
    own_minor = fare_minor - passed_minor
    if fare_minor <= 0 or own_minor < 0:
        raise ValueError(f"no fare of {fare_minor}, of which {passed_minor} passes through")
    gross_bp = BASIS_POINTS + vat.rate_bp
    vat_minor = (2 * own_minor * vat.rate_bp + gross_bp) // (2 * gross_bp)
    owed_minor = vat_minor if vat.remitted_by == "cooperative" else 0
    shared_minor = own_minor - owed_minor
    commission_minor = (
        split_fare(shared_minor, commission_bp=commission_bp).commission_minor
        if shared_minor
        else 0
    )
    remitted_minor = owed_minor + sum(
        item.amount_minor for item in items if PASSED_THROUGH.get(item.code) is Keeper.OTHERS
    )
    return Division(
        fare_minor=fare_minor,
        pass_through_minor=passed_minor + owed_minor,
        remitted_minor=remitted_minor,
        commission_minor=commission_minor,
        driver_net_minor=fare_minor - commission_minor - remitted_minor,
        vat_minor=vat_minor,
    )
