"""Founds the cooperative from its statutes file, once; afterwards only a tally decides."""

import hashlib
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from app.city import City
from app.foundation.clock import ScaledClock
from app.foundation.ids import new_id


class AlreadyFounded(Exception):
    """The cooperative of this database exists; its statutes file decides nothing any more."""


def statutes_hash(city: City) -> bytes:
    """Return a hash of the statutes and the tariff, to see later whether the file was edited."""
    # What a file may leave out and a later release added does not make an old file an edited one.
    tariff = city.tariff.model_dump(mode="json", exclude_defaults=True)
    document = [city.statutes_as_written, tariff]
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).digest()


async def found_cooperative(connection: Any, city: City, *, at: datetime) -> None:
    """Write the first policies, the first tariff and the house accounts, in force from ``at``.

    ``connection`` is the owner's: the program's own role may not call this function.

    Raises:
        AlreadyFounded: this database has a cooperative.
    """
    statutes = city.statutes.model_dump(mode="json")
    # One id for each policy, and the last for the account of commission income.
    ids = [new_id() for _ in range(len(statutes) + 1)]
    try:
        await connection.execute(
            "select found_cooperative($1, $2, $3, $4::text::jsonb, $5, $6,"
            " $7::text::jsonb, $8, $9)",
            city.name,
            city.currency,
            city.time_zone.key,
            orjson.dumps(statutes).decode(),
            ids,
            new_id(),
            orjson.dumps(city.tariff.model_dump(mode="json")).decode(),
            statutes_hash(city),
            at,
        )
    except asyncpg.UniqueViolationError as twice:
        raise AlreadyFounded(f"{city.name} was founded before") from twice


async def keep_demo_clock(connection: Any, clock: ScaledClock | None) -> None:
    """Let the database tell a demonstration's time; with None, the true time from now on.

    The database itself looks whether a vote has closed and its notice is given. ``connection`` is
    the owner's: the program's own role may not write here.
    """
    await connection.execute("delete from demo_clock")
    if clock is not None:
        await connection.execute(
            "insert into demo_clock (one, start_at, anchor_s, speed) values (true, $1, $2, $3)",
            clock.start,
            clock.anchor_s,
            clock.speed,
        )
