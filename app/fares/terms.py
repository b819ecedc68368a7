"""What a quote locks beside its price: waiting, and what not riding costs by whose fault: pure."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.tariff import Tariff, Vat, VatRemitter


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one ride. Those of quotes of before were: nothing of it costs anything."""

    free_wait_s: int = 0
    wait_per_minute_minor: int = 0
    grace_s: int = 0
    late_after_s: int = 0
    cancellation_minor: int = 0
    no_show_minor: int = 0
    vat_bp: int = 0
    vat_remitted_by: VatRemitter = "nobody"

    @property
    def vat(self) -> Vat:
        """The value-added tax that is in the ride's own price."""
        return Vat(rate_bp=self.vat_bp, remitted_by=self.vat_remitted_by)

    def as_document(self) -> dict[str, Any]:
        """Return the form in which a quote keeps its terms."""
        return asdict(self)


def terms_of(tariff: Tariff, *, fare_minor: int) -> Terms:
    """Return the terms of a ride of this fare; no fee is above it."""
    return Terms(
        free_wait_s=tariff.free_wait_s,
        wait_per_minute_minor=tariff.wait_per_minute_minor,
        grace_s=tariff.fees.grace_s,
        late_after_s=tariff.fees.late_after_s,
        cancellation_minor=min(tariff.fees.cancellation_minor, fare_minor),
        no_show_minor=min(tariff.fees.no_show_minor, fare_minor),
        vat_bp=tariff.vat.rate_bp,
        vat_remitted_by=tariff.vat.remitted_by,
    )


def waiting_minor(terms: Terms, *, waited_s: float) -> int:
    """Return what waiting costs: each second beyond the free ones, rounded down for the rider."""
    beyond_s = max(0, int(waited_s) - terms.free_wait_s)
    return beyond_s * terms.wait_per_minute_minor // 60


class Verdict(StrEnum):
    """Why a ride that does not take place costs what it costs."""

    NOBODY_ON_THE_WAY = "nobody_on_the_way"
    BY_THE_PLATFORM = "by_the_platform"
    DRIVER_LATE = "driver_late"
    WITHIN_GRACE = "within_grace"
    NO_FEE = "no_fee"  # the tariff asks none
    CANCELLED_LATE = "cancelled_late"
    DID_NOT_COME = "did_not_come"


@dataclass(frozen=True, slots=True)
class Course:
    """How far a ride had come when it ended: null moments did not happen."""

    assigned_at: datetime | None
    promised_at: datetime | None  # when the driver was to be at the pickup
    arrived_at: datetime | None
    no_show_from: datetime | None  # when the free waiting is over
    by_platform: bool = False


@dataclass(frozen=True, slots=True)
class Charge:
    """What a ride that does not take place costs, why, and until when it would cost nothing."""

    fee_minor: int
    verdict: Verdict
    free_until: datetime | None = None


def is_late(terms: Terms, *, course: Course, now: datetime) -> bool:
    """Return whether the driver came, or has not come, later than promised by more than allowed."""
    if course.promised_at is None:
        return False
    came = course.arrived_at or now
    return came > course.promised_at + timedelta(seconds=terms.late_after_s)


def charge_for_ending(terms: Terms, *, course: Course, now: datetime) -> Charge:
    """Return what it costs to end a ride now that has not begun, by whose fault it is.

    Whoever cancels after the free waiting has not come, and costs the driver the same.
    """
    if course.by_platform:
        return Charge(0, Verdict.BY_THE_PLATFORM)
    if course.assigned_at is None:
        return Charge(0, Verdict.NOBODY_ON_THE_WAY)
    if is_late(terms, course=course, now=now):
        return Charge(0, Verdict.DRIVER_LATE)
    free_until = course.assigned_at + timedelta(seconds=terms.grace_s)
    if course.no_show_from is not None and now >= course.no_show_from:
        fee, verdict = terms.no_show_minor, Verdict.DID_NOT_COME
    elif now < free_until:
        return Charge(0, Verdict.WITHIN_GRACE, free_until)
    else:
        fee, verdict = terms.cancellation_minor, Verdict.CANCELLED_LATE
    return Charge(fee, verdict if fee else Verdict.NO_FEE)
