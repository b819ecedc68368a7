"""Promises between two cooperatives: two databases, two programs, a bad network between them."""

from app.members.roles import Role
from app.reciprocity.netting import open_positions
from governance.clearing import Position, net_positions, settle
from tests.app.reciprocity.cities import City, ride_out
from tests.app.reciprocity.sisters import held, post
from tests.conftest import StandingClock
from tests.factories import Person, make_driver, make_member
from tests.steps import ask_price, slug

GUESTS, RIDES_EACH = 5, 5
LETTER_MINOR = 30_000


async def guest_of(home: City, host: City) -> tuple[Person, Person]:
    """A member at home, and the same person as the host knows them."""
    member = await make_member(home.owner, now=home.clock.now())
    given = await home.letter(member, LETTER_MINOR)
    assert given.status_code == 201, given.text
    return member, await host.visit(given.json()["letter"])


async def rider_stands(city: City, person: Person) -> int:
    return int(
        await city.owner.fetchval(
            "select posted_minor from balance b join account a on a.id = b.account_id"
            " where a.member_id = $1 and a.kind = 'rider'",
            person.id,
        )
    )


async def test_after_fifty_rides_in_bad_weather_the_two_books_mirror_each_other(
    cities: tuple[City, City], clock: StandingClock
) -> None:
    fares = {0: 0, 1: 0}
    drivers = [await make_driver(city.owner, now=clock.now()) for city in cities]
    pairs = ((0, cities[0], cities[1]), (1, cities[1], cities[0]))
    guests = {
        number: [await guest_of(home, host) for _ in range(GUESTS)] for number, host, home in pairs
    }
    for city in cities:
        city.weather.storm = 0.25
    for _ in range(RIDES_EACH):
        for guest in range(GUESTS):
            for number, host, _home in pairs:
                visitor = guests[number][guest][1]
                fares[number] += await host.drive(visitor, drivers[number])
                await host.kill_outbox()
                clock.pass_time(8)
        for city in cities:
            await city.outbox.run_once()
    weather = [city.weather for city in cities]
    assert all(each.lost and each.unheard and each.doubled for each in weather)
    await ride_out(*cities)

    first, second = [await city.stands() for city in cities]

    assert first == -second == fares[1] - fares[0]
    for number, host, home in pairs:
        for member, visitor in guests[number]:
            assert await rider_stands(host, visitor) == 0
            assert await rider_stands(home, member) < 0
        owed = [await rider_stands(home, member) for member, _ in guests[number]]
        assert -sum(owed) == fares[number]
    owed_now = [Position("b", "a", "CHF", fares[0]), Position("a", "b", "CHF", fares[1])]
    nets = net_positions(owed_now)
    assert nets == {"CHF": {"a": -first, "b": -second}}
    paid = [Position(p.payee, p.payer, p.currency, p.amount_minor) for p in settle(nets)]
    assert len(paid) <= 1
    assert set(net_positions([*owed_now, *paid])["CHF"].values()) == {0}
    for city in cities:
        await city.check_books()


async def peers_seen(city: City) -> list[dict[str, object]]:
    member = await make_member(city.owner, now=city.clock.now())
    answer = await city.client.get("/v1/peers", headers=member.headers)
    return list(answer.json()["items"])


async def test_members_of_both_see_the_same_debt_from_their_own_side(
    cities: tuple[City, City], clock: StandingClock
) -> None:
    home, host = cities
    driver = await make_driver(host.owner, now=clock.now())
    _, visitor = await guest_of(home, host)
    fare = await host.drive(visitor, driver)
    await ride_out(*cities)

    assert [peer["they_owe_minor"] for peer in await peers_seen(host)] == [fare]
    assert [peer["they_owe_minor"] for peer in await peers_seen(home)] == [-fare]


async def test_what_a_guest_did_not_ride_is_free_again_once_the_letter_has_ended(
    cities: tuple[City, City], clock: StandingClock
) -> None:
    home, host = cities
    driver = await make_driver(host.owner, now=clock.now())
    _, visitor = await guest_of(home, host)
    assert await held(home.owner, "rider") == LETTER_MINOR
    assert await held(host.owner, "peer_cooperative") == LETTER_MINOR
    fare = await host.drive(visitor, driver)
    await ride_out(*cities)
    assert await held(home.owner, "rider") == LETTER_MINOR - fare

    clock.pass_time(25 * 3600)
    await ride_out(*cities)

    assert await held(home.owner, "rider") == 0
    assert await held(host.owner, "peer_cooperative") == 0
    me = await host.client.get("/v1/me", headers=visitor.headers)
    assert me.status_code == 401
    for city in cities:
        await city.check_books()


async def test_no_ride_is_booked_that_ends_after_the_letter(
    cities: tuple[City, City], clock: StandingClock
) -> None:
    home, host = cities
    _, visitor = await guest_of(home, host)
    clock.pass_time(24 * 3600)
    await host.owner.execute(
        "update session set access_expires_at = access_expires_at + interval '2 days'"
    )
    quote = await ask_price(host.client, visitor)

    answer = await post(host.client, visitor, "/v1/rides", quote_id=quote["id"])

    assert slug(answer) == "visit-over"


async def test_a_month_that_both_signed_is_settled_once_on_each_side(
    cities: tuple[City, City], clock: StandingClock
) -> None:
    home, host = cities
    driver = await make_driver(host.owner, now=clock.now())
    _, visitor = await guest_of(home, host)
    fare = await host.drive(visitor, driver)
    await ride_out(*cities)
    clock.pass_time(20 * 24 * 3600)
    staff = [await make_member(city.owner, Role.STAFF, now=clock.now()) for city in cities]
    others = [await make_member(city.owner, Role.STAFF, now=clock.now()) for city in cities]

    path = f"{host.peer_path}/statements"
    drawn = await post(host.client, staff[1], path, month="2026-05-01")
    await ride_out(*cities)

    assert drawn.json()["net_minor"] == fare
    both = [
        (await city.client.get(f"{city.peer_path}/statements", headers=person.headers)).json()
        for city, person in zip(cities, staff, strict=True)
    ]
    shown = [statement for answer in both for statement in answer["items"]]
    nets = net_positions(open_positions(shown))
    assert nets == {shown[0]["paper"]["currency"]: {str(host.id): fare, str(home.id): -fare}}
    for city, person, net in ((host, others[1], fare), (home, others[0], -fare)):
        path = f"{city.peer_path}/statements"
        [seen] = (await city.client.get(path, headers=person.headers)).json()["items"]
        assert (seen["state"], seen["net_minor"], seen["clearings"]) == ("agreed", net, 1)
        settle_path = f"{path}/{seen['id']}/settle"
        settled = await post(city.client, person, settle_path, document="line 14")
        assert settled.status_code == 200, settled.text
        again = await post(city.client, person, settle_path, document="line 14")
        assert slug(again) == "statement-not-agreed"
        assert await city.stands() == 0
        await city.check_books()
    own = await post(host.client, staff[1], f"{host.peer_path}/statements", month="2026-05-01")
    assert slug(own) == "statement-exists"


async def test_where_two_lists_differ_each_line_is_named(
    cities: tuple[City, City], clock: StandingClock
) -> None:
    home, host = cities
    driver = await make_driver(host.owner, now=clock.now())
    _, visitor = await guest_of(home, host)
    fare = await host.drive(visitor, driver)
    host.weather.storm = 1.0
    await host.outbox.run_once()
    clock.pass_time(20 * 24 * 3600)
    staff = await make_member(home.owner, Role.STAFF, now=clock.now())

    path = f"{home.peer_path}/statements"
    await post(home.client, staff, path, month="2026-05-01")
    await home.outbox.run_once()

    [seen] = (await home.client.get(path, headers=staff.headers)).json()["items"]
    clearing_id = await host.owner.fetchval("select id from clearing")
    assert seen["state"] == "disagreed"
    assert seen["differences"] == [
        {"clearing_id": str(clearing_id), "ours_minor": None, "theirs_minor": -fare}
    ]
