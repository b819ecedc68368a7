"""Tables that belong to no subject: the event log and the keys of commands."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, text
from sqlmodel import BigInteger, Field, SQLModel

from app.foundation import columns


class EventStream(SQLModel, table=True):
    """The newest number of each stream; its row lock is what makes the numbers gap-free."""

    __tablename__ = "event_stream"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("last_seq > 0", name="streams_count_from_one"),
    )

    stream_id: UUID = columns.key()
    last_seq: int = Field(sa_type=BigInteger)


class EventLog(SQLModel, table=True):
    """Every event of every stream, append-only."""

    __tablename__ = "event_log"

    stream_id: UUID = columns.key()
    seq: int = Field(
        primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}
    )
    type: str = columns.text()
    at: datetime = columns.moment()
    recorded_at: datetime = columns.moment(
        sa_column_kwargs={"server_default": text("clock_timestamp()")}
    )
    data: dict[str, Any] = columns.document()


class IdempotencyKey(SQLModel, table=True):
    """The first answer to each command, kept at least a day."""

    __tablename__ = "idempotency_key"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("length(key) between 1 and 255", name="keys_are_short"),
        Index("idempotency_key_by_age", "created_at"),
    )

    actor_id: UUID = columns.key()
    key: str = columns.text(primary_key=True)
    fingerprint: bytes = Field(sa_type=LargeBinary)
    status: int
    body: Any = columns.document(nullable=True)
    created_at: datetime = columns.moment()
