"""Every statement of the surplus; journals are posted by the ledger's own function."""

from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction
from app.ledger.cost_queries import PATIENCE_S
from app.ledger.postings import Recipe

# Who stood on the register of drivers when the ride ended: that decides whose result it is.
_MEMBER_THEN = (
    "left join membership m on m.member_id = driven.driver_id and m.house = 'drivers'"
    " and m.admitted_at <= driven.at and (m.left_at is null or m.left_at > driven.at)"
)


async def beginning(reader: Transaction) -> Any:
    """Return founded_at, the end of the last closed period, and the first result there is.

    ``last_until`` is null before the first close, ``first_at`` after it or without any result.
    """
    return await reader.connection.fetchrow(
        "select founded_at, (select max(until) from surplus_period) as last_until,"
        " (select min(j.effective_at) from journal j join transfer t on t.journal_id = j.id"
        "  join account a on a.id in (t.debit_id, t.credit_id)"
        "  where a.kind in ('commission_income', 'other_income', 'platform_costs')"
        "  and not exists (select from surplus_period)) as first_at from cooperative",
        timeout=PATIENCE_S,
    )


async def count_entries(reader: Transaction, *, since: datetime, until: datetime) -> int:
    """Return how many journals concern [since, until), and closed periods: both only grow."""
    counted: int = await reader.connection.fetchval(
        "select count(*) + (select count(*) from surplus_period) from journal"
        " where effective_at >= $1 and effective_at < $2",
        since,
        until,
        timeout=PATIENCE_S,
    )
    return counted


async def list_commission(reader: Transaction, *, since: datetime, until: datetime) -> list[Any]:
    """Return driver_id, is_member and commission_minor of every driver of [since, until).

    What was taken back counts below 0, and for who was a member when it was paid. Without a
    driver is what came from somebody else. Call it patiently.
    """
    return list(
        await reader.connection.fetch(
            "select driven.driver_id, m.id is not null as is_member,"
            " sum(driven.amount_minor)::bigint as commission_minor from ("
            "select case when other.kind = 'driver' then other.member_id end as driver_id,"
            " coalesce(undone.effective_at, j.effective_at) as at,"
            " case when t.credit_id = income.id then t.amount_minor else -t.amount_minor end"
            " as amount_minor from account income"
            " join transfer t on income.id in (t.credit_id, t.debit_id)"
            " join account other on other.id ="
            " case when t.credit_id = income.id then t.debit_id else t.credit_id end"
            " join journal j on j.id = t.journal_id left join journal undone on undone.id ="
            " j.reverses where income.kind = 'commission_income' and j.kind <> 'surplus_close'"
            f" and j.effective_at >= $1 and j.effective_at < $2) as driven {_MEMBER_THEN}"
            " group by 1, 2",
            since,
            until,
            timeout=PATIENCE_S,
        )
    )


async def list_engaged(reader: Transaction, *, since: datetime, until: datetime) -> list[Any]:
    """Return driver_id and engaged_s of every driver's rides as a member in [since, until).

    Engaged is a driver from the assignment of a ride to its end; time of several rides at once
    counts once; a ride whose fare was taken back counts for nothing. Call it patiently.
    """
    return list(
        await reader.connection.fetch(
            "select driver_id, coalesce((select sum(extract(epoch from upper(engaged)"
            " - lower(engaged))) from unnest(times) as engaged), 0)::bigint as engaged_s"
            " from (select driven.driver_id, range_agg(tstzrange(r.assigned_at, r.ended_at)) as"
            " times from (select distinct j.subject_id, j.effective_at as at,"
            " a.member_id as driver_id from journal j join transfer t on t.journal_id = j.id"
            " join account a on a.id = t.credit_id and a.kind = 'driver'"
            " where j.kind = 'ride_fare' and j.effective_at >= $1 and j.effective_at < $2"
            " and not exists (select from journal undoing where undoing.reverses = j.id)) as driven"
            f" {_MEMBER_THEN} join ride r on r.id = driven.subject_id"
            " where m.id is not null and r.assigned_at < r.ended_at group by 1) as worked",
            since,
            until,
            timeout=PATIENCE_S,
        )
    )


async def house_results(reader: Transaction, *, since: datetime, until: datetime) -> Any:
    """Return other_income_minor and costs_minor of [since, until), net of what was taken back."""
    return await reader.connection.fetchrow(
        "select coalesce(sum(signed) filter (where kind = 'other_income'), 0)::bigint"
        " as other_income_minor, coalesce(-sum(signed) filter (where kind = 'platform_costs'), 0)"
        "::bigint as costs_minor from (select a.kind,"
        " case when t.credit_id = a.id then t.amount_minor else -t.amount_minor end as signed"
        " from account a join transfer t on a.id in (t.credit_id, t.debit_id)"
        " join journal j on j.id = t.journal_id where a.kind in ('other_income', 'platform_costs')"
        " and j.kind <> 'surplus_close' and j.effective_at >= $1 and j.effective_at < $2) as line",
        since,
        until,
        timeout=PATIENCE_S,
    )


async def standing(
    reader: Transaction, *, kinds: list[str], closed_until: datetime | None = None
) -> dict[str, int]:
    """Return what house accounts hold, credit positive.

    With ``closed_until``, what they held when the period up to then was closed.
    """
    rows = await reader.connection.fetch(
        "select a.kind, coalesce(sum(case when t.credit_id = a.id then t.amount_minor"
        " else -t.amount_minor end), 0)::bigint as minor"
        " from account a left join transfer t on a.id in (t.credit_id, t.debit_id)"
        " and ($2::timestamptz is null or t.journal_id <="
        " (select through_journal from period_lock where until = $2))"
        " where a.kind = any($1) group by a.kind",
        kinds,
        closed_until,
        timeout=PATIENCE_S,
    )
    return {row["kind"]: row["minor"] for row in rows}


async def owed_minor(reader: Transaction) -> int:
    """Return what is owed to people and partners but members' capital, in minor units.

    What members paid in to join counts; an account below zero sets nothing off.
    """
    return int(
        await reader.value(
            "select coalesce(sum(b.posted_minor), 0) from balance b join account a"
            " on a.id = b.account_id where a.kind <> 'member_capital' and b.posted_minor > 0"
        )
    )


async def post(
    tx: Transaction, recipe: Recipe, *, key: str, subject_id: UUID, now: datetime
) -> int | None:
    """Post a journal of a period or of a redemption, once; None where it would move nothing."""
    if not recipe.lines:
        return None
    posted: int = await tx.value(
        "select post_journal($1::text, $2, $3, $1::text, $4, null, $5, $6, $7, $8, null)",
        str(recipe.kind),
        key,
        recipe.fingerprint,
        subject_id,
        now,
        [line.debit_id for line in recipe.lines],
        [line.credit_id for line in recipe.lines],
        [line.amount_minor for line in recipe.lines],
    )
    return posted


async def open_accounts(
    tx: Transaction, *, member_ids: list[UUID], account_ids: list[UUID], now: datetime
) -> dict[UUID, tuple[UUID, UUID]]:
    """Return each member's accounts as a driver and of capital; the latter is opened if missing."""
    rows = await tx.rows(
        "select asked.member_id, d.id as driver, open_account(asked.id, 'member_capital',"
        " asked.member_id, d.currency, 0, $3) as capital"
        " from unnest($1::uuid[], $2::uuid[]) as asked(member_id, id)"
        " join account d on d.member_id = asked.member_id and d.kind = 'driver'",
        member_ids,
        account_ids,
        now,
    )
    return {row["member_id"]: (row["driver"], row["capital"]) for row in rows}


async def insert_draft(
    tx: Transaction,
    *,
    draft_id: UUID,
    since: datetime,
    until: datetime,
    fingerprint: bytes,
    steps: list[dict[str, Any]],
    by: UUID,
    now: datetime,
) -> None:
    """Keep what was prepared."""
    await tx.execute(
        "insert into surplus_draft (id, since, until, fingerprint, steps, prepared_by, prepared_at)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        draft_id,
        since,
        until,
        fingerprint,
        steps,
        by,
        now,
    )


async def find_draft(reader: Transaction, *, draft_id: UUID) -> Any | None:
    """Return a prepared close, or None."""
    return await reader.row("select * from surplus_draft where id = $1", draft_id)


async def insert_period(
    tx: Transaction,
    *,
    period_id: UUID,
    since: datetime,
    until: datetime,
    follows: datetime | None,
    fingerprint: bytes,
    steps: list[dict[str, Any]],
    prepared_by: UUID | None,
    confirmed_by: UUID | None,
    operator: str | None,
    now: datetime,
) -> None:
    """Enter a closed period; its keys refuse a second one, an overlap and a gap."""
    await tx.execute(
        "insert into surplus_period (id, since, until, follows, fingerprint, steps, prepared_by,"
        " confirmed_by, operator, closed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        period_id,
        since,
        until,
        follows,
        fingerprint,
        steps,
        prepared_by,
        confirmed_by,
        operator,
        now,
    )


async def insert_refunds(tx: Transaction, *, rows: list[tuple[Any, ...]]) -> None:
    """Keep each refund: period, member, commission, engaged, cash, capital, journal."""
    await tx.connection.executemany(
        "insert into member_refund (period_id, member_id, commission_minor, engaged_s, cash_minor,"
        " capital_minor, journal_id) values ($1, $2, $3, $4, $5, $6, $7)",
        rows,
    )


# Prepared and closed ones alike: a draft that was confirmed is shown as the period it became.
_PERIODS = (
    "select id, since, until, 'closed' as state, steps, closed_at as at, operator from"
    " surplus_period union all select id, since, until, 'prepared', steps, prepared_at, null"
    " from surplus_draft d where not exists (select from surplus_period p where p.id = d.id)"
)


async def find_period(reader: Transaction, *, period_id: UUID) -> Any | None:
    """Return id, since, until, state, steps, at and operator of a period, or None."""
    return await reader.row(f"select * from ({_PERIODS}) as p where id = $1", period_id)


async def list_periods(reader: Transaction, *, before: UUID | None, limit: int) -> list[Any]:
    """Return periods as ``find_period`` does, the one prepared last first."""
    return await reader.rows(
        f"select * from ({_PERIODS}) as p where $1::uuid is null or id < $1"
        " order by id desc limit $2",
        before,
        limit,
    )


async def list_closed(reader: Transaction) -> list[Any]:
    """Return id, since, until, fingerprint and closed_at of closed periods, the first one first."""
    return await reader.rows(
        "select id, since, until, fingerprint, closed_at from surplus_period order by until"
    )


async def posted_lines(reader: Transaction, *, period_id: UUID) -> list[Any]:
    """Return kind, key, both accounts and the amount of each line of a period's journals."""
    return await reader.rows(
        "select j.kind, j.idem_key, t.debit_id, t.credit_id, t.amount_minor from journal j"
        " join transfer t on t.journal_id = j.id where j.subject_id = $1 order by j.id, t.line",
        period_id,
    )


async def refund_accounts(reader: Transaction, *, period_id: UUID) -> list[Any]:
    """Return member_id and the accounts driver and capital of who got a refund of a period."""
    return await reader.rows(
        "select r.member_id, d.id as driver, c.id as capital from member_refund r"
        " join account d on d.member_id = r.member_id and d.kind = 'driver'"
        " join account c on c.member_id = r.member_id and c.kind = 'member_capital'"
        " where r.period_id = $1",
        period_id,
    )


async def list_capital(reader: Transaction) -> list[Any]:
    """Return member_id, what a member's capital stands at, and what is left of its lots."""
    return await reader.rows(
        "select coalesce(stood.member_id, lots.member_id) as member_id,"
        " coalesce(stood.minor, 0) as stands_minor, coalesce(lots.minor, 0) as lots_minor from"
        " (select a.member_id, b.posted_minor as minor from account a join balance b"
        "  on b.account_id = a.id where a.kind = 'member_capital') as stood full join"
        " (select member_id, sum(minor)::bigint as minor from (select member_id, capital_minor as"
        "  minor from member_refund union all select member_id, -amount_minor from"
        "  capital_redemption) as lot group by member_id) as lots using (member_id)"
    )


async def list_refunds(reader: Transaction, *, member_id: UUID) -> list[Any]:
    """Return every refund of a member with what was paid back of its capital, the oldest first."""
    return await reader.rows(
        "select r.period_id, p.since, p.until, p.closed_at, r.commission_minor, r.engaged_s,"
        " r.cash_minor, r.capital_minor, coalesce((select sum(c.amount_minor)"
        " from capital_redemption c where c.member_id = r.member_id and c.period_id = r.period_id),"
        " 0)::bigint as redeemed_minor from member_refund r join surplus_period p"
        " on p.id = r.period_id where r.member_id = $1 order by p.until",
        member_id,
    )


async def left_at(reader: Transaction, *, member_id: UUID) -> Any | None:
    """Return is_member and left_at of who was once on the register of drivers, or None."""
    return await reader.row(
        "select bool_or(left_at is null) as is_member, max(left_at) as left_at from membership"
        " where member_id = $1 and house = 'drivers' and admitted_at is not null"
        " having count(*) > 0",
        member_id,
    )


async def lock_redemptions(tx: Transaction) -> None:
    """Let one redemption at a time look at what there is."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended('capital_redemption', 0))")


async def insert_redemptions(tx: Transaction, *, rows: list[tuple[Any, ...]]) -> None:
    """Keep what was paid back: journal, period, member, amount, by whom, when."""
    await tx.connection.executemany(
        "insert into capital_redemption (journal_id, period_id, member_id, amount_minor,"
        " redeemed_by, redeemed_at) values ($1, $2, $3, $4, $5, $6)",
        rows,
    )
