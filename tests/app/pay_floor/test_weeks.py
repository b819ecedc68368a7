"""The pay floor on a real database: each week filled up once, to the cent."""

import asyncio
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from app.audit.after_ride import WEEKS_COME_OUT_AGAIN
from app.audit.report import audit
from app.ledger import costs
from app.pay_floor import service
from app.surplus import queries as surplus
from governance.pay_floor import week_of
from tests.app.after_ride.road import Road

VADUZ = ZoneInfo("Europe/Vaduz")


async def found_with(road: Road, key: str, value: int) -> None:
    """Let the statutes have said so from the founding on."""
    await road.owner.execute("set session_replication_role = replica")
    await road.owner.execute(
        "update policy_version set value = to_jsonb($2::bigint) where key = $1", key, value
    )
    await road.owner.execute("set session_replication_role = origin")


async def vote(road: Road, key: str, value: int) -> None:
    """Let a value be in force from now on, as a tally would; here there is none to be recounted."""
    await road.owner.execute("set session_replication_role = replica")
    await road.owner.execute(
        "insert into policy_version (id, key, value, effective_from, source, tally_id)"
        " values (uuidv7(), $1, to_jsonb($2::bigint), $3, 'tally', uuidv7())",
        key,
        value,
        road.clock.now(),
    )
    await road.owner.execute("set session_replication_role = origin")


async def next_week(road: Road) -> None:
    """Until ten minutes after the week that runs."""
    week = week_of(road.clock.now(), zone=VADUZ)
    wait = week.end + service.SETTLING - road.clock.now()
    await road.pass_days(wait / timedelta(days=1))


async def fill_up(road: Road) -> int:
    return await service.fill_up_weeks(road.app.state.database, now=road.clock.now())


async def test_a_week_below_the_floor_is_filled_up_once_and_explained(road: Road) -> None:
    await found_with(road, "pay_floor_per_hour_minor", 60_000)
    await found_with(road, "pay_floor_per_km_minor", 40)
    ride_id = await road.ride(lasts_s=1800)
    await road.do(road.rider, f"/v1/rides/{ride_id}/tips", amount_minor=900)
    running = await road.client.get("/v1/me/pay-floor", headers=road.driver.headers)
    before = await road.stands(road.driver, "driver"), await road.house("platform_costs")
    assert await fill_up(road) == 0

    await next_week(road)
    assert await fill_up(road) == 1
    assert await fill_up(road) == 0

    metres = await road.owner.fetchval(
        "select q.distance_m + o.pickup_m from ride r join quote q on q.id = r.quote_id"
        " join offer o on o.ride_id = r.id where r.id = $1::uuid and o.state = 'accepted'",
        ride_id,
    )
    net_minor = (await road.settled(ride_id))["driver_net_minor"]
    floor_minor = 30_000 + -(-metres * 40 // 1000)
    top_up = floor_minor - net_minor
    assert top_up > 0
    assert await road.stands(road.driver, "driver") == before[0] + top_up
    assert await road.house("platform_costs") == before[1] - top_up
    seen = (await road.client.get("/v1/me/pay-floor", headers=road.driver.headers)).json()
    [week] = seen["weeks"]
    assert running.json()["running"]["top_up_minor"] == week["top_up_minor"] == top_up
    assert (week["engaged_s"], week["earned_minor"]) == (1800, net_minor)
    assert f"so CHF {top_up // 100}.{top_up % 100:02} were added" in week["words"]
    assert (seen["per_hour_minor"], seen["per_km_minor"]) == (60_000, 40)
    [told] = await road.told(road.driver, "pay_floor.topped_up")
    assert told["top_up_minor"] == top_up
    await road.audited()


async def test_without_a_voted_floor_nothing_is_added(road: Road) -> None:
    await road.ride()
    await next_week(road)

    assert await fill_up(road) == 1

    row = await road.owner.fetchrow("select floor_minor, top_up_minor from pay_floor_week")
    assert tuple(row) == (0, 0)
    assert await road.owner.fetchval("select count(*) from journal where kind = 'pay_floor'") == 0
    await road.audited()


async def test_each_ride_counts_by_the_floor_of_its_quote(road: Road) -> None:
    await found_with(road, "pay_floor_per_hour_minor", 60_000)
    await road.ride(lasts_s=1800)
    road.clock.pass_time(60)
    await vote(road, "pay_floor_per_hour_minor", 30_000)
    await road.ride(lasts_s=1200)
    await next_week(road)

    await fill_up(road)

    assert await road.owner.fetchval("select floor_minor from pay_floor_week") == 30_000 + 10_000
    [again] = await road.owner.fetch(WEEKS_COME_OUT_AGAIN)
    assert again["fault"] is None


async def test_a_ride_that_the_rider_called_off_on_the_way_counts_as_engaged(road: Road) -> None:
    await found_with(road, "pay_floor_per_hour_minor", 60_000)
    ride_id = await road.assigned()
    road.clock.pass_time(90)
    await road.do(road.rider, f"/v1/rides/{ride_id}/cancel", reason="I walk")
    await next_week(road)

    await fill_up(road)

    row = await road.owner.fetchrow("select engaged_s, floor_minor from pay_floor_week")
    assert tuple(row) == (90, 1500)
    await road.audited()


async def test_twenty_workers_at_once_fill_a_week_up_once(road: Road) -> None:
    await found_with(road, "pay_floor_per_hour_minor", 60_000)
    await road.ride(lasts_s=1800)
    before = await road.stands(road.driver, "driver")
    await next_week(road)

    reckoned = await asyncio.gather(*(fill_up(road) for _ in range(20)))

    assert sum(reckoned) == 1
    row = await road.owner.fetchrow("select top_up_minor, journal_id from pay_floor_week")
    assert row["journal_id"] is not None
    assert await road.stands(road.driver, "driver") == before + row["top_up_minor"]
    assert len(await road.told(road.driver, "pay_floor.topped_up")) == 1
    await road.audited()


async def test_a_worker_that_died_before_its_commit_changed_nothing(road: Road) -> None:
    await found_with(road, "pay_floor_per_hour_minor", 60_000)
    await road.ride(lasts_s=1800)
    before = await road.stands(road.driver, "driver")
    week = week_of(road.clock.now(), zone=VADUZ)
    await next_week(road)

    async def die() -> None:
        async with road.app.state.database.transaction() as tx:
            await service.fill_up(tx, driver_id=road.driver.id, week=week, now=road.clock.now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await die()
    assert await road.stands(road.driver, "driver") == before
    assert await fill_up(road) == 1
    assert await road.stands(road.driver, "driver") > before
    await road.audited()


async def test_a_weeks_top_up_is_a_cost_of_the_period_that_it_is_booked_in(road: Road) -> None:
    await found_with(road, "pay_floor_per_hour_minor", 60_000)
    await road.ride(lasts_s=1800)
    await next_week(road)
    await fill_up(road)
    since, until = road.clock.now(), road.clock.now() + timedelta(days=1)

    async with road.app.state.database.reading() as reader:
        result = await surplus.house_results(reader, since=since, until=until)

    top_up = await road.owner.fetchval("select top_up_minor from pay_floor_week")
    assert result["costs_minor"] == top_up > 0


async def test_a_top_up_counts_in_what_the_commission_has_to_pay_for(road: Road) -> None:
    await found_with(road, "pay_floor_per_hour_minor", 60_000)
    await road.ride(lasts_s=1800)
    await next_week(road)
    await fill_up(road)
    await road.pass_days(1)

    async with road.app.state.database.reading() as reader:
        year = await costs.year_sums(reader, at=road.clock.now())

    assert year.costs_minor == await road.owner.fetchval("select top_up_minor from pay_floor_week")


async def test_the_audit_names_a_week_that_does_not_come_out_again(road: Road) -> None:
    await road.ride()
    await next_week(road)
    await fill_up(road)
    await road.owner.execute(
        "set session_replication_role = replica; update pay_floor_week set"
        " floor_minor = 1, earned_minor = earned_minor + 1;"
        " set session_replication_role = origin"
    )

    assert "weeks come out again" in str((await audit(road.owner)).first_violation)
