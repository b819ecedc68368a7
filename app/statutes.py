"""The statutes as a city's file states them: what the cooperative is founded with."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from governance.legal_form import LEGAL_FORMS
from governance.tally import Majority

House = Literal["drivers", "riders"]
LegalFormKey = Literal["ica", "be_recognised", "fr_scop", "es_cooperative", "us_subchapter_t"]
# Every amount and share is held in 32 bits or less, here and in the database.
Minor = Annotated[int, Field(ge=0, le=10_000_000, description="whole minor units, 0 or more")]
Share = Annotated[int, Field(ge=0, le=10_000, description="basis points, 0 to 10000")]

_UP_TO_3000 = "basis points, 0 to 3000"

DAY_S = 86_400
LONGEST_S = 3650 * DAY_S
UNITS_S = {"second": 1, "minute": 60, "hour": 3600, "day": DAY_S, "week": 7 * DAY_S}
_WRITTEN = re.compile(r"(\d{1,9}) (second|minute|hour|day|week)s?")


def seconds_of(duration: object) -> int:
    """Return the whole seconds of a written duration, such as "7 days" or "36 hours".

    Refused (ValueError): anything but a number, a space and a unit from seconds to weeks.
    """
    written = _WRITTEN.fullmatch(duration) if isinstance(duration, str) else None
    if written is None:
        raise ValueError(f"{duration!r} is no duration")
    return int(written[1]) * UNITS_S[written[2]]


def _fraction(majority: object) -> tuple[int, int]:
    written = re.fullmatch(r"(\d{1,3})/(\d{1,3})", majority) if isinstance(majority, str) else None
    if written is None:
        raise ValueError(f"{majority!r} is no fraction")
    agreed = Majority(int(written[1]), int(written[2]))
    return agreed.numerator, agreed.denominator


_Seconds = Annotated[int, BeforeValidator(seconds_of)]
_Fraction = Annotated[tuple[int, int], BeforeValidator(_fraction)]


def _lasting(key: str, default: str, *, least_s: int = 1) -> Any:
    """Return a field in whole seconds that the file writes, under ``key``, as a duration."""
    above = "a duration above 0" if least_s else "a duration"
    return Field(
        default=seconds_of(default),
        validation_alias=key,
        ge=least_s,
        le=LONGEST_S,
        description=f'{above} such as "{default}", in seconds, minutes, hours, days or weeks',
    )


class Statutes(BaseModel):
    """The founding policies of the cooperative; afterwards only a tally writes one.

    Durations are whole seconds here and text in the file: `notice = "14 days"` is `notice_s`.
    The first city files have `notice_days` and `objection_days`, whole days, which mean the same
    as a duration in days (an objection window of 0 days lasts a second: there is always one), and
    `quorum_members`, which has no effect any more: the quorum is a part of the roll, `quorum_bp`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    commission_bp: Share
    commission_ceiling_bp: Share
    commission_largest_step_bp: int = Field(ge=1, le=10_000, description="basis points, 1 to 10000")
    offer_time_s: int = Field(ge=5, le=120, description="whole seconds, 5 to 120")
    surge_cap_bp: int = Field(
        ge=10_000, le=100_000, description="basis points from 10000 (no surge) to 100000"
    )
    fairness_weight_s: int = Field(ge=0, le=3600, description="whole seconds, 0 to 3600")
    pay_floor_per_hour_minor: Minor
    # Older city files leave it out: then only time counts for the pay floor.
    pay_floor_per_km_minor: int = Field(default=0, ge=0, le=10_000, description="minor units a km")
    houses: Annotated[
        tuple[House, ...],
        Field(strict=False, min_length=1, max_length=2, description='"drivers", "riders" or both'),
    ]
    # The life of a proposal, stage by stage, and the notice before what was voted is in force.
    support_s: _Seconds = _lasting("support", "14 days")
    deliberation_s: _Seconds = _lasting("deliberation", "14 days")
    signing_s: _Seconds = _lasting("signing", "2 days")
    credentials_s: _Seconds = _lasting("credentials", "3 days")
    voting_s: _Seconds = _lasting("voting", "7 days")
    counting_s: _Seconds = _lasting("counting", "2 days")
    objection_s: _Seconds = _lasting("objection", "7 days")
    notice_s: _Seconds = _lasting("notice", "14 days", least_s=0)
    # Who is on the roll, and how many of them it takes.
    waiting_s: _Seconds = _lasting("waiting", "0 days", least_s=0)
    active_for_s: _Seconds = _lasting("active_for", "90 days")
    quorum_bp: Share = 2000
    support_bp: Share = 300
    least_supporters: int = Field(default=5, ge=1, le=10_000_000, description="members, 1 or more")
    share_drivers_minor: Minor = 10_000
    share_riders_minor: Minor = 2_000
    panel_size: int = Field(default=12, ge=1, le=1_000, description="members, 1 to 1000")
    text_majority: _Fraction = Field(
        default=(2, 3), description='a fraction above one half such as "2/3"'
    )
    # How a surplus is divided: to the reserve, to education, the rest to the pots; and the part
    # of the refund that follows hours rather than commission.
    reserve_bp: Share = 2000
    education_bp: Share = 500
    patronage_hours_bp: Share = 5000
    # How members stand by each other: what they contribute of the gift they chose and up to what
    # that rises, what is taken over of a failed card's ride, and when and how long gifts are made.
    solidarity_contribution_bp: int = Field(default=450, ge=0, le=3_000, description=_UP_TO_3000)
    solidarity_most_bp: int = Field(default=1350, ge=0, le=3_000, description=_UP_TO_3000)
    guarantee_cap_minor: int = Field(
        default=5_000, ge=0, le=100_000, description="whole minor units, 0 to 100000"
    )
    gift_waiting_days: int = Field(default=30, ge=10, le=180, description="days, 10 to 180")
    gift_longest_months: int = Field(default=24, ge=3, le=24, description="months, 3 to 24")
    # What the law asks besides, how much of a refund is paid in money, and who bears a loss.
    legal_form: LegalFormKey = "ica"
    refund_cash_bp: Share = 2000
    losses: Literal["carried", "reserve"] = Field(
        default="carried",
        description='"carried" to the next surplus, or first taken from the "reserve"',
    )

    @model_validator(mode="before")
    @classmethod
    def _read_older_keys(cls, written: Any) -> Any:
        if not isinstance(written, dict):
            return written
        read = dict(written)
        for older, key, least_s in (
            ("notice_days", "notice", 0),
            ("objection_days", "objection", 1),
        ):
            if older not in read:
                continue
            days = read.pop(older)
            if type(days) is not int or not 0 <= days <= 365:
                message = f"statutes.{older} must be whole days, 0 to 365; it is {days!r}"
                raise ValueError(message)
            if key in read:
                message = f"statutes.{older} is the older spelling of {key}; keep one of the two"
                raise ValueError(message)
            read[key] = f"{max(days * DAY_S, least_s)} seconds"
        members = read.pop("quorum_members", 1)
        if type(members) is not int or members < 1:
            message = f"statutes.quorum_members must be members, 1 or more; it is {members!r}"
            raise ValueError(message)
        return read

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.commission_bp > self.commission_ceiling_bp:
            message = (
                f"statutes.commission_bp must not exceed commission_ceiling_bp: it is "
                f"{self.commission_bp}, the ceiling {self.commission_ceiling_bp}; lower the one "
                f"or raise the other"
            )
            raise ValueError(message)
        if len(set(self.houses)) != len(self.houses):
            message = "statutes.houses must name each house once; remove the repetition"
            raise ValueError(message)
        if self.reserve_bp + self.education_bp > 10_000:
            message = (
                f"statutes.reserve_bp and education_bp must leave something of 10000 to divide: "
                f"they are {self.reserve_bp} and {self.education_bp}; lower one"
            )
            raise ValueError(message)
        form = LEGAL_FORMS[self.legal_form]
        asked = max(self.reserve_bp, form.reserve_bp.value)
        asked += max(self.education_bp, form.education_bp.value) + form.refund_bp.value
        if asked > 10_000:
            message = (
                f"statutes.reserve_bp and education_bp must leave {form.refund_bp.value} of 10000"
                f" to be refunded, as {form.key} asks; lower one"
            )
            raise ValueError(message)
        return self
