"""However many act on payouts at once, each driver is paid once and nothing breaks."""

import asyncio
from collections import Counter
from pathlib import Path

import asyncpg
import httpx
import pytest

from app.audit.report import audit
from app.settings import Settings
from tests.app.payouts.till import (
    BATCHES,
    OWN_IBAN,
    balance,
    house,
    make_staff,
    payable_drivers,
    post,
    prepare,
    register,
    release,
    some_iban,
    states,
)
from tests.conftest import StandingClock
from tests.factories import Person


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        home=tmp_path,
        secret="a secret of tests",
        payout_iban=OWN_IBAN,
        payout_file_currencies=("CHF",),
    )


@pytest.fixture
async def staff(owner: asyncpg.Connection) -> list[Person]:
    return await make_staff(owner, 5)


def statuses(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


async def test_of_five_who_prepare_at_once_one_takes_all_and_of_five_who_release_one_does(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    drivers = await payable_drivers(client, owner, clock, *[1000] * 5)

    made = await asyncio.gather(*(post(client, person, BATCHES) for person in staff))
    assert statuses(made) == {201: 1, 409: 4}
    [batch] = [answer.json() for answer in made if answer.status_code == 201]
    assert states(batch) == {"prepared": 5}
    path = f"{BATCHES}/{batch['id']}/release"
    released = await asyncio.gather(*(post(client, person, path) for person in staff))

    assert statuses(released) == {200: 1, 409: 4}
    assert [await balance(owner, driver) for driver in drivers] == [0] * 5
    assert await house(owner, "payout_clearing") == 5000
    assert (await audit(owner)).first_violation is None


async def test_whose_account_changes_while_it_is_released_is_paid_to_it_or_left_out(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    drivers = await payable_drivers(client, owner, clock, *[1000] * 6)
    batch = await prepare(client, staff[0])
    path = f"{BATCHES}/{batch['id']}/release"

    released, *changed = await asyncio.gather(
        post(client, staff[1], path),
        *(register(client, one, some_iban(50 + n)) for n, one in enumerate(drivers)),
    )

    assert (released.status_code, statuses(changed)) == (200, {200: 6})
    seen = states(released.json())
    assert set(seen) <= {"released", "left_out"}
    assert sum(seen.values()) == 6
    left = sum([await balance(owner, driver) for driver in drivers])
    assert left == 1000 * seen.get("left_out", 0)
    assert (await audit(owner)).first_violation is None


async def test_a_report_that_five_import_at_once_and_a_file_that_five_draw_count_once(
    client: httpx.AsyncClient,
    owner: asyncpg.Connection,
    clock: StandingClock,
    staff: list[Person],
) -> None:
    await payable_drivers(client, owner, clock, *[1000] * 4)
    batch = await prepare(client, staff[0])
    await release(client, staff[1], batch["id"])
    path = f"{BATCHES}/{batch['id']}"

    drawn = await asyncio.gather(*(post(client, one, f"{path}/file") for one in staff))
    told = await asyncio.gather(
        *(post(client, one, f"{path}/statuses", everyone_else="settled") for one in staff)
    )

    assert len({answer.json()["sha256"] for answer in drawn}) == 1
    assert sum(answer.json()["settled"] for answer in told) == 4
    assert sum(answer.json()["unchanged"] for answer in told) == 16
    assert await house(owner, "bank") == 4000
    assert (await audit(owner)).first_violation is None
