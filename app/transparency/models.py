"""The table of reports: one for each closed period, published once and never edited."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint
from sqlmodel import Field, SQLModel

from app.foundation import columns


class TransparencyReport(SQLModel, table=True):
    """What was published of a period, and the seal up to which its books were then sealed."""

    __tablename__ = "transparency_report"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("seal_height > 0", name="reports_are_of_sealed_books"),
    )

    period_id: UUID = columns.reference("surplus_period.id", primary_key=True)
    report: dict[str, Any] = columns.document()
    seal_height: int = Field(sa_type=BigInteger, foreign_key="seal.height")
    published_at: datetime = columns.moment()
