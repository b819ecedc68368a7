"""Publishes the report of each period that is closed and sealed, once; and shows what is there."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Database, Transaction
from app.foundation.problems import NotFound
from app.ledger.cost_queries import patiently
from app.transparency import queries
from app.transparency.report import DriverPeriod, Facts, Vote, make_report
from governance.policy import NUMBER_POLICIES


async def publish_due(database: Database, *, now: datetime) -> list[UUID]:
    """Publish what is due: a round of a worker. Return the periods; several may do it at once."""
    async with database.reading() as reader:
        due = await queries.list_due(reader)
    published = []
    for row in due:
        async with database.reading() as reader, patiently(reader):
            report = make_report(await _facts(reader, row))
        async with database.transaction() as tx:
            await queries.insert_report(
                tx, period_id=row["id"], report=report, seal_height=row["height"], now=now
            )
        published.append(row["id"])
    return published


async def _facts(reader: Transaction, row: Any) -> Facts:
    since, until = row["since"], row["until"]
    moved = await queries.moved(reader, since=since, until=until)
    drivers = await queries.list_drivers(reader, period_id=row["id"], since=since, until=until)
    votes = await queries.list_votes(reader, since=since, until=until)
    rates = await queries.list_rates(reader, keys=list(NUMBER_POLICIES), since=since, until=until)
    return Facts(
        since=since,
        until=until,
        moved_minor={(line["account"], line["journal"]): line["minor"] for line in moved},
        steps_minor={step["key"]: step["amount_minor"] for step in row["steps"]},
        costs_minor=await queries.costs_by_purpose(reader, since=since, until=until),
        reserves_minor=await queries.reserves_minor(reader, through_journal=row["journal_id"]),
        rides=await queries.count_rides(reader, since=since, until=until),
        drivers=[DriverPeriod(**dict(line)) for line in drivers],
        votes=[Vote(**{**dict(line), "election_id": str(line["election_id"])}) for line in votes],
        rates=[
            {
                "key": line["key"],
                "value": line["value"],
                "effective_from": line["effective_from"].isoformat(),
                "election_id": str(line["election_id"]) if line["election_id"] else None,
            }
            for line in rates
        ],
    )


async def get_report(reader: Transaction, *, period_id: UUID) -> dict[str, Any]:
    """Return a published report.

    Raises:
        NotFound: there is none of this period.
    """
    row = await queries.find_report(reader, period_id=period_id)
    if row is None:
        raise NotFound
    return shown(row)


def shown(row: Any) -> dict[str, Any]:
    """Return a report with what it is of, in one level."""
    values = dict(row)
    return {**values.pop("report"), **values}
