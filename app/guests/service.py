"""Use cases of guests: register who telephones, and book for them as they would themselves."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.guests import queries
from app.guests.errors import GuestNotServed
from app.guests.rules import GuestMethod
from app.ledger.service import open_rider_account
from app.members.phones import normalise_phone
from app.members.queries import people
from app.members.roles import Role
from app.payments.rules import Method
from app.rides import service as rides


async def register(
    tx: Transaction, *, name: str, phone: str | None, credit_minor: int, by: UUID, now: datetime
) -> Any:
    """Return the guest of this number, or a new one without a number; they can be booked for.

    Who has the number signs in with it whenever they like, and finds these rides among their own.
    Where it is a member's, the guest is that member, and the answer is the same as for anybody.
    A guest without a number is a new one each time and is sent no text messages.

    Raises:
        PhoneNumberInvalid: this is not a telephone number.
    """
    member_id = new_id()
    if phone is None:
        await queries.insert_unnumbered(tx, member_id=member_id, name=name, now=now)
    else:
        member = await people.make_member(
            tx, member_id=member_id, phone=normalise_phone(phone), now=now
        )
        member_id = member["id"]
        await queries.name_who_never_came(tx, member_id=member_id, name=name)
    await people.grant_role(tx, member_id=member_id, role=Role.RIDER, by=None, now=now)
    await open_rider_account(tx, member_id=member_id, now=now, lowest_minor=-credit_minor)
    return await queries.keep_guest(
        tx, guest_id=new_id(), member_id=member_id, name=name, by=by, now=now
    )


async def rider_of(reader: Transaction, *, guest_id: UUID) -> UUID:
    """Return the member as whom a guest rides.

    Raises:
        NotFound: there is no such guest.
        GuestNotServed: a person suspended this member, and booking by telephone is no way round.
    """
    guest = await queries.find_guest(reader, guest_id=guest_id)
    if guest is None:
        raise NotFound
    if guest["is_suspended"]:
        raise GuestNotServed
    rider_id: UUID = guest["member_id"]
    return rider_id


async def book(
    tx: Transaction,
    *,
    guest_id: UUID,
    quote_id: UUID,
    method: GuestMethod,
    client_id: UUID | None,
    reference: str | None,
    by: UUID,
    now: datetime,
    search_s: int,
) -> dict[str, Any]:
    """Book a quote for a guest; refused for all that a rider is refused for.

    It is paid in cash or by the client who was chosen: the guest's own cards, account and client
    are theirs alone to spend from.

    Raises:
        NotFound, GuestNotServed: as they say.
        Any of `rides.request_ride`.
    """
    rider_id = await rider_of(tx, guest_id=guest_id)
    booked = await rides.request_ride(
        tx,
        rider_id=rider_id,
        quote_id=quote_id,
        now=now,
        search_s=search_s,
        payment_method=Method(method),
        client_id=client_id,
    )
    await queries.insert_ride(
        tx,
        ride_id=UUID(booked["id"]),
        guest_id=guest_id,
        client_id=client_id,
        reference=reference,
        by=by,
        now=now,
    )
    return booked
