"""Tables of the seals: blocks of journals under signed roots, salts, secrets that make codes."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.foundation import columns


def _number(**more: Any) -> Any:
    """Return a number that the program counts, not the database."""
    return Field(sa_type=BigInteger, sa_column_kwargs={"autoincrement": False}, **more)


class SealEpoch(SQLModel, table=True):
    """A time in which one server counted transactions.

    Journals up to ``through_journal`` were there when it began and are sealed in the order of
    their numbers; later ones in the order of the transactions that wrote them.
    """

    __tablename__ = "seal_epoch"

    epoch: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    server: str = columns.text()
    through_journal: int = _number()
    begun_at: datetime = columns.moment()


class SealRow(SQLModel, table=True):
    """The signed head of a block, and the last journal in it: the next block begins after that."""

    __tablename__ = "seal"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("height > 0 and size > 0", name="seals_hold_something"),
        CheckConstraint(
            "octet_length(root) = 32 and octet_length(previous) = 32 and octet_length(hash) = 32"
            " and octet_length(key) = 32 and octet_length(signature) = 64",
            name="seals_are_hashed_and_signed",
        ),
        UniqueConstraint("previous", name="a_seal_has_one_successor"),
        UniqueConstraint("hash", name="seals_differ"),
    )

    height: int = _number(primary_key=True)
    epoch: int = Field(foreign_key="seal_epoch.epoch")
    last_xid: int = _number()  # 0 while what was there before the epoch is being sealed
    last_journal: int = _number()
    size: int
    root: bytes = Field(sa_type=LargeBinary)
    previous: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)
    key: bytes = Field(sa_type=LargeBinary)
    signature: bytes = Field(sa_type=LargeBinary)
    sealed_at: datetime = columns.moment()


class SealLeaf(SQLModel, table=True):
    """Where a journal is sealed. No key leads to the journal: that would write to each of them."""

    __tablename__ = "seal_leaf"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("height", "position", name="one_leaf_in_a_place"),
    )

    journal_id: int = _number(primary_key=True)
    height: int = _number()
    position: int
    leaf: bytes = Field(sa_type=LargeBinary)
    hidden: bytes = Field(sa_type=LargeBinary)


class JournalSalt(SQLModel, table=True):
    """What proves a journal to be in its leaf; one function deletes it, for a person erased."""

    __tablename__ = "journal_salt"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("octet_length(salt) = 16", name="salts_cannot_be_guessed"),
    )

    journal_id: int = _number(primary_key=True)
    salt: bytes = Field(sa_type=LargeBinary)


class AccountSecret(SQLModel, table=True):
    """What makes an account's codes of one year; only its owner is told.

    Without it nobody ties two lines together. One function deletes it, for a person erased.
    """

    __tablename__ = "account_secret"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("octet_length(secret) = 32", name="secrets_cannot_be_guessed"),
    )

    account_id: UUID = columns.reference("account.id", primary_key=True)
    year: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    secret: bytes = Field(sa_type=LargeBinary)


class LineCode(SQLModel, table=True):
    """The code of one side of a line whose secret was erased: its leaf still comes out with it."""

    __tablename__ = "line_code"

    journal_id: int = _number(primary_key=True)
    line: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    is_debit: bool = Field(primary_key=True)
    code: str = columns.text()
