"""Tables of drivers at work: shifts and the newest known position."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import SQLModel

from app.foundation import columns


class Shift(SQLModel, table=True):
    """A stretch of time in which a driver takes offers with one car."""

    __tablename__ = "shift"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("ended_at >= started_at", name="shifts_end_after_they_start"),
        Index(
            "one_open_shift_per_driver",
            "driver_id",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
        Index("shift_by_driver", "driver_id", "started_at"),
        Index(
            "shift_ended",
            "ended_at",
            postgresql_include=["driver_id", "started_at"],
            postgresql_where=text("ended_at is not null"),
        ),
    )

    id: UUID = columns.key()
    driver_id: UUID = columns.reference("member.id")
    vehicle_id: UUID = columns.reference("vehicle.id")
    started_at: datetime = columns.moment()
    ended_at: datetime | None = columns.moment(nullable=True)


class DriverPosition(SQLModel, table=True):
    """The newest known position of a driver on shift; kept for a restart, not as a history."""

    __tablename__ = "driver_position"
    __table_args__: ClassVar[Any] = ({"postgresql_with": {"fillfactor": "50"}},)

    driver_id: UUID = columns.reference("member.id", primary_key=True)
    lat: float
    lng: float
    at: datetime = columns.moment()
