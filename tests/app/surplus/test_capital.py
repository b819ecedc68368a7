"""Capital is the member's, and is paid back after leaving: oldest first, never from the reserve."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from tests.app.surplus.year import UNTIL, Town, bring, former_member, redeem
from tests.factories import Person, make_member

YEAR = timedelta(days=365)


async def lots_of(town: Town, person: Person) -> list[tuple[int, int]]:
    capital: dict[str, Any] = await town.own(person, "capital")
    return [(lot["amount_minor"], lot["redeemed_minor"]) for lot in capital["lots"]]


async def test_the_oldest_lot_is_paid_back_first_and_as_far_as_the_means_reach(town: Town) -> None:
    ada = await former_member(town)
    await town.wait(days=366)
    # 170,000 earned, 4,500 of refunds in money, 6,000 of the reserve and 1,500 for learning.
    await bring(town, 174_500 + 6_000 + 1_500 - 100)
    assert (await redeem(town, ada)).json()["type"] == "/problems/means-do-not-reach"
    town.clock.pass_time(1)
    await bring(town, 10_100)

    paid = await redeem(town, ada)

    assert paid.status_code == 200, paid.text
    assert (paid.json()["paid_minor"], paid.json()["left_minor"]) == (10_000, 8_000)
    assert await lots_of(town, ada) == [(9_000, 9_000), (9_000, 1_000)]


@pytest.mark.parametrize("house", ["payout_clearing", "pass_through"])
async def test_what_is_on_its_way_to_drivers_or_owed_to_others_pays_no_capital(
    town: Town, house: str
) -> None:
    ada = await former_member(town)
    await town.wait(days=366)
    await bring(town, 174_500 + 6_000 + 1_500)

    await town.owner.execute(
        "select post_journal('test', $3, '', 'tip', uuidv7(), null, $1, array[d.id], array[h.id],"
        " array[100000::bigint], null) from account d, account h"
        " where d.member_id = $2 and d.kind = 'driver' and h.kind = $3",
        town.clock.now(),
        ada.id,
        house,
    )

    assert (await redeem(town, ada)).json()["type"] == "/problems/means-do-not-reach"


async def test_what_stands_to_a_riders_credit_pays_no_capital(town: Town) -> None:
    ada = await former_member(town)
    await town.wait(days=366)
    await bring(town, 174_500 + 6_000 + 1_500)
    bo = await make_member(town.owner, now=town.clock.now())

    await town.owner.execute(
        "select post_journal('test', 'credit', '', 'tip', uuidv7(), null, $1, array[b.id],"
        " array[r.id], array[5000::bigint], null) from account b, account r"
        " where b.kind = 'bank' and r.member_id = $2 and r.kind = 'rider'",
        town.clock.now(),
        bo.id,
    )

    assert (await redeem(town, ada)).json()["type"] == "/problems/means-do-not-reach"


async def test_all_is_paid_back_once_where_the_means_reach(town: Town) -> None:
    ada = await former_member(town)
    await town.wait(days=366)
    await bring(town, 1_000_000)
    before = await town.owner.fetchval(DRIVER_BALANCE, ada.id)

    first, second = await redeem(town, ada), await redeem(town, ada)

    assert (first.json()["paid_minor"], first.json()["left_minor"]) == (18_000, 0)
    assert second.json()["type"] == "/problems/no-capital"
    assert await town.owner.fetchval(DRIVER_BALANCE, ada.id) == before + 18_000
    assert (await town.own(ada, "capital"))["capital_minor"] == 0
    assert (await town.house())["statutory_reserve"] == 6_000


DRIVER_BALANCE = (
    "select posted_minor from balance join account a on a.id = account_id"
    " where a.member_id = $1 and a.kind = 'driver'"
)


async def test_capital_waits_for_the_delay_and_stays_with_members(town: Town) -> None:
    ada = await former_member(town, lots=1)
    member = await town.driver("Bo")
    await bring(town, 1_000_000)

    early = await redeem(town, ada)

    assert early.json()["type"] == "/problems/capital-not-due"
    assert early.json()["due_at"] == (UNTIL + YEAR).isoformat()
    assert (await redeem(town, member)).json()["type"] == "/problems/member-has-not-left"
    assert (await redeem(town, town.rider)).status_code == 404
    assert (await redeem(town, member, by=ada)).status_code == 403


async def test_more_is_never_paid_back_than_was_credited(town: Town) -> None:
    ada = await former_member(town, lots=1)
    await town.wait(days=366)
    await bring(town, 1_000_000)
    await redeem(town, ada)

    with pytest.raises(asyncpg.PostgresError, match="more capital is paid back"):
        await town.owner.execute(
            "insert into capital_redemption select (select max(id) from journal where kind ="
            " 'refund_allocation'), period_id, member_id, 1, redeemed_by, redeemed_at"
            " from capital_redemption"
        )


async def test_the_reserve_pays_nobody(town: Town) -> None:
    ada = await former_member(town, lots=1)

    with pytest.raises(asyncpg.PostgresError, match="indivisible"):
        await town.owner.execute(
            "select post_journal('adjustment', 'x', '', 'capital_redemption', uuidv7(), null, $1,"
            " array[s.id], array[d.id], array[1::bigint], null) from account s, account d"
            " where s.kind = 'statutory_reserve' and d.kind = 'driver' and d.member_id = $2",
            town.clock.now(),
            ada.id,
        )
