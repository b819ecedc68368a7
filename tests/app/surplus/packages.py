"""Packages of small closed years, and what a recount finds in them."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.ledger.seals import seal_block
from app.surplus.package import draw_package
from governance.verify import FaultKind, recount_period
from tests.app.surplus.year import POTS, Town
from tests.factories import Person

KEY = Ed25519PrivateKey.generate()
Package = dict[str, Any]


async def seal_all(town: Town, *, most: int = 40) -> None:
    while await seal_block(town.database, key=KEY, now=town.clock.now(), most=most):
        pass


async def small_year(town: Town) -> dict[str, Person]:
    """Two members and a guest, some rides each, voted pots."""
    people = {}
    for name, fares, hours in (("ada", 5, 30), ("bo", 3, 20), ("guest", 2, 9)):
        people[name] = await town.driver(name, on_register=name != "guest")
        await town.drive(people[name], [20_000] * fares, engaged=timedelta(hours=hours))
    await town.pay(3_000)
    await town.vote_pots(POTS)
    return people


async def closed_year(town: Town) -> tuple[Package, dict[str, Person]]:
    people = await small_year(town)
    await seal_all(town, most=5)
    period = await town.close()
    await seal_all(town, most=5)
    return await package_of(town, period["id"]), people


async def package_of(town: Town, period_id: str) -> Package:
    async with town.database.reading() as reader:
        package: Package = json.loads(await draw_package(reader, period_id=UUID(period_id)))
    return package


def kinds(package: Package, **more: Any) -> set[FaultKind]:
    return {fault.kind for fault in recount_period(package, **more).faults}


async def secrets_of(town: Town, person: Person) -> list[str]:
    """What a person is told, and nobody else."""
    return [one["secret"] for one in (await town.own(person, "book-secrets"))["items"]]


def codes_in(package: Package) -> list[str]:
    """Every code of the package, as often as it is there."""
    shown = [one["shown"] for block in package["blocks"] for one in block]
    names = [name for one in shown for line in one["lines"] for name in line[:2] if ":" in name]
    names += [name for name in package["openings"] if ":" in name]
    rows = [row["code"] for part in ("members", "guests") for row in package[part]]
    return rows + [name.partition(":")[2] for name in names]
