"""Tables of guests, of what was booked for them, and of the text messages about it."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import SQLModel

from app.foundation import columns
from app.guests.rules import MOST_TRIES, TOLD

_TOLD = ", ".join(f"'{state}'" for state in TOLD)


class Guest(SQLModel, table=True):
    """Somebody who telephoned, under the name they said; who they are as a member is not told."""

    __tablename__ = "guest"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("length(name) between 1 and 80", name="guests_have_a_name"),
        UniqueConstraint("member_id", name="one_guest_per_member"),
    )

    id: UUID = columns.key()
    member_id: UUID = columns.reference("member.id")
    name: str = columns.text()
    registered_by: UUID = columns.reference("member.id")
    registered_at: datetime = columns.moment()


class GuestRide(SQLModel, table=True):
    """A ride that a dispatcher booked for a guest, and who is invoiced for it."""

    __tablename__ = "guest_ride"
    __table_args__: ClassVar[Any] = (
        CheckConstraint("length(reference) between 1 and 80", name="references_say_something"),
        Index("guest_ride_by_time", "booked_at"),
        Index("guest_ride_by_guest", "guest_id"),
    )

    ride_id: UUID = columns.reference("ride.id", primary_key=True)
    guest_id: UUID = columns.reference("guest.id")
    client_id: UUID | None = columns.reference("contract_client.id", nullable=True)
    reference: str | None = columns.text(nullable=True)  # the client's own, for its invoice
    booked_by: UUID = columns.reference("member.id")
    booked_at: datetime = columns.moment()


class GuestText(SQLModel, table=True):
    """One text message about one thing that happened to a ride; its words are made when sent."""

    __tablename__ = "guest_text"
    __table_args__: ClassVar[Any] = (
        CheckConstraint(f"state in ({_TOLD})", name="guests_are_told_known_things"),
        CheckConstraint(f"tries between 0 and {MOST_TRIES}", name="texts_are_tried_so_often"),
        CheckConstraint("sent_at >= happened_at", name="texts_follow_what_happened"),
        Index("guest_text_unsent", "next_try_at", postgresql_where=text("sent_at is null")),
    )

    ride_id: UUID = columns.reference("guest_ride.ride_id", primary_key=True)
    state: str = columns.text(primary_key=True)
    happened_at: datetime = columns.moment(primary_key=True)
    tries: int
    next_try_at: datetime = columns.moment()
    sent_at: datetime | None = columns.moment(nullable=True)
