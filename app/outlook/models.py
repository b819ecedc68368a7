"""The table of hints: for each driver the newest advice where to wait."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint
from sqlmodel import Field, SQLModel

from app.foundation import columns


class Basis(StrEnum):
    """What an expectation rests on: the cooperative's own rides, or a guess for such a city."""

    HISTORY = "history"
    CITY = "city"


class WaitingHint(SQLModel, table=True):
    """Where a driver had best wait, and the numbers that are the reason.

    One row for each driver, gone within a minute when she has a ride or ends her shift. It tells
    about where she was, so nothing keeps older ones. Nothing but the advice itself reads it.
    """

    __tablename__ = "waiting_hint"
    __table_args__: ClassVar[Any] = (
        columns.one_of("based_on", Basis, name="what_hints_rest_on_is_known"),
        CheckConstraint("good_until > made_at", name="hints_hold_a_while"),
    )

    driver_id: UUID = columns.reference("member.id", primary_key=True)
    cell: int = Field(sa_type=BigInteger)  # H3
    lat: float
    lng: float
    name: str = columns.text()  # "" where the map has none
    drive_s: int
    expected_requests: float
    drivers_there: int  # others, there or on their way
    based_on: str = columns.text()
    made_at: datetime = columns.moment()
    good_until: datetime = columns.moment()
