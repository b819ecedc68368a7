"""Column types that every room shares: moments, money, texts with a fixed set of values."""

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


def key(**more: Any) -> Any:
    """Return a UUIDv7 primary key, made by the program."""
    return Field(primary_key=True, sa_type=Uuid, **more)


def reference(target: str | None = None, **more: Any) -> Any:
    """Return a UUID that points at ``table.column``, or at nothing the database checks."""
    return (
        Field(sa_type=Uuid, foreign_key=target, **more) if target else Field(sa_type=Uuid, **more)
    )


def text(**more: Any) -> Any:
    """Return a text column."""
    return Field(sa_type=Text, **more)


def moment(**more: Any) -> Any:
    """Return a moment: timestamptz, aware UTC in Python."""
    return Field(sa_type=DateTime(timezone=True), **more)


def minor(**more: Any) -> Any:
    """Return an amount of money in whole minor units."""
    return Field(sa_type=BigInteger, **more)


def document(**more: Any) -> Any:
    """Return a JSON document."""
    return Field(sa_type=JSONB, **more)


def one_of(column: str, values: type[Any], *, name: str) -> CheckConstraint:
    """Return the check that a text column holds a member of a StrEnum."""
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({allowed})", name=name)


__all__ = ["UUID", "document", "key", "minor", "moment", "one_of", "reference", "text"]
