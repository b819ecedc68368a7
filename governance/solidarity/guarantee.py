"""What the fund takes over of a fare whose card failed: up to a cap per ride, never more."""


def taken_over_minor(
    *, payment_minor: int, debt_minor: int, cap_minor: int, covered_minor: int, fund_minor: int
) -> int:
    """Return what the fund pays for a rider, in minor units, 0 or more.

    Never more than the payment that failed, than what the rider owes, than what the voted cap
    leaves after what was taken over for the same ride before (`covered_minor`), or than the fund
    holds.
    """
    return max(min(payment_minor, debt_minor, cap_minor - covered_minor, fund_minor), 0)
