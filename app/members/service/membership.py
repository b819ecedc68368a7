"""To become a member of the cooperative and to stop being one: apply, pay, be admitted, leave."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.pagination import Page, decode_cursor, make_page
from app.foundation.problems import NotFound
from app.ledger import service as ledger
from app.members.access import Actor
from app.members.errors import (
    HouseNotInStatutes,
    MembershipDecided,
    MembershipExists,
    NotAMember,
    OwnCase,
    RoleMissing,
    SharePaidBefore,
    ShareUnpaid,
)
from app.members.queries import register as queries
from app.members.roles import Role
from app.members.standing import Registered, in_words
from governance import electorate
from governance.electorate import House, RollRules, Standing

# Whoever rides may join the riders; who joins the drivers drives.
ROLE_OF_HOUSE = {House.DRIVERS: Role.DRIVER, House.RIDERS: Role.RIDER}


@dataclass(frozen=True, slots=True)
class OwnStanding:
    """Whether somebody is on the register and on rolls, from when, and what is missing if not.

    `on_the_roll_from` is the first moment of rolls they are or will be on, None if nothing is
    certain yet.
    """

    membership: Any | None
    standing: Standing
    is_on_the_register: bool
    on_the_roll_from: datetime | None
    in_words: str
    public_key: bytes | None


async def apply_for_membership(
    tx: Transaction, *, actor: Actor, house: House, now: datetime
) -> Any:
    """Enter an application for the register of a house; return its row.

    The share asked is what the statutes ask of the house today. What somebody left in from an
    earlier membership counts, and stays in.

    Raises:
        RoleMissing: the drivers' house is for who drives.
        HouseNotInStatutes: the cooperative has no such house.
        MembershipExists: an application is under way, or they are a member.
    """
    if ROLE_OF_HOUSE[house] not in actor.roles:
        raise RoleMissing
    figures = await queries.find_figures(tx, at=now)
    if house not in figures["houses"]:
        raise HouseNotInStatutes
    paid_in = await ledger.share_paid_in(tx, member_id=actor.member_id)
    asked = max(figures[f"share_{house}_minor"], paid_in)
    membership_id = await queries.insert_membership(
        tx,
        membership_id=new_id(),
        member_id=actor.member_id,
        house=house,
        shares_minor=asked,
        paid=asked == paid_in,
        now=now,
    )
    if membership_id is None:
        raise MembershipExists
    row = await get_membership(tx, membership_id=membership_id)
    data = {"house": house, "shares_minor": asked, "due_minor": asked - paid_in}
    _tell(tx, "applied", row["member_id"], membership_id, now=now, **data)
    return row


async def get_membership(reader: Transaction, *, membership_id: UUID) -> Any:
    """Return the row of one membership.

    Raises:
        NotFound: there is none.
    """
    row = await queries.find_membership(reader, membership_id=membership_id)
    if row is None:
        raise NotFound
    return row


async def list_memberships(
    reader: Transaction, *, state: str | None, cursor: str | None, limit: int
) -> Page[Any]:
    """Return a page of memberships, first come first.

    Raises:
        InvalidRequest: the cursor was not made here.
    """
    rows = await queries.list_memberships(
        reader, state=state, after=decode_cursor(cursor), limit=limit + 1
    )
    return make_page(rows, limit=limit, key=lambda row: row["id"])


async def book_share(tx: Transaction, *, membership_id: UUID, by: UUID, now: datetime) -> Any:
    """Enter that an applicant's share reached the bank, and book it; return the row.

    Raises:
        NotFound: there is no such membership.
        OwnCase: it is the actor's own.
        MembershipDecided: it was decided, or its member left.
        SharePaidBefore: there is nothing left to pay.
    """
    paid = await queries.mark_share_paid(tx, membership_id=membership_id, by=by, now=now)
    if paid is None:
        row = await _undecided(tx, membership_id=membership_id, by=by)
        assert row["shares_paid_at"] is not None
        raise SharePaidBefore
    member_id = paid["member_id"]
    due_minor = paid["shares_minor"] - await ledger.share_paid_in(tx, member_id=member_id)
    await ledger.post_member_share(
        tx, membership_id=membership_id, member_id=member_id, amount_minor=due_minor, now=now
    )
    _tell(tx, "share_paid", member_id, membership_id, now=now, amount_minor=due_minor)
    return await get_membership(tx, membership_id=membership_id)


async def admit_member(tx: Transaction, *, membership_id: UUID, by: UUID, now: datetime) -> Any:
    """Put an applicant on the register; return the row.

    Raises:
        NotFound: there is no such membership.
        OwnCase: it is the actor's own.
        MembershipDecided: it was decided, or its member left.
        ShareUnpaid: the share is not paid.
    """
    admitted = await queries.admit(tx, membership_id=membership_id, by=by, now=now)
    if admitted is None:
        row = await _undecided(tx, membership_id=membership_id, by=by)
        assert row["shares_paid_at"] is None
        raise ShareUnpaid
    house = admitted["house"]
    _tell(tx, "admitted", admitted["member_id"], membership_id, now=now, house=house)
    return await get_membership(tx, membership_id=membership_id)


async def refuse_member(
    tx: Transaction, *, membership_id: UUID, by: UUID, reason: str, now: datetime
) -> Any:
    """Refuse an applicant for a reason, which they can read; return the row.

    A share that was paid stays on the applicant's account, where it is theirs.

    Raises:
        NotFound: there is no such membership.
        OwnCase: it is the actor's own.
        MembershipDecided: it was decided, or its member left.
    """
    member_id = await queries.refuse(tx, membership_id=membership_id, by=by, reason=reason, now=now)
    if member_id is None:
        await _undecided(tx, membership_id=membership_id, by=by)
        raise AssertionError("an undecided membership can be refused")
    _tell(tx, "refused", member_id, membership_id, now=now)
    return await get_membership(tx, membership_id=membership_id)


async def leave(tx: Transaction, *, member_id: UUID, now: datetime) -> Any:
    """Take a member off the register, or an application back; return the row, which stays.

    The share stays on the member's account. They may apply again.

    Raises:
        NotAMember: they are not a member and have not applied.
    """
    left = await queries.leave(tx, member_id=member_id, now=now)
    if left is None:
        raise NotAMember
    _tell(tx, "left", member_id, left["id"], now=now, house=left["house"])
    return await get_membership(tx, membership_id=left["id"])


async def own_standing(reader: Transaction, *, member_id: UUID, now: datetime) -> OwnStanding:
    """Return how a member stands, in figures and in plain words."""
    figures = await queries.find_figures(reader, at=now)
    row = await queries.find_newest_membership(reader, member_id=member_id)
    key = await queries.find_key(reader, member_id=member_id)
    waiting = timedelta(seconds=figures["waiting_s"])
    standing, roll_from = Standing.NOT_ADMITTED, None
    if row is not None and row["admitted_at"] is not None:
        member = electorate.Member(
            id=str(member_id),
            house=House(row["house"]),
            admitted_at=row["admitted_at"],
            shares_paid_at=row["shares_paid_at"],
            left_at=row["left_at"],
        )
        standing = electorate.standing(member, at=now, rules=RollRules(waiting=waiting))
        roll_from = None if row["left_at"] else row["admitted_at"] + waiting
    return OwnStanding(
        membership=row,
        standing=standing,
        is_on_the_register=standing in {Standing.TOO_NEW, Standing.ON_ROLL},
        on_the_roll_from=roll_from,
        in_words=in_words(
            None if row is None else Registered.of(row),
            standing=standing,
            roll_from=roll_from,
            zone=ZoneInfo(figures["time_zone"]),
        ),
        public_key=None if key is None else key["public_key"],
    )


async def _undecided(tx: Transaction, *, membership_id: UUID, by: UUID) -> Any:
    """Return a membership on which nothing was done, unless it says itself why."""
    row = await get_membership(tx, membership_id=membership_id)
    if row["member_id"] == by:
        raise OwnCase
    if any(row[end] is not None for end in ("admitted_at", "refused_at", "left_at")):
        raise MembershipDecided
    return row


def _tell(
    tx: Transaction, what: str, member_id: UUID, membership_id: UUID, *, now: datetime, **data: Any
) -> None:
    told = {"membership_id": str(membership_id), **data}
    tx.emit(Event(f"membership.{what}", (member_id,), told), at=now)
