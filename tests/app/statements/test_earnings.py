"""A driver's earnings: each total is what the account's journals add up to, to the cent."""

import csv
import io
from decimal import Decimal

import asyncpg
import pytest

from app.ledger.accounts import JournalKind
from app.statements.lines import Column, column_of
from tests.app.statements.month import Street, mixed_month
from tests.conftest import FRIDAY_EVENING
from tests.factories import Person, make_driver
from tests.steps import slug

ACCOUNT = "select id from account where kind = 'driver' and member_id = $1"


async def booked(owner: asyncpg.Connection, driver: Person, kinds: str, *, other: str = "%") -> int:
    """What journals of these kinds moved on a driver's account, by the books alone."""
    return int(
        await owner.fetchval(
            "select coalesce(sum(case when t.credit_id = own.id then t.amount_minor"
            " else -t.amount_minor end), 0) from account own"
            " join transfer t on own.id in (t.credit_id, t.debit_id)"
            " join journal j on j.id = t.journal_id join account o on o.id <> own.id"
            " and o.id in (t.credit_id, t.debit_id) where own.kind = 'driver'"
            " and own.member_id = $1 and j.kind = any(string_to_array($2, ' '))"
            " and o.kind like $3",
            driver.id,
            kinds,
            other,
        )
    )


async def test_each_total_of_a_mixed_month_is_what_the_account_booked(street: Street) -> None:
    await mixed_month(street)

    month = await street.earnings()

    async def books(kinds: str, other: str = "%") -> int:
        return await booked(street.owner, street.driver, kinds, other=other)

    assert month["totals"] == {
        "fares_minor": await books("ride_fare", "rider"),
        "fees_minor": await books("ride_fee", "rider"),
        "tips_minor": await books("tip"),
        "top_ups_minor": await books("pay_floor"),
        "commission_minor": await books("ride_fare ride_fee", "commission_income"),
        "passed_on_minor": await books("ride_fare ride_fee", "pass_through"),
        "corrections_minor": await books("adjustment reversal"),
        "surplus_refunds_minor": 0,
        "capital_repaid_minor": 0,
        "solidarity_minor": 0,
        "cash_taken_minor": await books("cash_taken"),
        "paid_out_minor": await books("payout"),
        "other_minor": await books("bad_debt"),
        "earned_minor": await books("ride_fare ride_fee tip pay_floor adjustment reversal"),
        "account_change_minor": await street.balance(),
    }
    assert (month["opening_minor"], month["closing_minor"]) == (0, await street.balance())
    assert month["totals"]["other_minor"] == 77
    assert month["commission_paid_minor"] == -await books(
        "ride_fare ride_fee reversal", "commission_income"
    )


async def test_rides_and_other_lines_together_are_the_totals(street: Street) -> None:
    rides = await mixed_month(street)

    month = await street.earnings()

    shown = {ride["ride_id"]: ride for ride in month["rides"]}
    assert shown.keys() == set(rides.values())
    of_rides = sum(ride["amounts"]["account_change_minor"] for ride in month["rides"])
    of_others = sum(line["amount_minor"] for line in month["other_lines"])
    assert of_rides + of_others == await street.balance()
    tipped = shown[rides["tipped"]]
    assert tipped["amounts"]["tips_minor"] == 350
    assert tipped["amounts"]["corrections_minor"] == -500
    assert tipped["reasons"] == ["=the way was longer than needed"]
    assert shown[rides["plain"]]["amounts"]["cash_taken_minor"] == -2000
    assert shown[rides["wrong"]]["amounts"]["earned_minor"] == 0
    assert [(line["kind"], line["column"]) for line in month["other_lines"]] == [
        ("ride_fee", "fees"),
        ("ride_fee", "commission"),
        ("pay_floor", "top_ups"),
        ("bad_debt", "other"),
        ("payout", "paid_out"),
    ]


async def test_each_commission_names_the_share_and_who_decided_it(street: Street) -> None:
    await street.drive()

    month = await street.earnings()

    [ride], [share] = month["rides"], month["shares"]
    assert ride["policy_version_id"] == share["policy_version_id"]
    assert (share["commission_bp"], share["source"]) == (1500, "founding")
    expected = ride["amounts"]["fares_minor"] * 1500 // 10_000
    assert ride["amounts"]["commission_minor"] == -expected


async def test_clocks_and_earnings_per_hour_are_of_the_same_period(street: Street) -> None:
    await street.drive(minutes=12)

    day = await street.earnings("span=day")

    assert day["clocks"] == {
        "available_s": 600,
        "dispatch_s": 360,
        "on_trip_s": 720,
        "online_s": 1680,
    }
    earned = day["totals"]["earned_minor"]
    assert day["per_hour_online_minor"] == earned * 3600 // 1680
    assert day["per_hour_with_rider_minor"] == earned * 3600 // 720


async def test_periods_in_a_row_hand_the_balance_on(street: Street) -> None:
    await street.drive()
    street.clock.pass_time(9 * 3600)  # past midnight in Vaduz
    await street.stay_signed_in()
    await street.drive()

    friday = await street.earnings("span=day&on=2026-05-22")
    saturday = await street.earnings("since=2026-05-23&until=2026-05-24")

    assert (len(friday["rides"]), len(saturday["rides"])) == (1, 1)
    assert friday["since"] == "2026-05-22T00:00:00+02:00"
    assert friday["closing_minor"] == saturday["opening_minor"]
    assert saturday["closing_minor"] == await street.balance()


async def test_the_table_has_decimal_amounts_that_sum_up_to_the_account(street: Street) -> None:
    await mixed_month(street)

    answer = await street.get("/v1/me/earnings.csv?span=month")

    assert answer.headers["content-type"].startswith("text/csv")
    text = answer.content.decode("utf-8")
    assert text.count("\r\n") == text.count("\n") == 1 + 3 + 5
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    change = sum(Decimal(row["account_change"]) for row in rows)
    assert change == Decimal(await street.balance()) / 100
    assert {row["currency"] for row in rows} == {"CHF"}
    [reason] = [row["reason"] for row in rows if "longer" in row["reason"]]
    assert reason == "'=the way was longer than needed"


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("since=2026-05-23", "period-not-readable"),
        ("since=2026-05-23&until=2026-05-23", "period-not-readable"),
        ("span=day&since=2026-05-22&until=2026-05-23", "period-not-readable"),
        ("span=year&on=1805-01-01", "period-not-readable"),
        ("since=2025-01-01&until=2026-06-01", "period-too-long"),
        ("since=2026-05-23T10:00:00&until=2026-05-24", "invalid-request"),
    ],
)
async def test_a_period_that_is_not_clear_is_refused(
    street: Street, query: str, problem: str
) -> None:
    answer = await street.get(f"/v1/me/earnings?{query}")

    assert (answer.status_code, slug(answer)) == (422, problem)


async def test_the_hour_that_comes_twice_is_no_period_that_ends_before_it_begins(
    street: Street,
) -> None:
    first, again = "2025-10-26T02:30:00%2B02:00", "2025-10-26T02:15:00%2B01:00"

    answer = await street.get(f"/v1/me/earnings?since={first}&until={again}")
    backwards = await street.get(f"/v1/me/earnings?since={again}&until={first}")

    assert answer.status_code == 200, answer.text
    assert slug(backwards) == "period-not-readable"


async def test_who_never_drove_has_no_earnings(street: Street) -> None:
    answer = await street.get("/v1/me/earnings", street.rider)

    assert answer.status_code == 404


async def test_another_driver_sees_none_of_it(street: Street) -> None:
    await street.drive()
    other = await make_driver(street.owner, now=FRIDAY_EVENING, on_shift=False)
    street.driver = other

    month = await street.earnings()

    assert (month["rides"], month["closing_minor"]) == ([], 0)


def test_a_kind_that_is_new_to_statements_is_shown_as_something_else() -> None:
    assert column_of("thirteenth_month", other_side="bank") is Column.OTHER


def test_what_takes_cash_back_stays_cash_and_what_takes_a_fare_back_is_a_correction() -> None:
    def undone(kind: JournalKind) -> Column:
        return column_of("reversal", other_side="rider", undone_kind=kind)

    assert undone(JournalKind.CASH_TAKEN) is Column.CASH_TAKEN
    assert undone(JournalKind.RIDE_FARE) is Column.CORRECTIONS
    assert undone(JournalKind.TIP) is Column.CORRECTIONS
