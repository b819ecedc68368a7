"""Whatever goes wrong on the way, in the end our books are the provider's to the cent."""

import contextlib
import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from app.payments import sending, service
from app.payments.local_provider.moods import BEHAVIOURS, Moods
from app.payments.port import Outcome
from tests.app.payments.street import Street

SEEDS = range(200)
BATCHES = 10
TOKENS = ("tok_visa", "tok_visa", "tok_visa", *BEHAVIOURS)


class Died(Exception):
    """The worker's process ended after the provider had acted."""


@dataclass
class Storm:
    """One seed's rides, and a provider and a worker in bad moods."""

    street: Street
    seed: int
    chance: random.Random = field(init=False)
    owed_minor: dict[UUID, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    @property
    def name(self) -> str:
        return "local"

    def __getattr__(self, act: str) -> Any:
        port = self.street.port(timeout_s=0.2)

        async def ask(**asked: Any) -> Outcome:
            outcome: Outcome = await getattr(port, act)(**asked)
            if self.chance.random() < 0.1:
                raise Died
            return outcome

        return ask

    async def begin(self) -> None:
        ride_id = await self.street.ride()
        amount_minor = self.chance.randrange(100, 9000)
        async with self.street.database.transaction() as tx:
            await service.begin(
                tx,
                ride_id=ride_id,
                rider_id=self.street.rider.id,
                method="card",
                amount_minor=amount_minor,
                now=self.street.now,
            )
        self.owed_minor[ride_id] = 0

    async def end(self) -> None:
        ride_id = self.chance.choice(list(self.owed_minor))
        amount_minor = self.chance.choice((0, self.chance.randrange(1, 9999)))
        payment = await self.street.payment(ride_id)
        if self.owed_minor[ride_id] or payment["amount_minor"] == 0:
            return
        async with self.street.database.transaction() as tx:
            if amount_minor:
                await self.street.owe(tx, amount_minor, ride_id=ride_id)
                await service.settle(
                    tx,
                    ride_id=ride_id,
                    rider_id=self.street.rider.id,
                    driver_id=self.street.driver.id,
                    amount_minor=amount_minor,
                    took_place=True,
                    now=self.street.now,
                )
            else:
                await service.drop(tx, ride_id=ride_id, now=self.street.now)
        self.owed_minor[ride_id] = amount_minor

    async def change(self) -> None:
        """A tip, or money back, for a ride that was settled."""
        ride_id = self.chance.choice(list(self.owed_minor))
        owed_minor = self.owed_minor[ride_id]
        if not owed_minor:
            return
        key = str(self.chance.random())
        is_tip = self.chance.random() < 0.5
        amount_minor = self.chance.randrange(1, 500 if is_tip else owed_minor + 1)
        act = service.charge if is_tip else service.refund
        async with self.street.database.transaction() as tx:
            change_minor = amount_minor if is_tip else -amount_minor
            await self.street.owe(tx, change_minor, ride_id=ride_id)
            await act(
                tx,
                ride_id=ride_id,
                rider_id=self.street.rider.id,
                key=key,
                amount_minor=amount_minor,
                now=self.street.now,
            )
        self.owed_minor[ride_id] += amount_minor if is_tip else -amount_minor

    async def work(self) -> None:
        with contextlib.suppress(Died):
            await sending.run_once(self.street.database, self, now=self.street.now)

    async def hear(self) -> None:
        await self.street.double.tell_all(self.street.hear)

    async def wait(self) -> None:
        self.street.clock.pass_time(self.chance.choice((10, 60, 600)))

    async def calm_down(self) -> None:
        """The weather clears: all that is due is sent, told and looked up."""
        self.street.double.moods = Moods()
        due = "select count(*) from payment_command where state = 'due'"
        while await self.street.owner.fetchval(due):
            self.street.clock.pass_time(3600)
            await sending.run_once(self.street.database, self.street.port(), now=self.street.now)
        await self.street.double.tell_all(self.street.hear)


async def rage(street: Street, seed: int) -> None:
    storm = Storm(street, seed)
    street.double.moods = Moods(
        fails_before=0.15,
        fails_after=0.15,
        hangs_after=0.02,
        tells_twice=0.3,
        tells_late=0.4,
        seed=seed,
    )
    await street.card(f"{storm.chance.choice(TOKENS)}_{seed}")
    await storm.begin()
    steps = (storm.begin, storm.end, storm.end, storm.change, storm.work, storm.work, storm.hear)
    for _ in range(12):
        await storm.chance.choice((*steps, storm.wait))()
    await storm.calm_down()


@pytest.mark.parametrize("batch", range(BATCHES))
async def test_our_books_are_the_providers_to_the_cent(street: Street, batch: int) -> None:
    rider_minor = await street.standing("rider", street.rider.id)
    for seed in SEEDS[batch::BATCHES]:
        await rage(street, seed)

    ours = {
        row["reference"]: row
        for row in await street.owner.fetch("select * from payment where reference is not null")
    }
    theirs = street.double.vault.payments()
    paid = ("captured", "refunded", "withdrawn", "reinstated")
    for one in theirs:
        row = ours[one["id"]]
        assert [row[f"{name}_minor"] for name in paid] == [one[name] for name in paid], one
    assert len({one["ours"] for one in theirs}) == len(theirs) == len(ours)
    there_minor = sum(
        one["captured"] - one["refunded"] - one["withdrawn"] + one["reinstated"] for one in theirs
    )
    assert await street.standing("card_clearing") == -there_minor
    # What is owed and what was paid are all that moved on the rider's account.
    owed_minor = await street.owner.fetchval(
        "select coalesce(sum(case when d.kind = 'rider' then t.amount_minor else -t.amount_minor"
        " end), 0) from journal j join transfer t on t.journal_id = j.id"
        " join account d on d.id = t.debit_id where j.idem_scope = 'test'"
    )
    assert await street.standing("rider", street.rider.id) == rider_minor - owed_minor + there_minor
    assert await street.standing("platform_costs") == 0
    # Nobody paid more for a ride than it was settled for, with what came above it.
    assert (
        await street.owner.fetchval(
            "select count(*) from payment where captured_minor > greatest(amount_minor, 0)"
            " and refunded_minor < captured_minor - amount_minor and withdrawn_minor = 0"
        )
        == 0
    )
    assert (
        await street.owner.fetchval(
            "select coalesce(sum(held_minor), 0) from balance where account_id in"
            " (select id from account where member_id = $1)",
            street.rider.id,
        )
        == 0
    )
