"""A member reads each account's statement, and nobody else's."""

import base64
from datetime import timedelta

import asyncpg
import httpx
import pytest

from app.foundation.database import Database
from app.foundation.ids import new_id
from app.ledger import postings
from app.ledger import service as ledger
from tests.conftest import FRIDAY_EVENING
from tests.factories import Person, make_member
from tests.steps import slug

HOUR = timedelta(hours=1)
PERIOD = {"since": FRIDAY_EVENING.isoformat(), "until": (FRIDAY_EVENING + HOUR).isoformat()}


@pytest.fixture
async def rider(owner: asyncpg.Connection, database: Database) -> Person:
    """Somebody who gave tips of 1 before the period, 20, 300 and 4,000 in it, 5 after it."""
    rider = await make_member(owner, now=FRIDAY_EVENING)
    rows = await owner.fetch("select kind, id from account where kind in ('rider', 'bank')")
    ids = {row["kind"]: row["id"] for row in rows}
    for minor, minutes in ((1, -1), (20, 0), (300, 30), (4_000, 30), (5, 60)):
        async with database.transaction() as tx:
            await ledger.post(
                tx,
                postings.tip(rider_id=ids["rider"], driver_id=ids["bank"], amount_minor=minor),
                scope="tip",
                key=str(minor),
                subject_id=new_id(),
                now=FRIDAY_EVENING + timedelta(minutes=minutes),
            )
    return rider


async def test_a_statement_shows_the_whole_period_and_its_lines_page_by_page(
    client: httpx.AsyncClient, rider: Person
) -> None:
    pages, cursor = [], None
    for _ in range(2):
        asked = PERIOD | {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(
            "/v1/me/account/rider/statement", params=asked, headers=rider.headers
        )
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        cursor = pages[-1]["next_cursor"]

    assert [[line["amount_minor"] for line in page["lines"]] for page in pages] == [
        [-20, -300],
        [-4_000],
    ]
    assert cursor is None
    for page in pages:
        assert page["known_at"] == pages[0]["known_at"]
        assert (page["opening_minor"], page["closing_minor"]) == (-1, -4_321)
        assert (page["credits_minor"], page["debits_minor"]) == (0, 4_320)


async def test_there_is_no_statement_of_an_account_that_is_not_yours(
    client: httpx.AsyncClient, rider: Person
) -> None:
    for account in ("driver", "bank"):
        answer = await client.get(
            f"/v1/me/account/{account}/statement", params=PERIOD, headers=rider.headers
        )
        assert slug(answer) == "not-found"
    assert (await client.get("/v1/me/account/rider/statement", params=PERIOD)).status_code == 401


@pytest.mark.parametrize(
    "fault",
    [
        {"cursor": "nonsense"},
        {"cursor": "YXxi"},
        {"cursor": base64.urlsafe_b64encode(b"2026-05-01|2026-05-01|1|1").decode()},
        {"since": "2026-05-01"},
        {"limit": "0"},
    ],
)
async def test_a_statement_of_nonsense_is_refused(
    client: httpx.AsyncClient, rider: Person, fault: dict[str, str]
) -> None:
    answer = await client.get(
        "/v1/me/account/rider/statement", params=PERIOD | fault, headers=rider.headers
    )
    assert (answer.status_code, slug(answer)) == (422, "invalid-request")
