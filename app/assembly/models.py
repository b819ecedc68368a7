"""Tables of the assembly: the cooperative itself and every policy it ever decided."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.foundation import columns


class Cooperative(SQLModel, table=True):
    """The one cooperative of this database, and what it was founded with."""

    __tablename__ = "cooperative"
    __table_args__: ClassVar[Any] = (CheckConstraint("one", name="one_cooperative_per_database"),)

    one: bool = Field(primary_key=True)
    name: str = columns.text()
    currency: str = columns.text()
    time_zone: str = columns.text()
    statutes_hash: bytes = Field(sa_type=LargeBinary)
    founded_at: datetime = columns.moment()


class PolicyVersion(SQLModel, table=True):
    """A decided value of one key, in force from a moment on until a later row follows it."""

    __tablename__ = "policy_version"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("key", "effective_from", name="one_value_of_a_policy_at_a_moment"),
        CheckConstraint("source in ('founding', 'tally')", name="policies_come_from_a_decision"),
        CheckConstraint(
            "(source = 'tally') = (tally_id is not null)", name="a_voted_policy_names_its_tally"
        ),
    )

    id: UUID = columns.key()
    key: str = columns.text()
    value: Any = columns.document()
    effective_from: datetime = columns.moment()
    source: str = columns.text()
    tally_id: UUID | None = columns.reference(nullable=True)
    recorded_at: datetime = columns.moment(
        sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )
