"""Prices change only when two people want it, only later, and everybody can read them."""

import asyncio
from datetime import timedelta

import asyncpg
import httpx
import pytest

from app.foundation.ids import new_id
from app.members.roles import Role
from tests.app.fares.acts import PROPOSALS, propose, put_in_force, tariff_body
from tests.conftest import FRIDAY_EVENING, StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import BALZERS, VADUZ, ask_price, book, slug, take


@pytest.fixture
async def one(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, Role.STAFF, now=FRIDAY_EVENING)


@pytest.fixture
async def other(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, Role.STAFF, now=FRIDAY_EVENING)


@pytest.fixture
async def rider(owner: asyncpg.Connection) -> Person:
    return await make_member(owner, now=FRIDAY_EVENING)


async def allow_surge(owner: asyncpg.Connection, clock: StandingClock, *, cap_bp: int) -> None:
    """As if the members had voted for it."""
    await owner.execute(
        "insert into policy_version (id, key, value, effective_from, source, tally_id)"
        " values ($1, 'surge_cap_bp', $2::text::jsonb, $3, 'tally', uuidv7())",
        new_id(),
        str(cap_bp),
        clock.now() + timedelta(seconds=1),
    )
    clock.pass_time(1)


async def test_a_tariff_is_in_force_from_its_moment_on_and_not_before(
    client: httpx.AsyncClient, clock: StandingClock, one: Person, other: Person, rider: Person
) -> None:
    before = await ask_price(client, rider)
    proposed = (await propose(client, one, clock, base_minor=700)).json()
    await take(client, other, f"{PROPOSALS}/{proposed['id']}/release")

    released = await ask_price(client, rider)
    clock.pass_time(1)
    after = await ask_price(client, rider)

    assert released["fare_minor"] == before["fare_minor"]
    assert after["fare_minor"] == before["fare_minor"] + 100
    listed = (await client.get("/v1/tariffs")).json()["items"]
    assert [item["in_force"] for item in listed] == [True, False]
    assert listed[0]["in_words"][0].startswith("A ride costs CHF 7.00, and CHF 3.20 a kilometre")
    assert listed[0]["example"]["fare_minor"] == 700 + 1600 + 700


async def test_a_quote_given_before_a_tariff_keeps_its_price_and_its_terms(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, rider: Person
) -> None:
    quote = await ask_price(client, rider)
    await put_in_force(client, owner, clock, base_minor=5_000, fees={"cancellation_minor": 9_000})

    ride = await take(client, rider, "/v1/rides", quote_id=quote["id"])

    assert ride.json()["fare_minor"] == quote["fare_minor"]
    again = (await client.get(f"/v1/quotes/{quote['id']}", headers=rider.headers)).json()
    assert again["terms"]["cancellation_minor"] == 600


async def test_nobody_releases_a_tariff_of_their_own(
    client: httpx.AsyncClient, clock: StandingClock, owner: asyncpg.Connection, one: Person
) -> None:
    proposed = (await propose(client, one, clock)).json()

    answer = await take(client, one, f"{PROPOSALS}/{proposed['id']}/release")

    assert (answer.status_code, slug(answer)) == (409, "own-tariff")
    with pytest.raises(asyncpg.CheckViolationError, match="somebody_else_releases_a_tariff"):
        await owner.fetch("select release_tariff($1, $2, $3)", proposed["id"], one.id, clock.now())


async def test_prices_never_change_at_once(
    client: httpx.AsyncClient, clock: StandingClock, one: Person, other: Person
) -> None:
    body = {"tariff": tariff_body(), "effective_from": clock.now().isoformat(), "reason": "now"}
    at_once = await take(client, one, PROPOSALS, **body)
    proposed = (await propose(client, one, clock)).json()
    clock.pass_time(1)

    too_late = await take(client, other, f"{PROPOSALS}/{proposed['id']}/release")

    assert (at_once.status_code, slug(at_once)) == (422, "tariff-too-soon")
    assert (too_late.status_code, slug(too_late)) == (422, "tariff-too-soon")


async def test_two_tariffs_do_not_begin_at_one_moment(
    client: httpx.AsyncClient, clock: StandingClock, one: Person, other: Person
) -> None:
    first, second = [(await propose(client, one, clock)).json() for _ in range(2)]
    await take(client, other, f"{PROPOSALS}/{first['id']}/release")

    answer = await take(client, other, f"{PROPOSALS}/{second['id']}/release")

    assert (answer.status_code, slug(answer)) == (409, "tariff-moment-taken")


async def test_a_withdrawn_tariff_is_never_released(
    client: httpx.AsyncClient, clock: StandingClock, one: Person, other: Person
) -> None:
    proposed = (await propose(client, one, clock)).json()
    await take(client, one, f"{PROPOSALS}/{proposed['id']}/withdraw")

    answer = await take(client, other, f"{PROPOSALS}/{proposed['id']}/release")

    assert (answer.status_code, slug(answer)) == (409, "tariff-decided")
    listed = (await client.get(PROPOSALS, headers=other.headers)).json()["items"]
    assert [item["withdrawn_by"] for item in listed] == [str(one.id)]


async def test_of_several_who_release_or_withdraw_at_once_one_decides(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, one: Person
) -> None:
    proposed = (await propose(client, one, clock)).json()
    others = [await make_member(owner, Role.STAFF, now=clock.now()) for _ in range(6)]

    answers = await asyncio.gather(
        *(
            take(client, person, f"{PROPOSALS}/{proposed['id']}/{step}")
            for person, step in zip(others, ["release", "withdraw"] * 3, strict=True)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5
    decided = await owner.fetchrow("select released_at, withdrawn_at from tariff_proposal")
    assert decided is not None
    assert (decided["released_at"] is None) != (decided["withdrawn_at"] is None)
    written = await owner.fetchval(
        "select count(*) from tariff_version where id = $1::uuid", proposed["id"]
    )
    assert written == (1 if decided["released_at"] else 0)


async def test_only_staff_proposes_and_a_tariff_that_contradicts_itself_is_refused(
    client: httpx.AsyncClient, clock: StandingClock, one: Person, rider: Person
) -> None:
    by_a_rider = await propose(client, rider, clock)
    nonsense = await propose(client, one, clock, vat={"rate_bp": 810})

    assert (by_a_rider.status_code, slug(by_a_rider)) == (403, "role-missing")
    assert nonsense.status_code == 422


async def test_nights_zones_tolls_and_vat_are_lines_of_a_quote(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, rider: Person
) -> None:
    await put_in_force(
        client,
        owner,
        clock,
        nights=[{"name": "Evening", "begins": "17:00", "ends": "06:00", "amount_minor": 250}],
        zones=[{"name": "Vaduz", "corners": [[47.13, 9.51], [47.13, 9.53], [47.15, 9.52]]}],
        charges=[
            {"name": "Tunnel", "code": "toll", "amount_minor": 300},
            {"name": "Levy", "code": "tax", "amount_minor": 100, "zone": "Vaduz"},
        ],
    )

    quote = await ask_price(client, rider)

    lines = {item["code"]: item["amount_minor"] for item in quote["items"]}
    assert (lines["night"], lines["toll"], lines["tax"]) == (250, 300, 100)
    assert quote["pass_through_minor"] == 400
    assert quote["commission_minor"] == (quote["fare_minor"] - 400) * 1500 // 10_000
    assert quote["driver_net_minor"] == quote["fare_minor"] - quote["commission_minor"] - 100


async def test_without_a_vote_there_is_no_surge(
    client: httpx.AsyncClient, rider: Person, owner: asyncpg.Connection
) -> None:
    await book(client, await make_member(owner, now=FRIDAY_EVENING))

    quote = await ask_price(client, rider)

    assert quote["surge"]["multiplier_bp"] == quote["surge"]["cap_bp"] == 10_000
    assert quote["surge"]["policy_version_id"] is not None


async def test_each_waiting_ride_without_a_free_driver_adds_a_step_up_to_the_voted_cap(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, rider: Person
) -> None:
    await allow_surge(owner, clock, cap_bp=11_200)
    seen = [(await ask_price(client, rider))["surge"]["multiplier_bp"]]
    for _ in range(3):
        await book(client, await make_member(owner, now=clock.now()))
        seen.append((await ask_price(client, rider))["surge"]["multiplier_bp"])
    elsewhere = await ask_price(client, rider, pickup=BALZERS, dropoff=VADUZ)

    dear = await ask_price(client, rider)
    assert seen == [10_000, 10_500, 11_000, 11_200]
    assert elsewhere["surge"]["multiplier_bp"] == 10_000
    lines = {item["code"]: item["amount_minor"] for item in dear["items"]}
    assert lines["surge"] == (dear["fare_minor"] - lines["surge"]) * 1200 // 10_000

    driver = await make_driver(owner, now=clock.now())
    await owner.execute(
        "insert into driver_position (driver_id, lat, lng, at) values ($1, $2, $3, $4)",
        driver.id,
        VADUZ["lat"],
        VADUZ["lng"],
        clock.now(),
    )
    assert (await ask_price(client, rider))["surge"]["multiplier_bp"] == 11_000


async def test_a_ride_with_a_wheelchair_knows_no_surge(
    client: httpx.AsyncClient, owner: asyncpg.Connection, clock: StandingClock, rider: Person
) -> None:
    await allow_surge(owner, clock, cap_bp=20_000)
    await make_driver(owner, now=clock.now(), on_shift=False, takes_wheelchair=True)
    await book(client, await make_member(owner, now=clock.now()))

    plain = await ask_price(client, rider)
    quote = await ask_price(client, rider, wheelchair=True)

    assert quote["plain_fare_minor"] == plain["fare_minor"] > quote["fare_minor"]
    assert quote["surge"]["multiplier_bp"] == 10_000
    ride = await take(client, rider, "/v1/rides", quote_id=quote["id"])
    shown = await client.get(f"/v1/rides/{ride.json()['id']}", headers=rider.headers)
    assert shown.json()["wheelchair"] is True
