"""Splits one fare between the driver and the cooperative."""

from dataclasses import dataclass

BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class FareSplit:
    """The two parts of a fare, in minor units; they add up to it."""

    driver_net_minor: int
    commission_minor: int


def split_fare(fare_minor: int, *, commission_bp: int) -> FareSplit:
    """Divide one fare. Rounding favours the driver: a part of a cent is never commission.

    Refused (ValueError): a fare that is not positive, a share outside 0 to 10,000 basis points.
    """
    if fare_minor <= 0:
        raise ValueError(f"fare_minor must be above 0, got {fare_minor}")
    if not 0 <= commission_bp <= BASIS_POINTS:
        raise ValueError(f"commission_bp must be from 0 to {BASIS_POINTS}, got {commission_bp}")
    commission_minor = fare_minor * commission_bp // BASIS_POINTS
    return FareSplit(
        driver_net_minor=fare_minor - commission_minor, commission_minor=commission_minor
    )
