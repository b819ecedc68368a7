"""A tariff in plain words, and what a usual ride costs by it: pure."""

from datetime import datetime
from zoneinfo import ZoneInfo

from app.fares.pricing import Trip, price
from app.fares.rules import FareItem
from app.foundation.money import decimal
from app.tariff import Charge, Night, Tariff
from matching.travel import Point

EXAMPLE_DISTANCE_M, EXAMPLE_DURATION_S = 5_000, 600
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ENDS = {"pickup": "that begin", "dropoff": "that end", "either": "that begin or end"}
PASSES = {
    "zone": "a part of the price",
    "airport": "passed on whole to the driver, who laid it out",
    "toll": "passed on whole to the driver, who laid it out",
    "tax": "passed on whole to whom it is owed",
}


def money(minor: int, currency: str) -> str:
    """Return an amount as people write it, such as "CHF 6.00"."""
    return f"{currency} {decimal(minor, currency=currency)}"


def percent(share_bp: int) -> str:
    """Return a share in basis points as a percentage, such as "12.5 %"."""
    return f"{share_bp / 100:g} %"


def describe(tariff: Tariff, *, currency: str) -> list[str]:
    """Return what a tariff asks, one sentence for each of its rules."""

    def m(minor: int) -> str:
        return money(minor, currency)

    sentences = [
        (
            f"A ride costs {m(tariff.base_minor)}, and {m(tariff.per_km_minor)} a kilometre and"
            f" {m(tariff.per_minute_minor)} a minute, and {m(tariff.minimum_minor)} at least."
        ),
        (
            f"The driver waits {tariff.free_wait_s // 60} min for nothing, then for"
            f" {m(tariff.wait_per_minute_minor)} a minute, counted by the second."
        ),
        f"Shared with others it costs {percent(tariff.shared_discount_bp)} less.",
        *(_night(night, currency) for night in tariff.nights),
        *(
            f"{fare.name}: a ride between {fare.between[0]} and {fare.between[1]} costs"
            f" {m(fare.amount_minor)}, however long it takes."
            for fare in tariff.fixed_fares
        ),
        *(_charge(charge, currency) for charge in tariff.charges),
        (
            f"Where more rides wait nearby than drivers are free, each one adds"
            f" {percent(tariff.surge_step_bp)}, up to what the members allow."
        ),
        _fees(tariff, currency),
        "With a wheelchair a ride never costs more than without.",
    ]
    if tariff.vat.rate_bp:
        sentences.append(
            f"The price includes {percent(tariff.vat.rate_bp)} of value-added tax, which the"
            f" {tariff.vat.remitted_by} remits."
        )
    bounds = tariff.bounds
    if bounds is not None:
        parts = {
            "at least {} a kilometre": bounds.least_per_km_minor,
            "at most {} a kilometre": bounds.most_per_km_minor,
            "at least {}": bounds.least_minor,
            "at most {}": bounds.most_minor,
        }
        said = ", ".join(words.format(m(minor)) for words, minor in parts.items() if minor)
        sentences.append(f"The law ({bounds.law}) asks, waiting apart: {said or 'nothing'}.")
    return sentences


def _night(night: Night, currency: str) -> str:
    more = money(night.amount_minor, currency) if night.amount_minor else percent(night.share_bp)
    days = (
        "every day"
        if len(set(night.weekdays)) == len(DAYS)
        else ", ".join(DAYS[day - 1] for day in sorted(set(night.weekdays)))
    )
    return f"{night.name}: from {night.begins} to {night.ends}, {days}, {more} more."


def _charge(charge: Charge, currency: str) -> str:
    where = "every ride" if charge.zone is None else f"rides {ENDS[charge.at]} in {charge.zone}"
    amount = money(charge.amount_minor, currency)
    return f"{charge.name}: {amount} for {where}, {PASSES[charge.code]}."


def _fees(tariff: Tariff, currency: str) -> str:
    fees = tariff.fees
    if not fees.cancellation_minor and not fees.no_show_minor:
        return "Cancelling and not coming cost nothing."
    return (
        f"Cancelling costs {money(fees.cancellation_minor, currency)} once a driver has been on"
        f" the way for {fees.grace_s} s, not coming {money(fees.no_show_minor, currency)}, never"
        f" more than the fare; nothing if the driver is over {fees.late_after_s} s late or the"
        " cooperative is at fault."
    )


def example(tariff: Tariff, *, time_zone: ZoneInfo) -> tuple[FareItem, ...]:
    """Return the lines of a ride of 5 km and 10 minutes on a Wednesday noon, outside all zones."""
    everywhere = tuple(charge for charge in tariff.charges if charge.zone is None)
    outside = tariff.model_copy(update={"charges": everywhere, "fixed_fares": ()})
    trip = Trip(
        distance_m=EXAMPLE_DISTANCE_M,
        duration_s=EXAMPLE_DURATION_S,
        pickup=Point(lat=0, lng=0),
        dropoff=Point(lat=0, lng=0),
        at=datetime(2026, 1, 7, 12, tzinfo=time_zone),
    )
    return price(outside, trip=trip, time_zone=time_zone)
