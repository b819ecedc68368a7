"""A year in the books: rides as the ledger has them, driven by whom, with their fares."""

from datetime import datetime, timedelta

import asyncpg

from app.foundation.ids import new_id
from app.members.roles import Role
from governance.electorate import House
from tests.conftest import FRIDAY_EVENING
from tests.factories import Person, make_member, make_voter

BEGAN = FRIDAY_EVENING - timedelta(days=360)
YESTERDAY = FRIDAY_EVENING - timedelta(hours=18)  # and still signed in today


async def make_year_driver(owner: asyncpg.Connection, *, on_register: bool = True) -> Person:
    """A driver whose account takes fares, on the register of drivers unless told otherwise."""
    if on_register:
        return await make_voter(owner, House.DRIVERS, now=YESTERDAY)
    return await make_member(owner, Role.RIDER, Role.DRIVER, now=YESTERDAY)


async def book_rides(
    owner: asyncpg.Connection,
    *,
    driver: Person,
    rider: Person,
    fares_minor: list[int],
    engaged: timedelta,
    first_at: datetime = BEGAN,
    apart: timedelta | None = None,
) -> None:
    """Book completed rides of so many fares, one after another; each lasts equally long."""
    each = engaged / len(fares_minor)
    await owner.execute(
        "update balance set lowest_minor = -1000000000000 where account_id ="
        " (select id from account where member_id = $1 and kind = 'rider')",
        rider.id,
    )
    rides = [
        (new_id(), fare, first_at + (apart or each) * at) for at, fare in enumerate(fares_minor)
    ]
    await owner.execute("set session_replication_role = replica")
    await owner.executemany(
        "insert into ride (id, rider_id, driver_id, quote_id, hold_id, state, seats, is_shared,"
        " requested_at, search_until, assigned_at, started_at, ended_at) values"
        " ($1, $2, $3, uuidv7(), uuidv7(), 'completed', 1, false, $4, $4, $4, $4, $5)",
        [(ride, rider.id, driver.id, begun, begun + each) for ride, _, begun in rides],
    )
    await owner.execute("set session_replication_role = origin")
    await owner.executemany(
        "select post_journal('ride_fare', $1::uuid::text, '', 'ride_fare', $1, null, $2,"
        " array[r.id], array[d.id], array[$3::bigint], null) from account r, account d"
        " where r.member_id = $4 and r.kind = 'rider'"
        " and d.member_id = $5 and d.kind = 'driver'",
        [(ride, begun + each, fare, rider.id, driver.id) for ride, fare, begun in rides],
    )
