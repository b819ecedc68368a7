"""Every statement of the transparency report: it reads closed books and adds its own row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.ledger.cost_queries import PATIENCE_S
from app.transparency.report import RIDE_KINDS


async def list_due(reader: Transaction) -> list[Any]:
    """Return the closed periods without a report of which every journal is sealed, oldest first.

    Each with since, until, steps, journal_id (the last of its close) and height (its last seal).
    """
    return await reader.rows(
        "with closed as materialized (select p.id, p.since, p.until, p.steps, greatest("
        " (select max(j.id) from journal j where j.subject_id = p.id),"
        " (select through_journal from period_lock k where k.until = p.until)) as journal_id"
        " from surplus_period p where not exists"
        " (select from transparency_report r where r.period_id = p.id))"
        " select c.*, sealed.height from closed c cross join lateral ("
        " select max(l.height) as height, count(*) as many from seal_leaf l"
        " where l.journal_id <= c.journal_id) as sealed"
        " where sealed.many = (select count(*) from journal j where j.id <= c.journal_id)"
        " and sealed.height is not null order by c.until"
    )


async def moved(reader: Transaction, *, since: datetime, until: datetime) -> list[Any]:
    """Return account, journal and minor: what kinds of accounts gained by kinds of journals.

    Of journals that concern [since, until). What was reversed counts with the kind it undoes.
    """
    rows = await reader.connection.fetch(
        "select a.kind as account, coalesce(undone.kind, j.kind) as journal,"
        " sum(case when t.credit_id = a.id then t.amount_minor else -t.amount_minor end)::bigint"
        " as minor from journal j left join journal undone on undone.id = j.reverses"
        " join transfer t on t.journal_id = j.id"
        " join account a on a.id in (t.credit_id, t.debit_id)"
        " where j.effective_at >= $1 and j.effective_at < $2 group by 1, 2",
        since,
        until,
        timeout=PATIENCE_S,
    )
    return list(rows)


async def costs_by_purpose(
    reader: Transaction, *, since: datetime, until: datetime
) -> dict[str, int]:
    """Return what was booked with a document by purpose, net of what was taken back."""
    rows = await reader.rows(
        "select e.purpose, sum(case when j.reverses is null then t.amount_minor"
        " else -t.amount_minor end)::bigint as minor from cost_entry e"
        " join journal j on j.id = e.journal_id left join journal undone on undone.id = j.reverses"
        " join transfer t on t.journal_id = j.id and t.line = 1"
        " where coalesce(undone.kind, j.kind) = 'platform_cost'"
        " and j.effective_at >= $1 and j.effective_at < $2 group by 1",
        since,
        until,
    )
    return {row["purpose"]: row["minor"] for row in rows}


async def reserves_minor(reader: Transaction, *, through_journal: int) -> int:
    """Return what the reserves held once a period was closed."""
    return int(
        await reader.value(
            "select coalesce(sum(case when t.credit_id = a.id then t.amount_minor"
            " else -t.amount_minor end), 0) from account a"
            " join transfer t on a.id in (t.credit_id, t.debit_id) and t.journal_id <= $1"
            " where a.kind in ('statutory_reserve', 'voted_reserve')",
            through_journal,
        )
    )


async def list_drivers(
    reader: Transaction, *, period_id: UUID, since: datetime, until: datetime
) -> list[Any]:
    """Return earned_minor, online_s and refund_minor of everybody who drove in a period."""
    rows = await reader.connection.fetch(
        "with earned as (select a.member_id, sum(case when t.credit_id = a.id then t.amount_minor"
        " else -t.amount_minor end)::bigint as minor from account a"
        " join transfer t on a.id in (t.credit_id, t.debit_id)"
        " join journal j on j.id = t.journal_id"
        " left join journal undone on undone.id = j.reverses where a.kind = 'driver'"
        " and coalesce(undone.kind, j.kind) = any($4)"
        " and j.effective_at >= $2 and j.effective_at < $3 group by 1),"
        " online as (select driver_id as member_id, sum(extract(epoch from"
        " least(coalesce(ended_at, $3), $3) - greatest(started_at, $2)))::bigint as s from shift"
        " where started_at < $3 and coalesce(ended_at, $3) > $2 group by 1)"
        " select coalesce(e.minor, 0) as earned_minor, o.s as online_s,"
        " coalesce(r.cash_minor + r.capital_minor, 0) as refund_minor from online o"
        " left join earned e using (member_id)"
        " left join member_refund r on r.period_id = $1 and r.member_id = o.member_id",
        period_id,
        since,
        until,
        list(RIDE_KINDS),
        timeout=PATIENCE_S,
    )
    return list(rows)


async def count_rides(reader: Transaction, *, since: datetime, until: datetime) -> int:
    """Return how many rides were driven in [since, until) and not taken back."""
    return int(
        await reader.value(
            "select count(*) from journal j where j.kind = 'ride_fare'"
            " and j.effective_at >= $1 and j.effective_at < $2"
            " and not exists (select from journal undoing where undoing.reverses = j.id)",
            since,
            until,
        )
    )


async def list_votes(reader: Transaction, *, since: datetime, until: datetime) -> list[Any]:
    """Return election_id, ballots and on_the_roll of the votes counted in [since, until)."""
    return await reader.rows(
        "select t.election_id, (select sum(n::int) from jsonb_array_elements_text(t.counted) as n)"
        "::int as ballots, (select count(*) from election_roll r"
        " where r.election_id = t.election_id)::int as on_the_roll from tally t"
        " where t.tallied_at >= $1 and t.tallied_at < $2 order by t.tallied_at",
        since,
        until,
    )


async def list_rates(
    reader: Transaction, *, keys: Sequence[str], since: datetime, until: datetime
) -> list[Any]:
    """Return key, value, effective_from and election_id of these numbers in force in a period.

    Without an election it is of the founding statutes.
    """
    return await reader.rows(
        "select key, value, effective_from, election_id from (select p.key, p.value,"
        " p.effective_from, t.election_id, lead(p.effective_from) over"
        " (partition by p.key order by p.effective_from) as ended_at from policy_version p"
        " left join tally t on t.id = p.tally_id where p.key = any($3)) as version"
        " where effective_from < $2 and coalesce(ended_at > $1, true) order by key, effective_from",
        since,
        until,
        list(keys),
    )


async def insert_report(
    tx: Transaction, *, period_id: UUID, report: dict[str, Any], seal_height: int, now: datetime
) -> None:
    """Keep a report; of a period that has one already nothing happens."""
    await tx.execute(
        "insert into transparency_report (period_id, report, seal_height, published_at)"
        " values ($1, $2, $3, $4) on conflict do nothing",
        period_id,
        report,
        seal_height,
        now,
    )


_SHOWN = (
    "select r.period_id, p.since, p.until, r.report, r.seal_height, encode(s.hash, 'hex')"
    " as seal_hash, r.published_at, c.name as cooperative, c.currency, c.time_zone"
    " from transparency_report r join surplus_period p on p.id = r.period_id"
    " join seal s on s.height = r.seal_height cross join cooperative c"
)


async def find_report(reader: Transaction, *, period_id: UUID) -> Any | None:
    """Return a report as it is shown, or None."""
    return await reader.row(f"{_SHOWN} where r.period_id = $1", period_id)


async def list_reports(reader: Transaction, *, before: UUID | None, limit: int) -> list[Any]:
    """Return reports as they are shown, the newest period first; `before` is a period."""
    return await reader.rows(
        f"{_SHOWN} where $1::uuid is null"
        " or p.until < (select until from surplus_period where id = $1)"
        " order by p.until desc limit $2",
        before,
        limit,
    )
