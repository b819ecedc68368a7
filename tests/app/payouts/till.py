"""Steps of payouts as people take them, and money to begin with."""

import json
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from schwifty import IBAN

from app.foundation.ids import new_id
from app.members.roles import Role
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_member

IBAN_OF_ADA = "LI21 0881 0000 2324 013A A"
OWN_IBAN = "LI91088100002324013AB"
BATCHES = "/v1/payouts/batches"
HOLD_S = 3 * 24 * 3600


def some_iban(number: int) -> str:
    """An account number that fits its check digits, another one for each number."""
    return IBAN.generate("DE", bank_code="37040044", account_code=f"{number:010}").compact


async def make_drivers(owner: asyncpg.Connection, many: int) -> list[Person]:
    return [
        await make_member(owner, Role.DRIVER, now=FRIDAY_EVENING, name=f"Driver {number}")
        for number in range(many)
    ]


async def make_staff(owner: asyncpg.Connection, many: int = 2) -> list[Person]:
    return [await make_member(owner, Role.STAFF, now=FRIDAY_EVENING) for _ in range(many)]


async def earn(
    owner: asyncpg.Connection, driver: Person, amount_minor: int, clock: StandingClock
) -> None:
    """Put money on a driver's account (or, below zero, take it away), as the fund might."""
    ends = "array[fund.id], array[own.id]" if amount_minor > 0 else "array[own.id], array[fund.id]"
    await owner.execute(
        "select post_journal('test', $1::uuid::text, '', 'solidarity_payment', $1::uuid, null, $2,"
        f" {ends}, array[$3::bigint], null) from account fund, account own"
        " where fund.kind = 'solidarity_fund' and own.kind = 'driver' and own.member_id = $4",
        new_id(),
        clock.now(),
        abs(amount_minor),
        driver.id,
    )


async def balance(owner: asyncpg.Connection, person: Person) -> int:
    """What stands on a driver's account."""
    return int(
        await owner.fetchval(
            "select posted_minor from balance b join account a on a.id = b.account_id"
            " where a.member_id = $1 and a.kind = 'driver'",
            person.id,
        )
    )


async def house(owner: asyncpg.Connection, kind: str) -> int:
    """What stands on an account of the house."""
    return int(
        await owner.fetchval(
            "select coalesce(sum(case when credit_id = a.id then amount_minor"
            " else -amount_minor end), 0) from account a"
            " left join transfer on a.id in (credit_id, debit_id)"
            " where a.kind = $1 and a.member_id is null",
            kind,
        )
    )


async def in_euros(owner: asyncpg.Connection) -> None:
    """Let the cooperative of the test, and all accounts so far, be in euros."""
    await owner.execute(
        "set session_replication_role = replica; update cooperative set currency = 'EUR';"
        " update account set currency = 'EUR'; set session_replication_role = origin"
    )


async def register(
    client: httpx.AsyncClient, person: Person, iban: str, *, name: str = "Ada Frick"
) -> httpx.Response:
    body = {"holder_name": name, "iban": iban}
    return await client.put("/v1/me/bank-account", json=body, headers=person.act)


async def payable_drivers(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    *amounts: int,
) -> list[Person]:
    """Drivers with so much on their accounts and bank accounts that can be paid now."""
    drivers = await make_drivers(owner, len(amounts))
    for number, driver in enumerate(drivers):
        answer = await register(client, driver, some_iban(number), name=f"Driver {number}")
        assert answer.status_code == 200, answer.text
    clock.pass_time(HOLD_S)
    for driver, amount_minor in zip(drivers, amounts, strict=True):
        if amount_minor:
            await earn(owner, driver, amount_minor, clock)
    clock.pass_time(60)
    # Sessions of tests last for a day.
    await owner.execute("update session set access_expires_at = access_expires_at + interval '9 d'")
    return drivers


async def post(client: httpx.AsyncClient, person: Person, path: str, **body: Any) -> httpx.Response:
    return await client.post(path, json=body, headers=person.act)


async def prepare(client: httpx.AsyncClient, person: Person, **body: Any) -> dict[str, Any]:
    answer = await post(client, person, BATCHES, **body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def release(client: httpx.AsyncClient, person: Person, batch_id: str) -> dict[str, Any]:
    answer = await post(client, person, f"{BATCHES}/{batch_id}/release")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def say(
    client: httpx.AsyncClient, person: Person, batch_id: str, **report: Any
) -> dict[str, Any]:
    answer = await post(client, person, f"{BATCHES}/{batch_id}/statuses", **report)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def payouts(client: httpx.AsyncClient, person: Person, batch_id: str) -> list[dict[str, Any]]:
    answer = await client.get(f"{BATCHES}/{batch_id}/payouts?limit=100", headers=person.headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def states(batch: dict[str, Any]) -> dict[str, int]:
    """How many payouts of a batch are in which state."""
    return {part["state"]: part["payouts"] for part in batch["by_state"]}


async def events(owner: asyncpg.Connection, person: Person) -> list[tuple[str, dict[str, Any]]]:
    """What a member was told."""
    rows = await owner.fetch(
        "select type, data::text from event_log where stream_id = $1 order by seq", person.id
    )
    return [(row["type"], json.loads(row["data"])) for row in rows]


def pain002(
    batch_id: str,
    *,
    payments: dict[str, tuple[str, str | None]] | None = None,
    group: str | None = None,
    version: str = "pain.002.001.10",
) -> str:
    """A bank's report: a code and a reason for each payment, and one for the whole file."""
    reason = "<StsRsnInf><Rsn><Cd>{}</Cd></Rsn><AddtlInf>free text</AddtlInf></StsRsnInf>"
    nodes = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{code}</TxSts>"
        f"{reason.format(why) if why else ''}</TxInfAndSts>"
        for name, (code, why) in (payments or {}).items()
    )
    whole = f"<GrpSts>{group}</GrpSts>" if group else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{version}"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>BANK-1</MsgId><CreDtTm>2026-05-23T10:00:00</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{UUID(batch_id).hex}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{whole}</OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{UUID(batch_id).hex}</OrgnlPmtInfId>{nodes}"
        "</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    )
