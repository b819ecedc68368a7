"""Circles: a driver opens one, others join; it begins with the twentieth."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.solidarity.errors import CircleFull, CircleNameTaken, InACircle, NotInACircle, TierUnknown
from app.solidarity.queries import circles as queries
from governance.solidarity.rules import CIRCLE_LEAST, CIRCLE_MOST, TIERS_MINOR


async def open_circle(tx: Transaction, *, name: str, opened_by: UUID, now: datetime) -> Any:
    """Open a circle that others can join, and return it. Opening is not joining.

    Raises:
        CircleNameTaken: another one is called so.
    """
    circle_id = new_id()
    if not await queries.insert_circle(
        tx, circle_id=circle_id, name=name, opened_by=opened_by, now=now
    ):
        raise CircleNameTaken
    return await queries.find_circle(tx, circle_id=circle_id)


async def join_circle(
    tx: Transaction, *, circle_id: UUID, member_id: UUID, tier_minor: int, now: datetime
) -> Any:
    """Let a driver into a circle, and return their place. The twentieth lets the circle begin.

    Raises:
        TierUnknown: the amount is none of those to choose from.
        NotFound: there is no such circle.
        CircleFull: fifty are in it.
        InACircle: the driver is in one.
    """
    if tier_minor not in TIERS_MINOR:
        raise TierUnknown
    if not await queries.lock_circle(tx, circle_id=circle_id):
        raise NotFound
    circle = await queries.find_circle(tx, circle_id=circle_id)
    assert circle is not None
    if circle["members"] >= CIRCLE_MOST:
        raise CircleFull
    if not await queries.insert_membership(
        tx,
        membership_id=new_id(),
        circle_id=circle_id,
        member_id=member_id,
        tier_minor=tier_minor,
        now=now,
    ):
        raise InACircle
    if circle["members"] + 1 >= CIRCLE_LEAST:
        await queries.begin_circle(tx, circle_id=circle_id, now=now)
    return await queries.find_membership(tx, member_id=member_id)


async def leave_circle(tx: Transaction, *, member_id: UUID, now: datetime) -> Any:
    """End a driver's place in their circle, and return it. Gifts end with the day.

    Raises:
        NotInACircle: the driver is in none.
    """
    membership = await queries.find_membership(tx, member_id=member_id, for_update=True)
    if membership is None:
        raise NotInACircle
    await queries.leave(tx, membership_id=membership["id"], now=now)
    return membership
