"""The table of travel times: each fit on the city's own rides, none ever edited."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Float
from sqlmodel import Field, SQLModel

from app.foundation import columns


class CalibrationFit(SQLModel, table=True):
    """What completed rides said about the engine's times, and which rides said it."""

    __tablename__ = "calibration"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "cardinality(hour_of_week) = 168 and array_position(hour_of_week, null) is null",
            name="a_week_has_168_hours",
        ),
        CheckConstraint(
            "constant_s >= 0 and factor >= 0 and 0 < all (hour_of_week)",
            name="no_drive_takes_negative_time",
        ),
        CheckConstraint("rides > 0 and first_ride_at <= last_ride_at", name="a_fit_rests_on_rides"),
    )

    id: UUID = columns.key()
    fitted_at: datetime = columns.moment()
    constant_s: float
    factor: float
    hour_of_week: list[float] = Field(sa_type=ARRAY(Float))
    rides: int
    first_ride_at: datetime = columns.moment()
    last_ride_at: datetime = columns.moment()
