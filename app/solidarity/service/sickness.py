"""Illness: said by the member, confirmed by people who know them, ended by the member."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.foundation.events import Event
from app.foundation.ids import new_id
from app.foundation.problems import NotFound
from app.solidarity.errors import (
    CircleTooSmall,
    DayOutOfRange,
    MonthPaid,
    NotInACircle,
    NotReported,
    NotYoursToConfirm,
    ReportedBefore,
)
from app.solidarity.queries import circles, sickness
from app.solidarity.service.policies import longest_months, today, waiting_days
from governance.solidarity.gifts import later_month
from governance.solidarity.rules import CIRCLE_LEAST, PEERS_TO_CONFIRM

# Who says it later could be counted ill for a time that nobody looked at.
MOST_DAYS_LATE = 30


async def report_sick(tx: Transaction, *, member_id: UUID, began_on: date, now: datetime) -> Any:
    """Keep from when on a member cannot work, by the rules in force now, and return it.

    Raises:
        NotInACircle: the member is in none.
        DayOutOfRange: the day lies ahead, more than 30 days back, before the member joined or
            before the last illness ended.
        ReportedBefore: an illness is known that has not ended.
    """
    membership = await circles.find_membership(tx, member_id=member_id, for_update=True)
    if membership is None:
        raise NotInACircle
    day = await today(tx, now=now)
    ended = await sickness.last_end(tx, membership_id=membership["id"])
    earliest = max(day - timedelta(days=MOST_DAYS_LATE), membership["joined_on"], ended or date.min)
    if not earliest <= began_on <= day:
        raise DayOutOfRange
    leave_id = new_id()
    if not await sickness.insert_leave(
        tx,
        leave_id=leave_id,
        membership_id=membership["id"],
        began_on=began_on,
        waiting_days=await waiting_days(tx, at=now),
        longest_months=await longest_months(tx, at=now),
        now=now,
    ):
        raise ReportedBefore
    return await sickness.lock_leave(tx, leave_id=leave_id)


async def report_recovered(
    tx: Transaction, *, member_id: UUID, ended_on: date, now: datetime
) -> Any:
    """Keep the first day on which a member works again, and return the illness.

    Raises:
        NotInACircle: the member is in none.
        NotReported: nothing is known of an illness.
        DayOutOfRange: the day lies ahead, or before the illness began.
        MonthPaid: a gift was made for that time.
    """
    membership = await circles.find_membership(tx, member_id=member_id)
    if membership is None:
        raise NotInACircle
    leave = await sickness.lock_open_leave(tx, membership_id=membership["id"])
    if leave is None:
        raise NotReported
    if not leave["began_on"] <= ended_on <= await today(tx, now=now):
        raise DayOutOfRange
    paid = await sickness.last_paid_month(tx, leave_id=leave["id"])
    if paid is not None and ended_on < later_month(paid, months=1):
        raise MonthPaid
    await sickness.end_leave(tx, leave_id=leave["id"], ended_on=ended_on)
    return await sickness.lock_leave(tx, leave_id=leave["id"])


async def confirm_sick(
    tx: Transaction, *, leave_id: UUID, confirmed_by: UUID, is_steward: bool, now: datetime
) -> Any:
    """Keep that a person confirms an illness, and return it; the second peer or a steward decides.

    Raises:
        NotFound: there is none, or who asks is neither of the circle nor a steward.
        NotYoursToConfirm: it is the own illness.
        CircleTooSmall: the circle has fewer than twenty members.
    """
    leave = await sickness.lock_leave(tx, leave_id=leave_id)
    if leave is None:
        raise NotFound
    if leave["member_id"] == confirmed_by:
        raise NotYoursToConfirm
    own = await circles.find_membership(tx, member_id=confirmed_by)
    if not is_steward and (own is None or own["circle_id"] != leave["circle_id"]):
        raise NotFound
    circle = await circles.find_circle(tx, circle_id=leave["circle_id"])
    assert circle is not None
    if leave["confirmed_at"] is not None:
        return leave
    if circle["members"] < CIRCLE_LEAST:
        raise CircleTooSmall
    await sickness.insert_confirmation(
        tx, leave_id=leave_id, confirmed_by=confirmed_by, is_steward=is_steward, now=now
    )
    said = await sickness.count_confirmations(tx, leave_id=leave_id)
    if said["stewards"] or said["peers"] >= PEERS_TO_CONFIRM:
        await sickness.confirm_leave(tx, leave_id=leave_id, now=now)
        data = {"sick_leave_id": str(leave_id)}
        tx.emit(Event("sick_leave.confirmed", (leave["member_id"],), data), at=now)
    return await sickness.lock_leave(tx, leave_id=leave_id)
