"""The table of replays: what a month would have been at other values of a dispatch policy."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, CheckConstraint
from sqlmodel import Field, SQLModel

from app.foundation import columns


class ForecastReplay(SQLModel, table=True):
    """What a simulation of [since, until) came to at one value of a policy. Never edited."""

    __tablename__ = "forecast_replay"
    __table_args__: ClassVar[Any] = (CheckConstraint("until > since", name="replayed_months_last"),)

    key: str = columns.text(primary_key=True)
    computed_at: datetime = columns.moment(primary_key=True)
    value: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    since: datetime = columns.moment()
    until: datetime = columns.moment()
    figures: dict[str, Any] = columns.document()
