"""The books as beancount text, so that another program adds them up: one transaction a journal.

A debit is positive there and a credit negative. People's accounts are called by a hash of their
account's key, the same in every export: it is for the cooperative and its auditors, not for
everybody, as whoever has the key from the proof of a shared ride can follow the account.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.foundation.database import Transaction
from app.foundation.money import decimal
from app.ledger.accounts import AccountKind

# Where each kind stands in another program's chart; its five roots are fixed.
PLACES = MappingProxyType(
    {
        AccountKind.RIDER: "Assets:Riders",
        AccountKind.DRIVER: "Liabilities:Drivers",
        AccountKind.MEMBER_SHARE: "Equity:Member-Shares",
        AccountKind.MEMBER_CAPITAL: "Equity:Member-Capital",
        AccountKind.CONTRACT_CLIENT: "Assets:Contract-Clients",
        AccountKind.PEER_COOPERATIVE: "Assets:Peer-Cooperatives",
        AccountKind.COMMISSION_INCOME: "Income:Commission",
        AccountKind.BANK: "Assets:Bank",
        AccountKind.PLATFORM_COSTS: "Expenses:Platform",
        AccountKind.OTHER_INCOME: "Income:Other",
        AccountKind.SURPLUS: "Equity:Surplus",
        AccountKind.STATUTORY_RESERVE: "Equity:Statutory-Reserve",
        AccountKind.VOTED_RESERVE: "Equity:Voted-Reserve",
        AccountKind.EDUCATION_FUND: "Equity:Education-Fund",
        AccountKind.SOLIDARITY_FUND: "Equity:Solidarity-Fund",
        AccountKind.INVESTMENT_POT: "Equity:Investment-Pot",
        AccountKind.REFUNDS_PAYABLE: "Liabilities:Refunds-Payable",
        AccountKind.PAYOUT_CLEARING: "Liabilities:Payout-Clearing",
        AccountKind.CARD_CLEARING: "Assets:Card-Clearing",
        AccountKind.PASS_THROUGH: "Liabilities:Pass-Through",
    }
)
OPENING = "Equity:Opening-Balances"
_PAGE = 2_000

_ACCOUNTS = (
    "select a.id, a.kind, a.currency, a.member_id is null and a.partner_id is null as is_house,"
    " coalesce(before.minor, 0)::bigint as opening_minor from account a left join ("
    " select account_id, sum(minor) as minor from (select t.debit_id as account_id, t.amount_minor"
    "  as minor from transfer t join journal j on j.id = t.journal_id where j.effective_at < $1"
    "  union all select t.credit_id, -t.amount_minor from transfer t join journal j"
    "  on j.id = t.journal_id where j.effective_at < $1) as line group by 1) as before"
    " on before.account_id = a.id order by a.id"
)
_JOURNALS = (
    "select j.id, j.kind, j.reverses, j.effective_at, array_agg(t.debit_id order by t.line) as"
    " debits, array_agg(t.credit_id order by t.line) as credits,"
    " array_agg(t.amount_minor order by t.line) as amounts from journal j"
    " join transfer t on t.journal_id = j.id where j.effective_at >= $1 and j.effective_at < $2"
    " and (j.effective_at, j.id) > ($3, $4) group by j.id order by j.effective_at, j.id limit $5"
)


async def export(reader: Transaction, *, since: datetime, until: datetime) -> AsyncIterator[str]:
    """Yield the text of [since, until), line by line, by the cooperative's own days.

    It opens every account, brings forward what stood before, and asserts each account's balance
    at the end. Call it in one snapshot, or what is booked meanwhile makes an assertion fail.
    """
    place = await reader.row("select name, currency, time_zone from cooperative")
    assert place is not None, "a cooperative was founded"
    zone, unit = ZoneInfo(place["time_zone"]), place["currency"]
    accounts = await reader.rows(_ACCOUNTS, since)
    names = {row["id"]: account_name(row) for row in accounts}
    standing = {row["id"]: row["opening_minor"] for row in accounts}
    first, end = since.astimezone(zone).date(), until.astimezone(zone).date()
    if (until.astimezone(zone) - timedelta(microseconds=1)).date() == end:
        end += timedelta(
            days=1
        )  # A balance is asserted in the morning, before anything of the day.
    yield f'option "title" {_quoted(place["name"])}'
    yield f'option "operating_currency" "{unit}"'
    for name in sorted({OPENING, *names.values()}):
        yield f"{first} open {name} {unit}"
    for line in _opening(accounts, names=names, day=first, unit=unit):
        yield line
    after: tuple[datetime, int] = (since, 0)
    while rows := await reader.rows(_JOURNALS, since, until, *after, _PAGE):
        for row in rows:
            for line in _transaction(row, names=names, standing=standing, zone=zone, unit=unit):
                yield line
        after = (rows[-1]["effective_at"], rows[-1]["id"])
    for account_id, minor in sorted(standing.items(), key=lambda item: names[item[0]]):
        yield f"{end} balance {names[account_id]} {decimal(minor, currency=unit)} {unit}"


def account_name(row: Any) -> str:
    """Return what an account is called: its place, and for people's a hash of its key."""
    place = PLACES[AccountKind(row["kind"])]
    return place if row["is_house"] else f"{place}:{_pseudonym(row['id'])}"


def _pseudonym(account_id: UUID) -> str:
    digest = hashlib.sha256(b"meent-beancount:1" + account_id.bytes).hexdigest()
    return f"A{digest[:16].upper()}"


def _opening(
    accounts: Iterable[Any], *, names: dict[UUID, str], day: date, unit: str
) -> Iterable[str]:
    brought = [(names[row["id"]], row["opening_minor"]) for row in accounts if row["opening_minor"]]
    if brought:
        yield f'{day} * "brought forward"'
        for name, minor in brought:
            yield f"  {name} {decimal(minor, currency=unit)} {unit}"
        left = decimal(-sum(minor for _, minor in brought), currency=unit)
        yield f"  {OPENING} {left} {unit}"


def _transaction(
    row: Any, *, names: dict[UUID, str], standing: dict[UUID, int], zone: ZoneInfo, unit: str
) -> Iterable[str]:
    """Yield one journal, each of its transfers as two postings, and move what stands."""
    yield f'{row["effective_at"].astimezone(zone).date()} * "{row["kind"]}"'
    yield f'  journal: "{row["id"]}"'
    if row["reverses"] is not None:
        yield f'  reverses: "{row["reverses"]}"'
    for debit, credit, minor in zip(row["debits"], row["credits"], row["amounts"], strict=True):
        for account_id, signed in ((debit, minor), (credit, -minor)):
            standing[account_id] += signed
            yield f"  {names[account_id]} {decimal(signed, currency=unit)} {unit}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
