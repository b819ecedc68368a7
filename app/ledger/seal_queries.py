"""Every statement of the seals; the app may add to them and edit none."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.foundation.database import Transaction

# What a leaf is made of, besides codes and the salt. The journals are chosen first, by an index:
# otherwise the transfers of the whole books would be put together for each block.
_COLUMNS = """
select chosen.*, coalesce(t.debits, '{}') as debits, coalesce(t.credits, '{}') as credits,
  coalesce(t.amounts, '{}') as amounts, coalesce(t.currencies, '{}') as currencies
from chosen cross join lateral (
  select array_agg(debit_id order by line) as debits, array_agg(credit_id order by line) as credits,
    array_agg(amount_minor order by line) as amounts,
    array_agg(currency order by line) as currencies
  from transfer where journal_id = chosen.id) as t
"""
_SEALED = """
with chosen as materialized (
  select l.journal_id as sealed_id, l.height, l.position, l.leaf, l.hidden, s.salt, j.*
  from (select * from seal_leaf where {which}) as l
  left join lateral (select * from journal_salt s where s.journal_id = l.journal_id) as s on true
  left join lateral (select * from journal j where j.id = l.journal_id) as j on true)
"""
_IN_BLOCK = _SEALED.format(which="height = $1") + _COLUMNS + " order by chosen.position"
_ONE = _SEALED.format(which="journal_id = $1") + _COLUMNS + " where chosen.id is not null"
_CHOSEN = """
with chosen as materialized (select * from journal j where {which})
"""
_OLD = (
    _CHOSEN.format(
        which="j.id > $1 and j.id <= $2 and not exists"
        " (select from seal_leaf l where l.journal_id = j.id) order by j.id limit $3"
    )
    + _COLUMNS
    + " order by chosen.id"
)
_FINAL = (
    _CHOSEN.format(
        which="(j.xid, j.id) > ($1, $2) and j.id > $3"
        " and j.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
        " order by j.xid, j.id limit $4"
    )
    + _COLUMNS
    + " order by chosen.xid, chosen.id"
)
_TURN = "hashtextextended('seal_the_books', 0)"
_HEAD = "select height, epoch, size, root, previous, key, sealed_at, hash, signature"


async def take_turn(tx: Transaction) -> bool:
    """Return whether nobody else seals at this moment; until the commit nobody else will."""
    return bool(await tx.value(f"select pg_try_advisory_xact_lock({_TURN})"))


async def wait_for_turn(tx: Transaction) -> None:
    """Wait until nobody else seals; until the commit nobody else will."""
    await tx.execute(f"select pg_advisory_xact_lock({_TURN})")


async def begin_epoch_if_new(tx: Transaction, *, at: datetime) -> Any | None:
    """Return the epoch of this server, begun now where there is none; None if somebody is posting.

    Then a later round tries again.
    """
    found = await tx.row(
        "select epoch, through_journal, server = (select system_identifier::text"
        " from pg_control_system()) as is_here from seal_epoch order by epoch desc limit 1"
    )
    if found is not None and found["is_here"]:
        return found
    await tx.execute("select begin_seal_epoch($1)", at)
    return await tx.row("select epoch, through_journal from seal_epoch order by epoch desc limit 1")


async def last_seal(reader: Transaction) -> Any | None:
    """Return the newest seal, or None before the first."""
    return await reader.row(
        "select height, epoch, hash, last_xid, last_journal from seal order by height desc limit 1"
    )


async def list_old(
    reader: Transaction, *, through_journal: int, after_journal: int, limit: int
) -> list[Any]:
    """Return journals that an epoch began with and nobody sealed, in the order of their numbers."""
    return await reader.rows(_OLD, after_journal, through_journal, limit)


async def list_final(
    reader: Transaction, *, through_journal: int, after: tuple[int, int], limit: int
) -> list[Any]:
    """Return the journals after (transaction, number) that no open transaction can add to.

    Every transaction below the oldest that is still open has ended, so nothing comes between any
    more. They are in the order of their transactions, and of their numbers within one.
    """
    return await reader.rows(_FINAL, *after, through_journal, limit)


async def list_sealed(reader: Transaction, *, height: int) -> list[Any]:
    """Return what is left of the journals of a block, each with leaf, hidden and salt, in order."""
    return await reader.rows(_IN_BLOCK, height)


async def find_sealed(reader: Transaction, *, journal_id: int) -> Any | None:
    """Return a sealed journal with its height, position, leaf, hidden and salt, or None."""
    return await reader.row(_ONE, journal_id)


async def list_leaves(reader: Transaction, *, height: int) -> list[bytes]:
    """Return the leaves of a block in their order."""
    rows = await reader.rows(
        "select leaf from seal_leaf where height = $1 order by position", height
    )
    return [row["leaf"] for row in rows]


async def time_zone(reader: Transaction) -> str:
    """Return the cooperative's time zone: by it a secret's year begins."""
    return str(await reader.value("select time_zone from cooperative"))


async def list_named(
    reader: Transaction, *, account_ids: Sequence[UUID], years: Sequence[int]
) -> list[Any]:
    """Return id, kind, is_house, and year and secret if it has them, of accounts in years."""
    return await reader.rows(
        "select a.id, a.kind, a.member_id is null and a.partner_id is null as is_house,"
        " s.year, s.secret from account a left join account_secret s"
        " on s.account_id = a.id and s.year = any($2::int[]) where a.id = any($1::uuid[])",
        list(account_ids),
        list(years),
    )


async def give_secrets(tx: Transaction, *, wanted: Sequence[tuple[UUID, int, bytes]]) -> None:
    """Every wanted account, house accounts aside, has a secret for its year: its own or this."""
    await tx.execute(
        "insert into account_secret (account_id, year, secret) select a.id, w.year, w.secret"
        " from unnest($1::uuid[], $2::int[], $3::bytea[]) as w(account_id, year, secret)"
        " join account a on a.id = w.account_id"
        " and (a.member_id is not null or a.partner_id is not null) on conflict do nothing",
        [account_id for account_id, _, _ in wanted],
        [year for _, year, _ in wanted],
        [secret for _, _, secret in wanted],
    )


async def list_secrets(reader: Transaction, *, member_id: UUID) -> list[Any]:
    """Return account, year and secret of a member's accounts, newest year first."""
    return await reader.rows(
        "select a.kind as account, s.year, s.secret from account a join account_secret s"
        " on s.account_id = a.id where a.member_id = $1 order by s.year desc, a.kind",
        member_id,
    )


async def list_own_lines(reader: Transaction, *, member_id: UUID) -> list[Any]:
    """Return journal_id, line, is_debit and secret of every line on a member's accounts."""
    return await reader.rows(
        "select t.journal_id, t.line, t.debit_id = a.id as is_debit, s.secret from account a"
        " join transfer t on a.id in (t.debit_id, t.credit_id)"
        " join journal j on j.id = t.journal_id cross join cooperative here"
        " join account_secret s on s.account_id = a.id"
        " and s.year = extract(year from j.effective_at at time zone here.time_zone)"
        " where a.member_id = $1",
        member_id,
    )


async def keep_line_codes(tx: Transaction, *, rows: Sequence[tuple[int, int, bool, str]]) -> None:
    """Keep codes by journal, line and side; one that is kept already stays."""
    await tx.execute(
        "insert into line_code (journal_id, line, is_debit, code)"
        " select * from unnest($1::bigint[], $2::int[], $3::boolean[], $4::text[])"
        " on conflict do nothing",
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        [row[3] for row in rows],
    )


async def list_line_codes(reader: Transaction, *, journal_ids: Sequence[int]) -> list[Any]:
    """Return journal_id, line, is_debit and code of what is kept of these journals."""
    return await reader.rows(
        "select journal_id, line, is_debit, code from line_code"
        " where journal_id = any($1::bigint[])",
        list(journal_ids),
    )


async def insert_seal(tx: Transaction, *, row: Sequence[Any]) -> None:
    """Enter a head: height, epoch, last xid and journal, and what was hashed and signed."""
    await tx.execute(
        "insert into seal (height, epoch, last_xid, last_journal, size, root, previous, hash, key,"
        " signature, sealed_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        *row,
    )


async def insert_leaves(
    tx: Transaction,
    *,
    height: int,
    journal_ids: list[int],
    leaves: list[bytes],
    hidden: list[bytes],
    salts: list[bytes],
) -> None:
    """Enter the leaves of a block in their order, and their salts."""
    await tx.execute(
        "insert into seal_leaf (journal_id, height, position, leaf, hidden)"
        " select journal_id, $1, n - 1, leaf, hidden"
        " from unnest($2::bigint[], $3::bytea[], $4::bytea[]) with ordinality"
        " as l(journal_id, leaf, hidden, n)",
        height,
        journal_ids,
        leaves,
        hidden,
    )
    await tx.execute(
        "insert into journal_salt (journal_id, salt)"
        " select * from unnest($1::bigint[], $2::bytea[])",
        journal_ids,
        salts,
    )


async def find_seal(reader: Transaction, *, height: int) -> Any | None:
    """Return the head of a block, or None."""
    return await reader.row(_HEAD + " from seal where height = $1", height)


async def list_seals(reader: Transaction, *, below: int | None, limit: int) -> list[Any]:
    """Return heads, the newest first, below a height if that is given."""
    return await reader.rows(
        _HEAD + " from seal where $1::bigint is null or height < $1 order by height desc limit $2",
        below,
        limit,
    )


async def list_seals_after(reader: Transaction, *, height: int, limit: int) -> list[Any]:
    """Return heads above a height, the oldest first."""
    return await reader.rows(
        _HEAD + " from seal where height > $1 order by height limit $2", height, limit
    )


async def lag_s(reader: Transaction, *, through_journal: int, after: tuple[int, int]) -> float:
    """Return the seconds since the oldest journal after (transaction, number) was recorded, or 0.

    Journals that an epoch began with are not looked at.
    """
    return float(
        await reader.value(
            "select coalesce(extract(epoch from clock_timestamp() - (select j.recorded_at"
            " from journal j where (j.xid, j.id) > ($1, $2) and j.id > $3"
            " order by j.xid, j.id limit 1)), 0)",
            *after,
            through_journal,
        )
    )


async def list_missed(reader: Transaction, *, limit: int) -> list[Any]:
    """Return numbers of journals that lie before the newest seal's last one and in no block."""
    return await reader.rows(
        "select j.id from journal j cross join lateral (select s.last_xid, s.last_journal,"
        " e.through_journal from seal s join seal_epoch e using (epoch)"
        " order by height desc limit 1) as newest"
        " where not exists (select from seal_leaf l where l.journal_id = j.id)"
        " and case when newest.last_xid = 0 then j.id <= newest.last_journal"
        " else j.id <= newest.through_journal"
        " or (j.xid, j.id) <= (newest.last_xid, newest.last_journal) end order by j.id limit $1",
        limit,
    )


async def is_party(reader: Transaction, *, journal_id: int, member_id: UUID) -> bool:
    """Return whether a journal moved money on an account of the member."""
    return bool(
        await reader.value(
            "select exists (select from transfer t join account a"
            " on a.id in (t.debit_id, t.credit_id) where t.journal_id = $1 and a.member_id = $2)",
            journal_id,
            member_id,
        )
    )


async def erase_salts(tx: Transaction, *, member_id: UUID) -> int:
    """Delete a person's secrets, and the salts of their journals; return how many salts."""
    return int(await tx.value("select erase_salts($1)", member_id))
