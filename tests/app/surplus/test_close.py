"""A period is closed by two, once, to the cent, through the real books."""

import asyncio
from datetime import timedelta, timezone
from fractions import Fraction
from uuid import UUID

import asyncpg
import pytest

from tests.app.surplus.year import SINCE, UNTIL, Town, amounts, worked_year

PUBLISHED = {
    "ada": (10_048, 40_189),
    "bo": (7_726, 30_903),
    "cem": (4_778, 19_108),
    "dia": (2_262, 9_047),
    "eli": (1_322, 5_284),
}

# By hand what the program never does: a second first period.
ENTER = (
    "insert into surplus_period (id, since, until, fingerprint, steps, operator, closed_at)"
    " select uuidv7(), {since}, {until}, '', '[]', 'me', closed_at from surplus_period"
)


async def test_the_published_year_comes_out_to_the_cent_through_the_real_books(
    town: Town,
) -> None:
    people = await worked_year(town)

    period = await town.close()

    assert amounts(period) == {
        "member_commission": 1_575_000,
        "other_commission": 225_000,
        "other_income": 60_000,
        "costs": -1_240_000,
        "result": 620_000,
        "indivisible": 130_000,
        "reserve": 98_000,
        "education": 24_500,
        "pot_reserve": 98_000,
        "pot_dividend": 130_667,
        "pot_solidarity": 73_500,
        "pot_investment": 65_333,
        "cash": 26_136,
        "capital": 104_531,
    }
    house = await town.house()
    assert {kind: minor for kind, minor in house.items() if kind != "bank"} == {
        "commission_income": 0,
        "other_income": 0,
        "platform_costs": 0,
        "surplus": 0,
        "statutory_reserve": 130_000 + 98_000,
        "voted_reserve": 98_000,
        "education_fund": 24_500,
        "solidarity_fund": 73_500,
        "investment_pot": 65_333,
        "refunds_payable": 0,
        "payout_clearing": 0,
        "card_clearing": 0,
        "pass_through": 0,
    }
    for name, (cash, capital) in PUBLISHED.items():
        [refund] = (await town.own(people[name], "refunds"))["items"]
        assert (refund["cash_minor"], refund["capital_minor"]) == (cash, capital)
        assert (await town.own(people[name], "capital"))["capital_minor"] == capital
        stands = await town.owner.fetch(
            "select a.kind, b.posted_minor from account a join balance b on b.account_id = a.id"
            " where a.member_id = $1",
            people[name].id,
        )
        earned = {row["kind"]: row["posted_minor"] for row in stands}
        fares = refund["commission_minor"] * 10_000 // 1_500
        assert earned["driver"] == fares - refund["commission_minor"] + cash
        assert earned["member_capital"] == capital
    assert (await town.own(people["guest"], "refunds"))["items"] == []
    assert (await town.own(people["ada"], "refunds"))["items"][0]["engaged_s"] == 1900 * 3600


async def test_what_is_prepared_moves_nothing_and_names_nobody(town: Town) -> None:
    people = await worked_year(town)
    before = await town.owner.fetchval("select count(*) from journal")

    prepared = (await town.prepare()).json()

    assert prepared["state"] == "prepared"
    assert await town.owner.fetchval("select count(*) from journal") == before
    seen = await town.client.get(
        f"/v1/surplus/periods/{prepared['id']}", headers=people["ada"].headers
    )
    assert seen.json() == prepared
    for name, (cash, capital) in PUBLISHED.items():
        assert str(people[name].id) not in seen.text
        assert not {cash, capital, cash + capital} & set(amounts(prepared).values())


async def test_two_people_close_a_period(town: Town) -> None:
    await worked_year(town)
    prepared = (await town.prepare()).json()

    alone = await town.confirm(prepared["id"], by=town.first)
    together = await town.confirm(prepared["id"], by=town.second)

    assert (alone.status_code, alone.json()["type"]) == (409, "/problems/confirmed-by-another")
    assert (together.status_code, together.json()["state"]) == (200, "closed")
    assert together.json()["steps"] == prepared["steps"]


async def test_a_period_is_the_same_whichever_offset_its_moments_were_written_with(
    town: Town,
) -> None:
    await worked_year(town)
    east = timezone(timedelta(hours=2))

    closed = await town.close(since=SINCE.astimezone(east), until=UNTIL.astimezone(east))

    assert closed["state"] == "closed"


async def test_members_neither_prepare_nor_confirm(town: Town) -> None:
    people = await worked_year(town)
    prepared = (await town.prepare()).json()

    assert (await town.prepare(by=people["ada"])).status_code == 403
    assert (await town.confirm(prepared["id"], by=people["ada"])).status_code == 403


async def test_of_two_who_confirm_at_once_one_closes_the_period(town: Town) -> None:
    await worked_year(town)
    one = (await town.prepare(by=town.first)).json()["id"]
    other = (await town.prepare(by=town.second)).json()["id"]

    answers = await asyncio.gather(
        town.confirm(one, by=town.second),
        town.confirm(one, by=town.second),
        town.confirm(other, by=town.first),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert await town.owner.fetchval("select count(*) from surplus_period") == 1
    assert await town.owner.fetchval("select sum(cash_minor) from member_refund") == 26_136


async def test_a_period_is_closed_once_even_for_the_owner_of_the_tables(town: Town) -> None:
    await worked_year(town)
    await town.close()

    again = await town.prepare()
    assert (again.status_code, again.json()["type"]) == (409, "/problems/period-leaves-a-gap")
    with pytest.raises(asyncpg.UniqueViolationError, match="a_period_is_closed_once"):
        await town.owner.execute(ENTER.format(since="since - interval '1 day'", until="until"))
    later = UNTIL + timedelta(hours=1)
    await town.owner.execute("select lock_period($1, null, $2)", later, town.clock.now())
    with pytest.raises(asyncpg.UniqueViolationError, match="one_period_after_another"):
        await town.owner.execute(ENTER.format(since="since", until="until + interval '1 hour'"))


async def test_what_was_booked_since_it_was_prepared_must_be_prepared_anew(town: Town) -> None:
    await worked_year(town)
    prepared = (await town.prepare()).json()
    await town.pay(1)

    changed = await town.confirm(prepared["id"])

    assert (changed.status_code, changed.json()["type"]) == (409, "/problems/books-have-changed")
    assert await town.owner.fetchval("select count(*) from period_lock") == 0
    assert amounts(await town.close())["result"] == 619_999


async def test_periods_follow_each_other_without_a_gap_and_after_their_end(town: Town) -> None:
    await worked_year(town)

    late = await town.prepare(since=SINCE + timedelta(days=3))
    assert (late.status_code, late.json()["type"]) == (409, "/problems/period-leaves-a-gap")
    future = await town.prepare(until=town.clock.now() + timedelta(seconds=1))
    assert (future.status_code, future.json()["type"]) == (422, "/problems/period-not-over")
    backwards = await town.prepare(since=UNTIL, until=SINCE)
    assert backwards.status_code == 422

    first = await town.close(until=UNTIL - timedelta(days=30))
    second = await town.close(since=UNTIL - timedelta(days=30))
    assert first["until"] == second["since"]


async def test_a_fare_of_a_closed_period_is_refused_and_of_the_open_one_is_booked(
    town: Town,
) -> None:
    people = await worked_year(town)
    await town.close()

    with pytest.raises(asyncpg.PostgresError) as refused:
        await town.drive(
            people["ada"],
            [10_000],
            engaged=timedelta(hours=1),
            first_at=UNTIL - timedelta(hours=1),
        )
    await town.drive(people["ada"], [10_000], engaged=timedelta(hours=1), first_at=UNTIL)

    assert refused.value.sqlstate == "MN021"
    await town.wait(days=1)
    step = amounts((await town.prepare(since=UNTIL, until=UNTIL + timedelta(days=1))).json())
    assert step["member_commission"] == 1_500


async def test_a_fare_taken_back_after_the_close_counts_in_the_open_period(town: Town) -> None:
    ada = await town.driver()
    journals = await town.drive(ada, [20_000, 10_000], engaged=timedelta(hours=2))
    await town.close()
    await town.owner.execute(
        "select reverse_journal($1, 'the rider was not there', $2, $3)",
        journals[1],
        town.first.id,
        town.clock.now() - timedelta(hours=1),
    )
    await town.wait(days=1)

    period = await town.close(since=UNTIL, until=UNTIL + timedelta(days=1))

    assert (amounts(period)["member_commission"], amounts(period)["result"]) == (-1_500, -1_500)
    assert amounts(period)["carried_forward"] == 1_500


async def test_a_loss_is_borne_by_the_next_surplus_before_anything_is_divided(town: Town) -> None:
    ada = await town.driver()
    await town.drive(ada, [100_000], engaged=timedelta(hours=1))
    await town.pay(25_000)

    bad = amounts(await town.close())

    assert (bad["result"], bad["carried_forward"]) == (-10_000, 10_000)
    assert (await town.house())["surplus"] == -10_000
    await town.drive(ada, [200_000], engaged=timedelta(hours=1), first_at=UNTIL)
    await town.wait(days=1)
    good = amounts(await town.close(since=UNTIL, until=UNTIL + timedelta(days=1)))
    assert (good["result"], good["carried"], good["net"]) == (30_000, -10_000, 20_000)
    assert (good["reserve"], good["education"], good["pot_dividend"]) == (4_000, 1_000, 15_000)
    assert (await town.house())["surplus"] == 0


async def test_the_reserve_bears_a_loss_where_the_statutes_say_so(town: Town) -> None:
    await town.decide("losses", "reserve")
    ada = await town.driver()
    await town.drive(ada, [100_000], engaged=timedelta(hours=1))
    first_half = UNTIL - timedelta(days=100)
    await town.close(until=first_half)
    assert (await town.house())["statutory_reserve"] == 3_000
    await town.pay(5_000)

    bad = amounts(await town.close(since=first_half))

    assert (bad["result"], bad["absorbed"], bad["carried_forward"]) == (-5_000, 3_000, 2_000)
    house = await town.house()
    assert (house["statutory_reserve"], house["surplus"]) == (0, -2_000)


async def test_who_was_no_member_when_the_ride_ended_brings_no_refund(town: Town) -> None:
    ada, bo = await town.driver("Ada"), await town.driver("Bo")
    half = SINCE + timedelta(days=180)
    await town.keep_register(ada, admitted_at=half)
    await town.keep_register(bo, admitted_at=SINCE, left_at=half)
    for person in (ada, bo):
        for first_at in (SINCE, half):
            await town.drive(person, [100_000], engaged=timedelta(hours=1), first_at=first_at)

    period = amounts(await town.close())

    assert (period["member_commission"], period["other_commission"]) == (30_000, 30_000)
    for person in (ada, bo):
        [refund] = (await town.own(person, "refunds"))["items"]
        assert (refund["commission_minor"], refund["engaged_s"]) == (15_000, 3_600)


async def test_the_mix_is_the_one_in_force_when_the_period_began(town: Town) -> None:
    ada, bo = await town.driver("Ada"), await town.driver("Bo")
    await town.drive(ada, [100_000], engaged=timedelta(hours=1))
    await town.drive(bo, [100_000], engaged=timedelta(hours=3))
    await town.decide("patronage_hours_bp", 0, since=SINCE - timedelta(days=30))
    await town.decide("patronage_hours_bp", 10_000, since=SINCE + timedelta(seconds=1))
    await town.close()

    refunds = [(await town.own(person, "refunds"))["items"][0] for person in (ada, bo)]
    assert refunds[0]["cash_minor"] == refunds[1]["cash_minor"]
    assert refunds[0]["capital_minor"] == refunds[1]["capital_minor"]


async def test_until_a_vote_on_pots_all_that_is_divisible_is_refunded_and_it_is_said(
    town: Town,
) -> None:
    ada = await town.driver()
    await town.drive(ada, [100_000], engaged=timedelta(hours=1))
    await town.vote_pots({"reserve": Fraction(1)}, since=UNTIL + timedelta(seconds=1))

    period = await town.close()

    [dividend] = [step for step in period["steps"] if step["key"] == "pot_dividend"]
    assert dividend["amount_minor"] == 11_250
    assert dividend["source"] == "no vote on pots yet: all that is divisible is refunded"


async def test_a_pot_of_any_name_is_kept_with_the_investments(town: Town) -> None:
    ada = await town.driver()
    await town.drive(ada, [100_000], engaged=timedelta(hours=1))
    await town.vote_pots({"bicycles": Fraction(1, 2), "dividend": Fraction(1, 2)})

    period = amounts(await town.close())

    assert period["pot_bicycles"] == 5_625
    assert (await town.house())["investment_pot"] == 5_625


async def test_a_year_of_nothing_is_closed_with_nothing(town: Town) -> None:
    period = amounts(await town.close())

    assert set(period.values()) == {0}
    assert await town.owner.fetchval("select count(*) from journal where kind like 'surplus%'") == 0


@pytest.mark.parametrize("form", ["be_recognised", "fr_scop", "es_cooperative", "us_subchapter_t"])
async def test_each_legal_form_closes_the_worked_year_within_its_rules(
    town: Town, form: str
) -> None:
    await town.decide("legal_form", form)
    people = await worked_year(town)

    period = amounts(await town.close())

    parts = ("indivisible", "reserve", "education", *(key for key in period if key[:4] == "pot_"))
    assert sum(period[part] for part in parts) == period["result"] == 620_000
    assert period["cash"] + period["capital"] == period["pot_dividend"]
    [ada] = (await town.own(people["ada"], "refunds"))["items"]
    if form == "be_recognised":  # by commission alone: the published row
        assert ada["cash_minor"] + ada["capital_minor"] == 52_267
    if form == "fr_scop":
        assert period["pot_dividend"] == 130_667  # more than a quarter of 490,000 already


async def test_a_fare_that_is_posted_while_its_period_closes_counts_or_is_refused(
    town: Town,
) -> None:
    """Twenty fares of the period race its close: each is in the close, or in no book at all."""
    people = await worked_year(town)
    prepared = (await town.prepare()).json()
    ends = UNTIL - timedelta(seconds=1)

    async def late(n: int) -> bool:
        try:
            async with town.database.transaction() as tx:
                await tx.execute(
                    "select post_journal('ride_fare', $1, '', 'ride_fare', uuidv7(), null, $2,"
                    " array[d.id], array[c.id], array[10::bigint], null)"
                    " from account d, account c"
                    " where d.member_id = $3 and d.kind = 'driver'"
                    " and c.kind = 'commission_income'",
                    f"late {n}",
                    ends,
                    people["ada"].id,
                )
        except asyncpg.PostgresError as refused:
            if refused.sqlstate != "MN021":
                raise
            return False
        return True

    confirming = asyncio.create_task(town.confirm(prepared["id"]))
    posted = await asyncio.gather(*(late(n) for n in range(20)))
    closed = await confirming

    if closed.status_code == 409:  # Some fares came before the lock: the books have changed.
        assert (closed.json()["type"], all(posted)) == ("/problems/books-have-changed", True)
        closed = await town.confirm((await town.prepare()).json()["id"])
    assert closed.status_code == 200, closed.text
    assert amounts(closed.json())["member_commission"] == 1_575_000 + 10 * sum(posted)
    assert (await town.house())["commission_income"] == 0


async def test_the_order_of_refunds_in_the_books_tells_nobody_whose_they_are(town: Town) -> None:
    for _ in range(12):
        await town.drive(await town.driver(), [20_000], engaged=timedelta(hours=1))

    period = await town.close()

    rows = await town.owner.fetch(
        "select member_id from member_refund where period_id = $1 order by journal_id",
        UUID(period["id"]),
    )
    members = [row["member_id"] for row in rows]
    assert len(members) == 12
    assert members != sorted(members)
