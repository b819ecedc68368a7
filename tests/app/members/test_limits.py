"""Codes are bounded for each number, prefix and address, also when everybody asks at once."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import asyncpg
import httpx
import pytest

from app.foundation.database import Database
from app.members import service
from app.settings import Settings
from tests.app.members.phone import Phone
from tests.conftest import StandingClock

PER_NUMBER, PER_PREFIX, PER_ADDRESS = 3, 5, 8


@pytest.fixture
def settings(settings: Settings) -> Settings:
    limits = {
        "codes_per_number": PER_NUMBER,
        "codes_per_prefix": PER_PREFIX,
        "codes_per_address": PER_ADDRESS,
    }
    return settings.model_copy(update=limits)


def refused(answers: list[httpx.Response]) -> list[int]:
    """The seconds that each refused request is told to wait."""
    return [int(a.headers["Retry-After"]) for a in answers if a.status_code == 429]


async def test_a_number_gets_its_share_and_is_told_when_to_come_back(
    phone: Phone, clock: StandingClock
) -> None:
    await phone.challenge()
    clock.pass_time(60)
    for _ in range(PER_NUMBER - 1):
        await phone.challenge()
    answer = await phone.ask()

    assert answer.status_code == 429
    assert answer.json()["type"] == "/problems/too-many-requests"
    assert answer.headers["Retry-After"] == str(14 * 60)
    clock.pass_time(14 * 60 - 1)
    assert (await phone.ask()).status_code == 429
    clock.pass_time(1)
    assert (await phone.ask()).status_code == 202
    assert (await phone.ask()).status_code == 429


async def test_requests_at_once_for_one_number_do_not_pass_its_limit(phone: Phone) -> None:
    answers = await asyncio.gather(*(phone.ask() for _ in range(12)))

    assert Counter(a.status_code for a in answers) == {202: PER_NUMBER, 429: 12 - PER_NUMBER}
    assert set(refused(answers)) == {15 * 60}
    assert len(phone.texts()) == PER_NUMBER


async def test_requests_at_once_for_neighbouring_numbers_do_not_pass_the_limit_of_a_prefix(
    phone_with: Callable[[str], Phone],
) -> None:
    phones = [phone_with(f"+423 234 00 {n:02}") for n in range(12)]
    answers = await asyncio.gather(*(phone.ask() for phone in phones))

    assert Counter(a.status_code for a in answers) == {202: PER_PREFIX, 429: 12 - PER_PREFIX}
    assert set(refused(answers)) == {15 * 60}


async def test_requests_at_once_from_one_address_do_not_pass_its_limit(
    phone_with: Callable[[str], Phone], clock: StandingClock
) -> None:
    phones = [phone_with(f"+423 2{n:02} 00 00") for n in range(30, 44)]
    answers = await asyncio.gather(*(phone.ask() for phone in phones))

    assert Counter(a.status_code for a in answers) == {202: PER_ADDRESS, 429: 14 - PER_ADDRESS}
    assert set(refused(answers)) == {60 * 60}
    clock.pass_time(59 * 60)
    assert (await phones[0].ask()).status_code == 429
    clock.pass_time(60)
    assert (await phones[0].ask()).status_code == 202


async def test_old_things_are_forgotten_but_what_limits_count_stays(
    phone: Phone,
    database: Database,
    clock: StandingClock,
    owner: asyncpg.Connection,
) -> None:
    tokens = await phone.sign_in()
    await owner.execute(
        "insert into idempotency_key (actor_id, key, fingerprint, status, created_at)"
        " values ($1, 'old', '', 200, $2), ($1, 'young', '', 200, $3)",
        tokens["member_id"],
        clock.now() - timedelta(hours=48, seconds=1),
        clock.now() - timedelta(hours=46),
    )
    async with database.transaction() as tx:
        assert await service.forget_old(tx, now=clock.now()) == 1
    assert await owner.fetchval("select key from idempotency_key") == "young"
    assert await owner.fetchval("select count(*) from sign_in_code") == 1

    clock.pass_time(60 * 60 + 1)
    async with database.transaction() as tx:
        assert await service.forget_old(tx, now=clock.now()) == 1
    assert await owner.fetchval("select count(*) from sign_in_code") == 0
