"""Divides whole minor units so that the parts are fair to a unit and add up exactly."""

from collections.abc import Mapping
from fractions import Fraction


def apportion[Key: str | int](
    total: int, *, weights: Mapping[Key, int | Fraction]
) -> dict[Key, int]:
    """Divide a whole total in proportion to weights, by largest remainder.

    Everybody gets the whole part of the exact quota; the units left over go to the largest
    remainders, then to the larger weight, then to the smaller key, so that the order in which
    members are listed decides nothing. The parts add up to `total` and each is less than 1 away
    from its quota. Source: the method of Hamilton and Hare; Balinski and Young, "Fair
    Representation" (1982). Refused (ValueError): a negative total or weight, a weight that is
    neither an int nor a Fraction, weights that are all 0 or missing.
    """
    if total < 0:
        raise ValueError(f"total must be 0 or more, got {total}")
    if any(not isinstance(weight, int | Fraction) or weight < 0 for weight in weights.values()):
        raise ValueError("every weight must be a whole number or a fraction, 0 or more")
    whole = sum(weights.values(), Fraction())
    if whole == 0:
        raise ValueError("there is nothing to divide by: all weights are 0")
    quotas = {key: total * Fraction(weight) / whole for key, weight in weights.items()}
    parts = {key: quota.numerator // quota.denominator for key, quota in quotas.items()}
    nearest_first = sorted(quotas, key=lambda key: (parts[key] - quotas[key], -quotas[key], key))
    for key in nearest_first[: total - sum(parts.values())]:
        parts[key] += 1
    return parts
