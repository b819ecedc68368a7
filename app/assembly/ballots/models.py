"""Tables of the ballot box. None holds a time, a number in order, a person or where one was."""

from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.foundation import columns


class BallotBoxRow(SQLModel, table=True):
    """Where a box stands; without a row it is open and waits for its first batch."""

    __tablename__ = "ballot_box"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("batch_no > 0", name="batches_count_from_one"),
    )

    election_id: UUID = columns.reference("election.id", primary_key=True)
    # The batch that is being filled now; written when a batch is published, never by a caster.
    batch_no: int
    is_closed: bool


class PendingBallot(SQLModel, table=True):
    """A ballot that has its receipt and waits, sealed, for its batch; rows are all of one size.

    The blind index says whether this key and sequence number are here already, and only to whoever
    holds the batch's key. It is what identifies the row: an id made with the clock would tell time.
    """

    __tablename__ = "pending_ballot"

    election_id: UUID = columns.reference("election.id", primary_key=True)
    blind_index: bytes = Field(sa_type=LargeBinary, primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary)


class BallotRow(SQLModel, table=True):
    """A ballot in the box, append-only; a batch is written at once, in the order of its leaves."""

    __tablename__ = "ballot"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("election_id", "batch_no", "leaf", name="a_ballot_lies_in_the_box_once"),
        CheckConstraint("sequence >= 0", name="sequences_are_not_negative"),
    )

    election_id: UUID = columns.reference("election.id", primary_key=True)
    vote_key: bytes = Field(sa_type=LargeBinary, primary_key=True)
    sequence: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    leaf: bytes = Field(sa_type=LargeBinary)
    batch_no: int
    document: dict[str, Any] = columns.document()


class BoardRoot(SQLModel, table=True):
    """The signed root over the first ``size`` ballots of a box, append-only."""

    __tablename__ = "board_root"

    election_id: UUID = columns.reference("election.id", primary_key=True)
    size: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    document: dict[str, Any] = columns.document()


class Objection(SQLModel, table=True):
    """A receipt of the board whose ballot is not in the counted box: why a vote was voided."""

    __tablename__ = "objection"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("length(leaf) = 32", name="missing_leaves_are_whole"),
    )

    election_id: UUID = columns.reference("election.id", primary_key=True)
    leaf: bytes = Field(sa_type=LargeBinary, primary_key=True)
    receipt: dict[str, Any] = columns.document()
