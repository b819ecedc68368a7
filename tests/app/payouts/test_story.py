"""Promises about a batch from its preparation to the bank's last word, through HTTP."""

import csv
import hashlib
import io
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from defusedxml.ElementTree import fromstring

from app.audit.report import audit
from app.settings import Settings
from tests.app.payouts.till import (
    BATCHES,
    balance,
    earn,
    events,
    house,
    in_euros,
    make_drivers,
    pain002,
    payable_drivers,
    payouts,
    post,
    prepare,
    register,
    release,
    say,
    some_iban,
    states,
)
from tests.conftest import StandingClock
from tests.factories import Person
from tests.steps import slug


@pytest.fixture
async def euros(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> list[Person]:
    """Three drivers of a cooperative in euros, with 50.00, 7.31 and 0.99 on their accounts."""
    drivers = await make_drivers(owner, 3)
    await in_euros(owner)
    for number, driver in enumerate(drivers):
        await register(client, driver, some_iban(number), name=f"Driver {number}")
    clock.pass_time(3 * 24 * 3600)
    for driver, amount_minor in zip(drivers, (5000, 731, 99), strict=True):
        await earn(owner, driver, amount_minor, clock)
    clock.pass_time(60)
    await owner.execute("update session set access_expires_at = access_expires_at + interval '9 d'")
    return drivers


async def own_payouts(client: httpx.AsyncClient, person: Person) -> list[dict[str, Any]]:
    answer = await client.get("/v1/me/payouts", headers=person.headers)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_batch_goes_from_the_drivers_accounts_to_their_banks(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    staff: list[Person],
    euros: list[Person],
) -> None:
    ada, bo, cem = euros
    batch = await prepare(client, staff[0])
    path = f"{BATCHES}/{batch['id']}"
    assert batch["state"] == "prepared"
    assert batch["by_state"] == [{"state": "prepared", "payouts": 2, "amount_minor": 5731}]
    assert batch["passed_over"] == {"below_least": 1}
    assert await balance(owner, ada) == 5000  # No money has moved.
    assert slug(await post(client, staff[1], f"{path}/file")) == "batch-not-released"

    released = await release(client, staff[1], batch["id"])
    assert states(released) == {"released": 2}
    assert [await balance(owner, driver) for driver in euros] == [0, 0, 99]
    assert await house(owner, "payout_clearing") == 5731
    assert await house(owner, "bank") == 0

    drawn = (await post(client, staff[1], f"{path}/file")).json()
    file = await client.get(f"{path}/file", headers=staff[0].headers)
    assert file.headers["content-type"].startswith("application/xml")
    assert hashlib.sha256(file.content).hexdigest() == drawn["sha256"]
    root = fromstring(file.content)
    assert root.findtext(".//{*}GrpHdr/{*}CtrlSum") == "57.31"
    ibans = [node.text for node in root.iterfind(".//{*}CdtrAcct//{*}IBAN")]
    names = dict(zip(ibans, (node.text for node in root.iterfind(".//{*}EndToEndId")), strict=True))
    assert set(ibans) == {some_iban(0), some_iban(1)}

    said = {names[some_iban(0)]: ("ACSC", None), names[some_iban(1)]: ("RJCT", "AC04")}
    report = pain002(batch["id"], payments=said)
    done = await say(client, staff[0], batch["id"], pain_002=report)
    assert (done["settled"], done["returned"], done["unknown"]) == (1, 1, [])
    assert [await balance(owner, driver) for driver in euros] == [0, 731, 99]
    assert await house(owner, "payout_clearing") == 0
    assert await house(owner, "bank") == 5000

    [paid] = await own_payouts(client, ada)
    [returned] = await own_payouts(client, bo)
    assert (paid["state"], paid["amount_minor"], paid["iban"]) == (
        "settled",
        5000,
        f"DE** **** {some_iban(0)[-4:]}",
    )
    assert returned["state"] == "returned"
    assert returned["reason"].startswith("The account is closed.")
    assert await own_payouts(client, cem) == []
    assert [type_ for type_, _ in await events(owner, bo)] == [
        "bank_account.registered",
        "payout.released",
        "payout.returned",
    ]
    assert (await events(owner, bo))[-1][1]["reason"] == returned["reason"]
    logged = await owner.fetch("select e::text from event_log e")
    assert not any(some_iban(n)[4:] in row["e"] for row in logged for n in range(3))
    assert (await audit(owner)).first_violation is None


async def test_a_closed_account_is_not_paid_again_until_it_is_registered_anew(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    [ada] = await payable_drivers(client, owner, clock, 5000)
    batch = await prepare(client, staff[0])
    await release(client, staff[1], batch["id"])
    [payout] = await payouts(client, staff[0], batch["id"])
    closed = {"payout_id": payout["id"], "outcome": "returned", "reason_code": "AC04"}
    await say(client, staff[0], batch["id"], statuses=[closed])

    again = await post(client, staff[0], BATCHES)
    assert again.json()["passed_over"] == {"account_refused": 1}
    shown = (await client.get("/v1/me/bank-account", headers=ada.headers)).json()
    assert shown["current"]["is_refused"]

    await register(client, ada, some_iban(0), name="Driver 0")
    clock.pass_time(3 * 24 * 3600)
    assert states(await prepare(client, staff[0])) == {"prepared": 1}


async def test_whoever_prepared_a_batch_does_not_release_it(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    [ada] = await payable_drivers(client, owner, clock, 5000)
    batch = await prepare(client, staff[0])

    refused = await post(client, staff[0], f"{BATCHES}/{batch['id']}/release")

    assert slug(refused) == "own-batch"
    assert await balance(owner, ada) == 5000
    with pytest.raises(asyncpg.CheckViolationError, match="somebody_else_releases_a_batch"):
        await owner.execute(
            "update payout_batch set released_by = prepared_by, released_at = prepared_at,"
            " execute_on = '2026-05-30'"
        )


async def test_a_batch_pays_what_was_earned_before_its_cut_off_and_the_next_one_the_rest(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    ada, bo = await payable_drivers(client, owner, clock, 5000, 0)
    cut_off = clock.now()
    await earn(owner, ada, 200, clock)  # At the cut-off itself: after it.
    clock.pass_time(60)
    await earn(owner, ada, -300, clock)
    await earn(owner, bo, 4000, clock)
    clock.pass_time(60)

    first = await prepare(client, staff[0], until=cut_off.isoformat())
    await release(client, staff[1], first["id"])
    # What left since the cut-off is off already, what came is not yet paid.
    assert first["by_state"] == [{"state": "prepared", "payouts": 1, "amount_minor": 4900}]
    clock.pass_time(60)
    second = await prepare(client, staff[0])
    assert second["by_state"] == [{"state": "prepared", "payouts": 1, "amount_minor": 4000}]


async def test_a_cut_off_to_come_is_refused(
    client: httpx.AsyncClient, staff: list[Person], clock: StandingClock
) -> None:
    for until, problem in (
        ("2099-01-01T00:00:00Z", "cut-off-in-the-future"),
        ("2026-05-01T00:00:00", "invalid-request"),
    ):
        answer = await post(client, staff[0], BATCHES, until=until)
        assert (answer.status_code, slug(answer)) == (422, problem)


async def test_held_money_and_money_below_zero_is_not_paid(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    ada, bo = await payable_drivers(client, owner, clock, 5000, 300)
    await owner.execute(
        "select place_hold(gen_random_uuid(), a.id, 4000, $1) from account a"
        " where a.member_id = $2 and a.kind = 'driver'",
        clock.now(),
        ada.id,
    )
    # Bo kept cash: the commission on it is a debt that the balance nets by itself.
    await owner.execute("update balance set lowest_minor = -500")
    await earn(owner, bo, -700, clock)
    clock.pass_time(1)

    batch = await prepare(client, staff[0])

    assert batch["by_state"] == [{"state": "prepared", "payouts": 1, "amount_minor": 1000}]


async def test_preparing_again_under_the_same_key_gives_the_same_batch(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    await payable_drivers(client, owner, clock, 5000)
    headers = staff[0].act

    first = await client.post(BATCHES, json={}, headers=headers)
    again = await client.post(BATCHES, json={}, headers=headers)
    other = await post(client, staff[0], BATCHES)

    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.json()["passed_over"] == {"in_another_batch": 1}


async def test_who_changes_the_account_meanwhile_or_falls_below_is_left_out_and_told(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    ada, bo, cem = await payable_drivers(client, owner, clock, 5000, 4000, 3000)
    batch = await prepare(client, staff[0])
    await register(client, ada, some_iban(77), name="Driver 0")
    await earn(owner, bo, -1, clock)

    released = await release(client, staff[1], batch["id"])

    assert states(released) == {"left_out": 2, "released": 1}
    why = {
        row["member_id"]: row["left_out_because"]
        for row in await payouts(client, staff[0], batch["id"])
    }
    assert why == {str(ada.id): "account_changed", str(bo.id): "balance_fell", str(cem.id): None}
    assert [await balance(owner, driver) for driver in (ada, bo, cem)] == [5000, 3999, 0]
    assert (await events(owner, ada))[-1][0] == "payout.left_out"
    clock.pass_time(1)
    assert states(await prepare(client, staff[0])) == {"prepared": 1}  # Bo; Ada's is too new.
    assert (await audit(owner)).first_violation is None


async def test_a_cancelled_batch_moves_nothing_and_frees_its_drivers(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    [ada] = await payable_drivers(client, owner, clock, 5000)
    batch = await prepare(client, staff[0])

    cancelled = await post(client, staff[0], f"{BATCHES}/{batch['id']}/cancel", reason="a mistake")

    assert cancelled.json()["state"] == "cancelled"
    for step, body in (("release", {}), ("cancel", {"reason": "again"})):
        again = await post(client, staff[1], f"{BATCHES}/{batch['id']}/{step}", **body)
        assert slug(again) == "batch-decided"
    assert await own_payouts(client, ada) == []
    assert states(await prepare(client, staff[0])) == {"prepared": 1}


async def test_the_file_stays_the_same_whoever_draws_it_again(
    client: httpx.AsyncClient, staff: list[Person], euros: list[Person], clock: StandingClock
) -> None:
    batch = await prepare(client, staff[0])
    path = f"{BATCHES}/{batch['id']}/file"
    await release(client, staff[1], batch["id"])
    assert slug(await client.get(path, headers=staff[0].headers)) == "file-not-drawn"
    first = await post(client, staff[0], path)
    content = (await client.get(path, headers=staff[0].headers)).content
    clock.pass_time(3600)
    await register(client, euros[0], some_iban(9))
    await say(client, staff[0], batch["id"], everyone_else="settled")

    again = await post(client, staff[1], path)

    assert again.json() == first.json()
    assert (await client.get(path, headers=staff[1].headers)).content == content


async def test_sepa_is_refused_in_francs_with_a_reason_and_the_list_stands_in(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    await payable_drivers(client, owner, clock, 5000, 731)
    batch = await prepare(client, staff[0])
    path = f"{BATCHES}/{batch['id']}"
    assert slug(await client.get(f"{path}/list", headers=staff[0].headers)) == "batch-not-released"
    await release(client, staff[1], batch["id"])

    refused = await post(client, staff[0], f"{path}/file")
    listed = await client.get(f"{path}/list", headers=staff[0].headers)

    assert slug(refused) == "currency-not-sepa"
    assert "for euros only" in refused.json()["detail"]
    lines = list(csv.DictReader(io.StringIO(listed.text)))
    assert {(line["iban"], line["amount"], line["currency"]) for line in lines} == {
        (some_iban(0), "50.00", "CHF"),
        (some_iban(1), "7.31", "CHF"),
    }


async def test_a_bank_that_takes_francs_gets_a_file_without_sepas_terms(
    app: Any,
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
    settings: Settings,
) -> None:
    app.state.settings = settings.model_copy(update={"payout_file_currencies": ("EUR", "CHF")})
    await payable_drivers(client, owner, clock, 5000)
    batch = await prepare(client, staff[0])
    path = f"{BATCHES}/{batch['id']}/file"
    await release(client, staff[1], batch["id"])

    assert (await post(client, staff[0], path)).status_code == 200

    root = fromstring((await client.get(path, headers=staff[0].headers)).content)
    assert root.find(".//{*}InstdAmt").get("Ccy") == "CHF"
    assert root.find(".//{*}SvcLvl") is None


@pytest.mark.parametrize("iban", [None, "LI00088100002324013AB"])
async def test_without_the_cooperatives_own_account_there_is_no_file(
    app: Any,
    client: httpx.AsyncClient,
    staff: list[Person],
    euros: list[Person],
    settings: Settings,
    tmp_path: Any,
    iban: str | None,
) -> None:
    app.state.settings = Settings(home=tmp_path, payout_iban=iban, secret="x")
    batch = await prepare(client, staff[0])
    await release(client, staff[1], batch["id"])

    answer = await post(client, staff[0], f"{BATCHES}/{batch['id']}/file")

    assert slug(answer) == "paying-account-missing"


async def test_the_same_report_twice_changes_nothing_more_and_a_late_return_is_booked(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    ada, _ = await payable_drivers(client, owner, clock, 5000, 731)
    batch = await prepare(client, staff[0])
    await release(client, staff[1], batch["id"])
    first = await say(client, staff[0], batch["id"], everyone_else="settled")
    again = await say(client, staff[1], batch["id"], everyone_else="settled")
    assert (first["settled"], again["settled"], again["unchanged"]) == (2, 0, 2)
    assert await house(owner, "bank") == 5731

    late = UUID((await own_payouts(client, ada))[0]["id"])
    report = pain002(batch["id"], payments={late.hex: ("RJCT", "AC06")})
    assert (await say(client, staff[0], batch["id"], pain_002=report))["returned"] == 1
    assert await house(owner, "bank") == 731
    assert await balance(owner, ada) == 5000

    # What came back cannot be settled by an older report that is imported late.
    stale = await say(client, staff[0], batch["id"], everyone_else="settled")
    assert (stale["contradicting"], stale["unchanged"]) == ([str(late)], 1)
    assert await balance(owner, ada) == 5000
    assert (await audit(owner)).first_violation is None


async def test_a_report_of_another_file_or_none_at_all_is_refused(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    await payable_drivers(client, owner, clock, 5000)
    batch = await prepare(client, staff[0])
    path = f"{BATCHES}/{batch['id']}/statuses"
    early = await post(client, staff[0], path, everyone_else="settled")
    await release(client, staff[1], batch["id"])

    other = await post(client, staff[0], path, pain_002=pain002(str(uuid4()), group="RJCT"))
    none = await post(client, staff[0], path, pain_002="<a/>")
    both = await post(client, staff[0], path, pain_002="<a/>", everyone_else="settled")
    nothing = await post(client, staff[0], path)

    problems = [slug(answer) for answer in (early, other, none, both, nothing)]
    assert problems == [
        "batch-not-released",
        "status-report-of-another",
        "status-report-unreadable",
        "invalid-request",
        "invalid-request",
    ]
    assert await house(owner, "payout_clearing") == 5000


async def test_a_report_as_large_as_a_citys_batch_is_taken_and_a_larger_one_is_not(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    await payable_drivers(client, owner, clock, 5000)
    batch = await prepare(client, staff[0])
    await release(client, staff[1], batch["id"])
    many = {uuid4().hex: ("ACSC", None) for _ in range(2000)}

    done = await say(client, staff[0], batch["id"], pain_002=pain002(batch["id"], payments=many))
    path = f"{BATCHES}/{batch['id']}/statuses"
    huge = await post(client, staff[0], path, pain_002="x" * 6_000_000)

    assert len(done["unknown"]) == 2000
    assert huge.status_code == 413


async def test_what_is_not_there_is_not_found(
    client: httpx.AsyncClient, staff: list[Person]
) -> None:
    path = f"{BATCHES}/{uuid4()}"

    answers = [
        await post(client, staff[0], f"{path}/release"),
        await post(client, staff[0], f"{path}/cancel", reason="so"),
        await post(client, staff[0], f"{path}/file"),
        await post(client, staff[0], f"{path}/statuses", everyone_else="settled"),
        *[
            await client.get(f"{path}{end}", headers=staff[0].headers)
            for end in ("", "/payouts", "/file", "/list")
        ],
    ]

    assert [slug(answer) for answer in answers] == ["not-found"] * len(answers)


async def test_batches_and_payouts_are_listed_in_pages(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    await payable_drivers(client, owner, clock, 500, 600, 700)
    first = await prepare(client, staff[0])
    await post(client, staff[0], f"{BATCHES}/{first['id']}/cancel", reason="anew")
    second = await prepare(client, staff[0])

    page = (await client.get(f"{BATCHES}?limit=1", headers=staff[0].headers)).json()
    rest = (
        await client.get(
            f"{BATCHES}?limit=1&cursor={page['next_cursor']}", headers=staff[0].headers
        )
    ).json()
    assert [page["items"][0]["id"], rest["items"][0]["id"]] == [second["id"], first["id"]]
    assert rest["next_cursor"] is None
    path = f"{BATCHES}/{second['id']}/payouts"
    part = (await client.get(f"{path}?limit=2", headers=staff[0].headers)).json()
    last = (
        await client.get(f"{path}?limit=2&cursor={part['next_cursor']}", headers=staff[0].headers)
    ).json()
    amounts = [row["amount_minor"] for row in part["items"] + last["items"]]
    assert sorted(amounts) == [500, 600, 700]
    none = (await client.get(f"{path}?state=settled", headers=staff[0].headers)).json()
    assert none["items"] == []
