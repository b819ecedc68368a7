"""Tables of the pay floor: each driver's week as it was reckoned, and which weeks are done."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.foundation import columns


class PayFloorWeek(SQLModel, table=True):
    """What a driver's week came to against the floor, and the journal that filled it up."""

    __tablename__ = "pay_floor_week"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(
            "week_start < week_end and week_end <= reckoned_at",
            name="weeks_are_reckoned_after_their_end",
        ),
        CheckConstraint(
            "least(engaged_s, distance_m, earned_minor, floor_minor) >= 0",
            name="weeks_are_not_negative",
        ),
        CheckConstraint(
            "top_up_minor = greatest(0, floor_minor - earned_minor)",
            name="a_week_is_filled_up_to_its_floor",
        ),
        CheckConstraint(
            "(top_up_minor > 0) = (journal_id is not null)", name="top_ups_have_a_journal"
        ),
        UniqueConstraint("journal_id", name="a_top_up_has_its_own_journal"),
    )

    driver_id: UUID = columns.reference("member.id", primary_key=True)
    week_start: datetime = columns.moment(primary_key=True)
    week_end: datetime = columns.moment()
    engaged_s: int = Field(sa_type=BigInteger)
    distance_m: int = Field(sa_type=BigInteger)
    earned_minor: int = columns.minor()
    floor_minor: int = columns.minor()
    top_up_minor: int = columns.minor()
    journal_id: int | None = columns.minor(default=None, foreign_key="journal.id", nullable=True)
    reckoned_at: datetime = columns.moment()


class PayFloorRound(SQLModel, table=True):
    """A week of which every driver's pay was looked at; it is not looked at again."""

    __tablename__ = "pay_floor_round"

    week_start: datetime = columns.moment(primary_key=True)
    done_at: datetime = columns.moment()
