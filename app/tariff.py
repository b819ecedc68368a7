"""A tariff as a city's file and a proposal state it: prices and the rules beside them, as data."""

from datetime import time
from typing import Annotated, Any, Literal, Self

import h3
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.statutes import Minor, Share

Name = Annotated[str, Field(min_length=1, max_length=60, description="a name of 1 to 60 letters")]
ClockTime = Annotated[
    str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description='a time such as "22:00"')
]
Amount = Annotated[int, Field(ge=1, le=10_000_000, description="whole minor units, 1 or more")]
End = Literal["pickup", "dropoff", "either"]
ChargeCode = Literal["zone", "airport", "toll", "tax"]
VatRemitter = Literal["driver", "cooperative", "nobody"]
EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)
MOST_RULES = 50


class _Rule(BaseModel):
    """A part of a tariff: frozen, no unknown keys, and no text where a number belongs."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Night(_Rule):
    """Rides begun in this window of the clock on the wall cost more: a share, or an amount.

    A window that ends before it begins goes over midnight and belongs to the day it began on.
    """

    name: Name
    begins: ClockTime
    ends: ClockTime
    weekdays: Annotated[
        tuple[Annotated[int, Field(ge=1, le=7)], ...],
        Field(strict=False, min_length=1, description="1 is Monday, 7 is Sunday"),
    ] = EVERY_DAY
    share_bp: Share = 0
    amount_minor: Minor = 0

    @model_validator(mode="after")
    def _is_one_surcharge(self) -> Self:
        if (self.share_bp > 0) == (self.amount_minor > 0) or self.begins == self.ends:
            message = f"night {self.name!r}: a window of time, and share_bp or amount_minor"
            raise ValueError(message)
        return self

    def hours(self) -> tuple[time, time]:
        """Return when the window begins and ends on the clock on the wall."""
        return time.fromisoformat(self.begins), time.fromisoformat(self.ends)


class Zone(_Rule):
    """A part of the city: H3 cells of any size, or the corners of a polygon as [lat, lng]."""

    name: Name
    cells: Annotated[
        tuple[str, ...], Field(strict=False, max_length=5_000, description="H3 cells")
    ] = ()
    corners: Annotated[
        tuple[
            Annotated[
                tuple[
                    Annotated[float, Field(ge=-90, le=90)],
                    Annotated[float, Field(ge=-180, le=180)],
                ],
                Field(strict=False),
            ],
            ...,
        ],
        Field(strict=False, max_length=1_000, description="corners as [lat, lng]"),
    ] = ()

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        if bool(self.cells) == bool(self.corners) or 0 < len(self.corners) < 3:
            message = f"zone {self.name!r}: either cells, or three corners or more"
            raise ValueError(message)
        if not all(h3.is_valid_cell(cell) for cell in self.cells):
            message = f"zone {self.name!r}: a cell is no H3 cell"
            raise ValueError(message)
        return self


class Charge(_Rule):
    """An amount on top: a zone's own is a part of the price, the others only pass through."""

    name: Name
    code: ChargeCode
    amount_minor: Amount
    zone: Annotated[str | None, Field(description="a zone's name; left out: every ride")] = None
    at: Annotated[End, Field(description="the end of the ride that is in the zone")] = "either"


class FixedFare(_Rule):
    """A ride between two zones, either way, costs this, however far and long it is."""

    name: Name
    between: Annotated[
        tuple[str, str], Field(strict=False, description="the names of two zones, or one twice")
    ]
    amount_minor: Amount


class Bounds(_Rule):
    """What the law allows a ride to cost, without waiting and what passes through; 0: no bound."""

    law: Annotated[str, Field(min_length=1, max_length=200, description="which law says so")]
    least_per_km_minor: Minor = 0
    most_per_km_minor: Minor = 0
    least_minor: Minor = 0
    most_minor: Minor = 0

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        for least, most in (
            (self.least_per_km_minor, self.most_per_km_minor),
            (self.least_minor, self.most_minor),
        ):
            if most and least > most:
                message = f"bounds of {self.law!r}: the least is above the most"
                raise ValueError(message)
        return self


class Vat(_Rule):
    """The value-added tax in the price, and who remits it."""

    rate_bp: Share = 0
    remitted_by: VatRemitter = "nobody"

    @model_validator(mode="after")
    def _is_remitted(self) -> Self:
        if (self.rate_bp == 0) != (self.remitted_by == "nobody"):
            message = "vat: with a rate somebody remits it, without one nobody does"
            raise ValueError(message)
        return self


class Fees(_Rule):
    """What a ride that does not take place costs its rider; never more than its fare.

    Free is whoever cancels before a driver is on the way, within ``grace_s`` of one being so, and
    when the driver is later than promised by more than ``late_after_s``.
    """

    grace_s: int = Field(default=120, ge=0, le=3600, description="whole seconds, 0 to 3600")
    late_after_s: int = Field(default=300, ge=0, le=3600, description="whole seconds, 0 to 3600")
    cancellation_minor: Minor = 0
    no_show_minor: Minor = 0


class Tariff(_Rule):
    """What a ride costs."""

    base_minor: Minor
    per_km_minor: Minor
    per_minute_minor: Minor
    minimum_minor: Minor
    free_wait_s: int = Field(ge=0, le=3600, description="whole seconds, 0 to 3600")
    wait_per_minute_minor: Minor
    shared_discount_bp: int = Field(
        default=2000, ge=0, le=9000, description="basis points, 0 to 9000"
    )
    surge_step_bp: int = Field(
        default=500,
        ge=0,
        le=10_000,
        description="basis points, 0 to 10000, for each waiting ride without a free driver",
    )
    nights: Annotated[tuple[Night, ...], Field(strict=False, max_length=MOST_RULES)] = ()
    zones: Annotated[tuple[Zone, ...], Field(strict=False, max_length=MOST_RULES)] = ()
    charges: Annotated[tuple[Charge, ...], Field(strict=False, max_length=MOST_RULES)] = ()
    fixed_fares: Annotated[tuple[FixedFare, ...], Field(strict=False, max_length=MOST_RULES)] = ()
    fees: Fees = Fees()
    vat: Vat = Vat()
    bounds: Bounds | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.base_minor and not self.minimum_minor:
            message = "tariff.base_minor or minimum_minor must be above 0: no ride costs nothing"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _names_its_zones(self) -> Self:
        names = [zone.name for zone in self.zones]
        if len(set(names)) != len(names):
            message = "tariff.zones must have different names"
            raise ValueError(message)
        used = {charge.zone for charge in self.charges if charge.zone is not None}
        used |= {name for fare in self.fixed_fares for name in fare.between}
        if not used <= set(names):
            message = f"tariff names zones that it does not have: {sorted(used - set(names))}"
            raise ValueError(message)
        return self


# Older cooperatives have these as columns; the rules beside them are one document.
PRICES = (
    "base_minor",
    "per_km_minor",
    "per_minute_minor",
    "minimum_minor",
    "free_wait_s",
    "wait_per_minute_minor",
    "shared_discount_bp",
)


def read_tariff(row: Any) -> Tariff:
    """Return the tariff of a stored version: its price columns and its rules."""
    return Tariff.model_validate({name: row[name] for name in PRICES} | row["rules"])
