"""A package ties nobody's lines together but for their owner, who checks their own row by them."""

import copy
from datetime import timedelta

from governance import verify
from governance.sealing import quarter_hour
from governance.verify import FaultKind, canonical, recount_period
from tests.app.surplus.packages import closed_year, codes_in, kinds, package_of, secrets_of
from tests.app.surplus.year import Town
from tests.steps import take


async def test_a_member_finds_balance_and_refund_by_secrets_that_only_they_are_told(
    town: Town,
) -> None:
    package, people = await closed_year(town)
    held = await town.owner.fetchval(
        "select b.posted_minor from account a join balance b on b.account_id = a.id"
        " where a.member_id = $1 and a.kind = 'driver'",
        people["ada"].id,
    )
    refund = await town.owner.fetchrow(
        "select cash_minor, capital_minor from member_refund where member_id = $1",
        people["ada"].id,
    )

    found = recount_period(package, secrets=await secrets_of(town, people["ada"]))

    assert found.faults == []
    closings = dict(line.split(": ", 1) for line in found.balances if " = " in line)
    assert int(closings["driver"].rpartition(" = ")[2]) == held > 0
    assert (
        f"refund: {refund['cash_minor']} in money, {refund['capital_minor']}" in found.balances[-1]
    )
    assert kinds(package, secrets=["00" * 32]) == {FaultKind.UNKNOWN_PERSON}


async def test_a_guest_finds_what_their_rides_paid(town: Town) -> None:
    package, people = await closed_year(town)

    found = recount_period(package, secrets=await secrets_of(town, people["guest"]))

    assert found.faults == []
    assert "  counted as of no member: 6000 paid" in found.balances


async def test_who_knows_one_ride_finds_its_line_and_nothing_else_of_its_driver(
    town: Town,
) -> None:
    package, people = await closed_year(town)
    ride = await town.owner.fetchrow(
        "select ended_at from ride where driver_id = $1 order by ended_at limit 1", people["ada"].id
    )
    seen = quarter_hour(ride["ended_at"] - timedelta(seconds=1)).isoformat()

    [known] = [
        one["shown"]
        for block in package["blocks"]
        for one in block
        if one["shown"]["at"] == seen and one["shown"]["lines"][0][2] == 20_000
    ]

    codes = [name.partition(":")[2] for line in known["lines"] for name in line[:2] if ":" in name]
    text = canonical(package).decode()
    assert len(codes) == 3
    assert [text.count(code) for code in codes] == [1, 1, 1]


async def test_no_two_lines_share_a_code_and_each_secret_finds_its_owners_lines_alone(
    town: Town,
) -> None:
    package, people = await closed_year(town)
    codes = codes_in(package)
    shown = [one["shown"] for block in package["blocks"] for one in block]
    rides = [line for one in shown if one["kind"] == "ride_fare" for line in one["lines"]]
    drivers = {name for line in rides for name in line[:2] if name.startswith("driver:")}
    lines = verify._lines(shown, package, verify.PeriodRecount())

    own = {
        name: {
            account
            for account in verify._own_lines(
                lines, [bytes.fromhex(secret) for secret in await secrets_of(town, person)]
            )
            if account in drivers
        }
        for name, person in people.items()
    }

    assert len({*codes}) == len(codes) >= 3 * 10 + 2 * 2 + 3
    assert {name: len(accounts) for name, accounts in own.items()} == {
        "ada": 10,
        "bo": 6,
        "guest": 4,
    }
    assert set.union(*own.values()) == drivers
    assert len(drivers) == 20


async def test_rows_told_falsely_that_add_up_are_named_by_each_member_concerned(
    town: Town,
) -> None:
    package, people = await closed_year(town)
    secrets = {name: await secrets_of(town, person) for name, person in people.items()}
    for name in people:
        assert recount_period(package, secrets=secrets[name]).faults == []
    exchanged, shifted, taken = (copy.deepcopy(package) for _ in range(3))
    one, other = exchanged["members"]
    one["code"], other["code"] = other["code"], one["code"]
    shifted["members"][0]["commission_minor"] += 100
    shifted["members"][1]["commission_minor"] -= 100
    taken["members"][0]["commission_minor"] += 100
    taken["guests"][0]["commission_minor"] -= 100

    assert kinds(exchanged) == set()
    for name in ("ada", "bo"):
        named = {FaultKind.FALSE_PATRONAGE, FaultKind.FALSE_REFUND}
        assert kinds(exchanged, secrets=secrets[name]) == named
        assert FaultKind.FALSE_PATRONAGE not in kinds(shifted)
        assert FaultKind.FALSE_PATRONAGE in kinds(shifted, secrets=secrets[name])
    assert kinds(exchanged, secrets=secrets["guest"]) == set()
    assert FaultKind.FALSE_PATRONAGE not in kinds(taken)
    assert FaultKind.FALSE_PATRONAGE in kinds(taken, secrets=secrets["guest"])


async def test_the_package_of_a_period_outlives_the_erasure_of_a_driver(town: Town) -> None:
    package, people = await closed_year(town)
    await town.owner.execute(
        "update balance set posted_minor = 0, held_minor = 0 where account_id in"
        " (select id from account where member_id = $1)",
        people["guest"].id,
    )
    asked = await take(town.client, town.first, f"/v1/members/{people['guest'].id}/erasures")
    done = await take(town.client, town.second, f"/v1/erasures/{asked.json()['id']}/confirm")
    assert done.status_code == 200, done.text

    later = await package_of(town, package["period"]["id"])

    assert recount_period(later).faults == []
    assert later["blocks"] == package["blocks"]
    assert [guest["code"] for guest in later["guests"]] == [None]
    assert await secrets_of(town, people["guest"]) == []
    found = recount_period(later, secrets=await secrets_of(town, people["ada"]))
    assert found.faults == []
    assert "refund: " in found.balances[-1]
