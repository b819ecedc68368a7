"""Promises about the audit: a clean city passes, and each broken promise is named."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.assembly.policies import Policy
from app.audit import invariants, seals, surplus
from app.audit.elections import RECOUNT
from app.audit.report import REPLAY, AuditReport, audit
from app.dispatch.explain import explanation
from app.fares import service as fares
from app.fares.wishes import Wish
from app.foundation import metrics
from app.foundation.commands import Command
from app.foundation.database import Database
from app.foundation.ids import new_id
from app.ledger import costs
from app.ledger.accounts import JournalKind, Purpose
from app.members.roles import Role
from app.payouts.rules import Outcome
from app.payouts.service import batches, paying
from app.payouts.service.bank_accounts import register_bank_account
from app.payouts.status_report import StatusReport, Verdict
from app.rides import endings
from app.rides import service as rides
from app.rides.lifecycle import Party
from app.roads.port import Snapped
from app.roads.service import CalibratedRoute
from governance.electorate import House
from matching.assignment import Limits, solve
from matching.problem import Weights
from matching.record import pack
from tests.app.after_ride.faults import AFTER_RIDE_FAULTS, care_after
from tests.app.assembly.open_votes.stories import Story, seat
from tests.app.guests.faults import GUEST_FAULTS, NOBODY_TELEPHONED
from tests.app.members.faults import ERASURE_FAULTS, NOBODY_ERASED
from tests.app.payouts.till import earn, some_iban
from tests.app.reciprocity.faults import NOTHING_TO_LOOK_AT, RECIPROCITY_FAULTS
from tests.conftest import StandingClock
from tests.factories import Person, make_driver, make_member, make_voter
from tests.matching.instances import candidates, problem

ROUTE = CalibratedRoute(
    distance_m=4200.0,
    duration_s=540.0,
    geometry=((47.14, 9.52), (47.16, 9.51)),
    is_estimate=False,
    pickup=Snapped(lat=47.14, lng=9.52, distance_m=3.0, name="Städtle"),
    dropoff=Snapped(lat=47.16, lng=9.51, distance_m=2.0, name="Landstrasse"),
)


@dataclass(frozen=True)
class Town:
    """A cooperative after some rides; its members act by real commands."""

    database: Database
    owner: asyncpg.Connection
    clock: StandingClock

    async def act(self, actor: Person, what: Callable[..., Awaitable[Any]], **given: Any) -> Any:
        now = self.clock.now()

        async def once(tx: Any) -> Any:
            return await what(tx, now=now, **given)

        key = str(new_id())
        answer = await Command(self.database, actor.id, key, b"asked", now).run(once)
        assert answer.status == 200, answer
        self.clock.pass_time(30)
        return answer.body

    async def request(self, rider: Person) -> Any:
        quote = await self.act(
            rider, fares.give_quote, rider_id=rider.id, wish=Wish(ROUTE), lasts_s=120
        )
        booked = await self.act(
            rider, rides.request_ride, rider_id=rider.id, quote_id=quote["id"], search_s=600
        )
        return booked["id"]

    async def accept(self, driver: Person, ride_id: str) -> None:
        now = self.clock.now()
        tick = await self.owner.fetchval(
            "insert into dispatch_tick (id, at, riders, drivers, candidates, offers, solver,"
            " objective_ds, solve_ms, tick_ms) values ($1, $2, 1, 1, 1, 1, 'flow', 600, 1, 1)"
            " returning id",
            new_id(),
            now,
        )
        record, why = a_round(UUID(ride_id), driver.id)
        await self.owner.execute(
            "insert into dispatch_input (tick_id, at, record, passed_over)"
            " values ($1, $2, $3, '{}')",
            tick,
            now,
            record,
        )
        await self.owner.execute(
            "insert into offer (id, tick_id, ride_id, driver_id, state, offered_at, expires_at,"
            " decided_at, pickup_s, pickup_m, explanation)"
            " values ($1, $2, $3, $4, 'accepted', $5::timestamptz,"
            " $5 + interval '15 s', $5, 60, 500, $6)",
            new_id(),
            tick,
            ride_id,
            driver.id,
            now,
            json.dumps(why),
        )
        async with self.database.transaction() as tx:
            assert await rides.assign_driver(
                tx,
                ride_id=ride_id,
                driver_id=driver.id,
                vehicle_id=driver.vehicle_id,
                now=now,
            )

    async def pay_twice_for_servers(self) -> None:
        staff = await make_member(self.owner, Role.STAFF, now=self.clock.now())
        given = {"booked_by": staff.id, "streams": ()}
        cost = costs.NewCost(
            kind=JournalKind.PLATFORM_COST,
            purpose=Purpose.SERVERS,
            amount_minor=900,
            day=self.clock.now().date(),
            document="Invoice 7",
            document_sha256=None,
        )
        once, twice = [await self.act(staff, costs.book_cost, cost=cost, **given) for _ in range(2)]
        assert once["id"] != twice["id"]
        reason = {"reason": "booked twice"}
        await self.act(staff, costs.reverse_cost, entry_id=twice["id"], **reason, **given)

    async def pay_out(self, driver: Person) -> None:
        """One payout is settled, and what was earned since is on its way."""
        ada, bo = [await make_member(self.owner, Role.STAFF, now=self.clock.now()) for _ in "ab"]
        async with self.database.transaction() as tx:
            await register_bank_account(
                tx,
                member_id=driver.id,
                holder_name="Bo",
                typed_iban=some_iban(1),
                hold_days=0,
                now=self.clock.now(),
            )
        everyone = StatusReport(None, (), Verdict(Outcome.SETTLED))
        for number in range(2):
            now = self.clock.now()
            async with self.database.transaction() as tx:
                batch_id = await batches.prepare_batch(
                    tx, until=None, least_minor=1, prepared_by=ada.id, now=now
                )
                await batches.release_batch(tx, batch_id=batch_id, released_by=bo.id, now=now)
                if number == 0:
                    await paying.keep_file(
                        tx, batch_id=batch_id, content=b"<a/>", drawn_by=bo.id, now=now
                    )
                    await paying.import_report(
                        tx, batch_id=batch_id, report=everyone, imported_by=bo.id, now=now
                    )
            if number == 0:
                await earn(self.owner, driver, 700, self.clock)
                self.clock.pass_time(1)

    async def vote_openly(self) -> None:
        # Its weeks pass on a clock of its own: the rides stay where they are.
        story = Story(self.owner, self.database, StandingClock(self.clock.now()))
        ada, bo, cem = await seat(self.owner, "Ada", "Bo", "Cem")
        await story.lend(ada, bo)
        proposal = await story.open_text()
        await story.cast(proposal, bo, "yes")
        await story.cast(proposal, cem, "no")
        await story.count(proposal)


def a_round(ride_id: UUID, driver_id: UUID) -> tuple[bytes, dict[str, Any]]:
    """A round of one rider and one driver, a minute apart, as it is stored; and why."""
    asked = problem([ride_id], [driver_id], weights=Weights(age_credit=0.0))
    edges = candidates([[60.0]])
    result = solve(asked, edges, limits=Limits(), seed=1)
    why = explanation(
        result.pairings[0],
        result,
        riders=1,
        drivers=1,
        is_estimate=False,
        weights=asked.weights,
        policies={"offer_time_s": Policy(version_id=new_id(), value=15)},
    )
    return pack(asked, edges, result, limits=Limits()), why


@pytest.fixture
async def town(database: Database, owner: asyncpg.Connection, clock: StandingClock) -> Town:
    """One ride completed, one cancelled after its driver withdrew, one under way, one waiting.

    And a cost that was booked twice, and once taken back; a member on the register; a vote by name.
    """
    town = Town(database, owner, clock)
    drivers = [await make_driver(owner, now=clock.now()) for _ in range(3)]
    riders = [await make_member(owner, now=clock.now()) for _ in range(4)]
    done, off, going, _ = [await town.request(rider) for rider in riders]
    await town.accept(drivers[0], done)
    for step in (rides.arrive, rides.start, endings.complete):
        await town.act(drivers[0], step, ride_id=done, driver_id=drivers[0].id)
    await town.accept(drivers[1], off)
    await town.act(
        drivers[1], rides.withdraw, ride_id=off, driver_id=drivers[1].id, reason="flat", search_s=60
    )
    await town.act(
        riders[1],
        endings.cancel,
        ride_id=off,
        party=Party.RIDER,
        member_id=riders[1].id,
        reason="walked",
    )
    await town.accept(drivers[2], going)
    await town.act(drivers[2], rides.arrive, ride_id=going, driver_id=drivers[2].id)
    await town.pay_twice_for_servers()
    await make_voter(owner, House.RIDERS, now=clock.now())
    await town.pay_out(drivers[0])
    await town.vote_openly()
    await care_after(
        database,
        ride_id=done,
        rider=riders[0],
        driver=drivers[0],
        staff_id=(await make_member(owner, Role.STAFF, now=clock.now())).id,
        open_ride_id=going,
        booker=riders[2],
        now=clock.now(),
    )
    return town


async def audit_after(owner: asyncpg.Connection, *faults: str) -> AuditReport:
    """What the audit finds after faults that only the owner of the tables could make."""
    transaction = owner.transaction(isolation="repeatable_read")
    await transaction.start()
    try:
        # A replica's session passes foreign keys and the guards of the books.
        await owner.execute("set local session_replication_role = replica")
        for fault in faults:
            assert await owner.execute(fault) not in {"UPDATE 0", "DELETE 0", "INSERT 0 0"}
        return await audit(owner)
    finally:
        await transaction.rollback()


async def test_a_clean_city_keeps_every_promise_and_everything_was_looked_at(town: Town) -> None:
    report = await audit(town.owner)
    assert report.first_violation is None
    assert report.violations == 0
    # Secret votes are looked at where some were held: tests of the elections' room.
    # Gifts and guarantees where there were some: tests of solidarity's room.
    # Closed periods and seals likewise: tests of the surplus's room and of the ledger's.
    assert {check.name for check in report.checks if not check.counted} == {
        RECOUNT,
        surplus.RECOUNT,
        seals.RECOUNT,
        *NEEDS_CIRCLES,
        "seals follow each other",
        *NOTHING_TO_LOOK_AT,
        *NOBODY_TELEPHONED,
        *NOBODY_ERASED,
    }


async def test_an_audit_needs_no_more_than_the_right_to_read(town: Town) -> None:
    async with town.database.reading() as reader:
        report = await audit(reader.connection)
    assert report.violations == 0


async def test_the_metric_shows_what_the_last_audit_found(town: Town) -> None:
    await audit_after(town.owner, "update balance set posted_minor = posted_minor + 1")
    shown = metrics.INVARIANT_VIOLATIONS._value.get()
    assert shown > 0
    await audit(town.owner)
    assert metrics.INVARIANT_VIOLATIONS._value.get() == 0


GOING = "(select driver_id from ride where state = 'arrived')"
DONE = "(select id from ride where state = 'completed')"
NEEDS_CIRCLES = {
    "the fund's payments are booked",
    "the fund's journals are explained",
    "gifts keep waiting time and duration",
    "people confirmed who is given to",
    "contributions are as voted",
    "guarantees keep their cap",
}
IN_A_CIRCLE = (
    "insert into circle_membership (id, circle_id, member_id, tier_minor, joined_at)"
    " select gen_random_uuid(), gen_random_uuid(), id, 50000, now() from member limit 1"
)


def sick_leave(*, waiting_days: int) -> str:
    """An illness that was confirmed by nobody."""
    return (
        "insert into sick_leave (id, membership_id, began_on, reported_at, waiting_days,"
        " longest_months, confirmed_at) select gen_random_uuid(), id, '2026-05-22',"
        f" '2026-05-23Z', {waiting_days}, 24, now() from circle_membership"
    )


FAULTS: dict[str, tuple[str, ...]] = {
    "seals follow each other": (
        "insert into seal_epoch values (1, 'here', 0, now())",
        (
            "insert into seal select 2, 1, 0, 1, 1, hash, hash, sha256('2'), hash, hash || hash,"
            " now() from sha256('1') as hash"
        ),
    ),
    "salts keep their guard": (
        "alter table journal_salt disable trigger journal_salt_is_never_emptied",
    ),
    "no driver has two open rides unless shared": (
        "drop index one_open_solo_ride_per_driver",
        f"update ride set state = 'assigned', driver_id = {GOING} where state = 'requested'",
    ),
    "no car is too full": (
        "alter table ride disable trigger cars_keep_within_their_seats",
        "update ride set seats = 5 where state = 'arrived'",
    ),
    "wheelchairs ride in cars that take them": (
        "update quote set with_wheelchair = true, plain_fare_minor = fare_minor",
    ),
    "cars keep their guard": ("drop trigger cars_keep_within_their_seats on ride",),
    "sharing never costs more than riding alone": (
        "alter table quote drop constraint a_shared_fare_is_never_above_alone",
        (
            "update quote set is_shared = true, solo_fare_minor = fare_minor - 1, max_wait_s = 600,"
            " max_delay_s = 600"
        ),
    ),
    "no rider has two open rides": (
        "drop index one_open_ride_per_rider",
        (
            "update ride set rider_id = (select rider_id from ride where state = 'arrived')"
            " where state = 'requested'"
        ),
    ),
    "one accepted offer begins one assignment": (
        f"update offer set driver_id = {GOING} where ride_id = {DONE}",
    ),
    "unique indexes stand": ("drop index one_open_offer_per_ride",),
    "constraints stand": ("alter table balance drop constraint never_below_the_limit",),
    "each quote is booked once": (
        "alter table ride drop constraint a_quote_is_booked_once",
        (
            "update ride set quote_id = (select quote_id from ride where state = 'completed')"
            " where state = 'cancelled'"
        ),
    ),
    "no rider is booked twice for one time": (
        (
            "update ride set state = case state when 'requested' then 'scheduled' else state end,"
            " rider_id = (select rider_id from ride where state = 'arrived'),"
            " pickup_from = '2026-05-22 18:00+00', pickup_until = '2026-05-22 18:10+00'"
            " where state in ('requested', 'arrived')"
        ),
    ),
    "each answered command acted once": (
        (
            "insert into idempotency_key (actor_id, key, fingerprint, status, body, created_at)"
            " select actor_id, key || '-again', fingerprint, status, body, created_at"
            " from idempotency_key where body->>'state' = 'completed'"
        ),
    ),
    "streams have no gaps": (f"delete from event_log where stream_id <> {DONE} and seq = 2",),
    "rides follow the table of steps": (
        f"delete from event_log where stream_id = {DONE} and type = 'ride.started'",
        f"update event_log set seq = seq - 1 where stream_id = {DONE} and seq = 5",
        f"update event_stream set last_seq = 4 where stream_id = {DONE}",
        "delete from idempotency_key",
    ),
    "each journal has a transfer": ("delete from transfer",),
    "each transfer balances": ("update transfer set currency = 'EUR'",),
    "balances are the sum of transfers": ("update balance set posted_minor = posted_minor + 1",),
    "held money is the sum of open holds": (
        "update balance set held_minor = 0 where held_minor > 0",
    ),
    "no account is below its limit": (
        "alter table balance drop constraint never_below_the_limit",
        "update balance set lowest_minor = posted_minor + 1",
    ),
    "holds end as booked": (
        "update hold_end set outcome = 'expired', journal_id = null where outcome = 'posted'",
    ),
    "roll-ups are the sum of transfers": (
        "insert into journal_horizon select max(id) from journal",
        (
            "insert into account_rollup select id, (select max(id) from journal), 0, 1"
            " from account where kind = 'commission_income'"
        ),
    ),
    "closed periods stay closed": ("insert into period_lock values (now(), 0, null, now())",),
    "corrections have a reason": ("update cost_entry set reason = null where reason is not null",),
    "the statutory reserve is indivisible": (
        (
            "update transfer set debit_id = (select id from account"
            " where kind = 'statutory_reserve') where (journal_id, line) ="
            " (select journal_id, line from transfer limit 1)"
        ),
    ),
    "the ledger keeps its guard": ("drop trigger the_reserve_is_indivisible on transfer",),
    "holds of closed rides have ended": (
        "delete from hold_end where journal_id is null",
        (
            "update balance set held_minor = held_minor + (select h.amount_minor from hold h"
            "  join ride r on r.hold_id = h.id where r.state = 'cancelled')"
            " where account_id = (select h.account_id from hold h"
            "  join ride r on r.hold_id = h.id where r.state = 'cancelled')"
        ),
    ),
    "open rides hold their fare": (
        (
            "update hold set amount_minor = amount_minor + 1"
            " where id = (select hold_id from ride where state = 'arrived')"
        ),
    ),
    "costs have a purpose and a document": ("delete from cost_entry where reason is null",),
    "reversals mirror what they reverse": (
        (
            "update transfer set amount_minor = amount_minor + 1"
            " where journal_id = (select id from journal where reverses is not null)"
        ),
    ),
    "shares are paid in as asked": ("update membership set shares_minor = shares_minor + 1",),
    "shares are booked as such": (
        "update journal set subject_id = uuidv7() where kind = 'member_share'",
    ),
    "nobody is on the register twice": (
        "drop index one_open_membership_per_member",
        (
            "insert into membership (id, member_id, house, shares_minor, applied_at,"
            " shares_paid_at, admitted_at, admitted_by, last_active_at)"
            " select uuidv7(), member_id, 'drivers', shares_minor, applied_at, shares_paid_at,"
            " admitted_at + interval '1 day', admitted_by, last_active_at from membership"
        ),
    ),
    "the register keeps its guard": (
        "alter table membership disable trigger membership_keeps_its_history",
    ),
    "members were admitted by another": (
        "alter table membership drop constraint nobody_admits_themselves_as_member",
        "update membership set admitted_by = member_id",
    ),
    "open votes add up": ("update open_ballot set value = '\"no\"' where value = '\"yes\"'",),
    "open votes are cast in time": (
        "update open_ballot set cast_at = cast_at - interval '1 year'",
    ),
    "what is on its way is released": (
        "update payout set amount_minor = amount_minor + 1 where state = 'released'",
    ),
    "payouts are booked as paid": (
        "update payout set amount_minor = amount_minor + 1 where state = 'settled'",
    ),
    "payout journals are of payouts": (
        "update journal set subject_id = gen_random_uuid() where kind = 'payout'",
    ),
    "two people pay": (
        "alter table payout_batch drop constraint somebody_else_releases_a_batch",
        "update payout_batch set prepared_by = released_by",
    ),
    "files pay what was released": (
        "update payout_batch set released_at = null, released_by = null, execute_on = null",
    ),
    **AFTER_RIDE_FAULTS,
    **GUEST_FAULTS,
    **ERASURE_FAULTS,
    "statements leave nothing out": (
        (
            "update balance set posted_minor = posted_minor + 5 from account a"
            " where a.id = account_id and a.kind = 'driver'"
        ),
    ),
    "shares name their decision": (
        "update policy_version set value = '1400'::jsonb where key = 'commission_bp'",
    ),
    "payouts keep their guard": ("alter table payout disable trigger payout_is_never_deleted",),
    "payments are booked as paid": (
        "update payment set captured_minor = 1 where state = 'wanted'",
    ),
    "rides are paid as settled": (
        "update payment set amount_minor = amount_minor + 1 where state = 'on_account'",
    ),
    "cash owed is limited": (
        (
            "update balance set lowest_minor = -20001 where account_id in"
            " (select id from account where kind = 'driver')"
        ),
    ),
    "invoices add up": (
        (
            "insert into invoice (id, number, client_id, month, total_minor, due_on, issued_by,"
            " issued_at) select uuidv7(), 2, id, '2026-05-01', 100, '2026-07-01', id, now()"
            " from member limit 1"
        ),
    ),
    "no card number is stored": (
        "alter table payment_method drop constraint tokens_are_no_card_numbers",
        (
            "insert into payment_method (id, member_id, provider, token, label, is_default,"
            " added_at) select uuidv7(), id, 'local', '4242424242424242', 'card', false, now()"
            " from member limit 1"
        ),
    ),
    "payments keep their guard": ("alter table payment disable trigger payment_keeps_its_history",),
    **RECIPROCITY_FAULTS,
    "books are append-only": ("alter table transfer disable trigger transfer_is_append_only",),
    "the program cannot edit the books": ("grant update on transfer to meent_app",),
    "votes keep their guard": ("alter table election disable trigger terms_are_frozen",),
    "functions read the books alone": ("alter function database_now() set search_path = public",),
    "each completed ride is paid once": (
        "delete from journal",
        "delete from cost_entry",
        "delete from transfer",
        "update balance set posted_minor = 0",
    ),
    "fares are of completed rides": (
        "update journal set subject_id = (select id from ride where state = 'cancelled')",
    ),
    "each ride is settled once": ("delete from ride_settlement",),
    "fares are booked as settled": (
        "alter table ride_settlement disable trigger user",
        (
            "update ride_settlement set fare_minor = fare_minor + 1,"
            " driver_net_minor = driver_net_minor + 1"
        ),
    ),
    "fares are settled as quoted": (
        "alter table quote drop constraint a_fare_is_split_to_the_cent",
        (
            f"update quote set fare_minor = fare_minor + 1"
            f" where id = (select quote_id from ride where id = {DONE})"
        ),
    ),
    "fares name their quote's policy": (
        (
            "update journal set policy_version_id ="
            " (select id from policy_version where key = 'offer_time_s')"
        ),
    ),
    "quotes use the policy in force": (
        (
            "update quote set policy_version_id ="
            " (select id from policy_version where key = 'offer_time_s')"
        ),
    ),
    "surge keeps to the voted cap": ("update quote set surge_bp = 15000, surge_cap_bp = 20000",),
    "a wheelchair costs nothing": (
        "alter table quote drop constraint a_wheelchair_costs_nothing",
        "update quote set with_wheelchair = true, plain_fare_minor = fare_minor - 1",
    ),
    "two people set prices": (
        "update tariff_version set effective_from = effective_from + interval '1 day'",
    ),
    "riders accepted changed prices": ("update quote set changes_quote_id = id",),
    "tariffs and changes keep their guard": (
        "alter table ride_change disable trigger ride_change_keeps_its_history",
    ),
    "the fund is never overdrawn": (
        "update journal set idem_scope = 'sick_gift' where idem_scope = 'test'",
    ),
    "the fund's payments are booked": (
        IN_A_CIRCLE,
        (
            "insert into solidarity_contribution (membership_id, month, rate_bp, due_minor,"
            " paid_minor, journal_id, taken_at)"
            " select id, '2026-06-01', 450, 9, 9, 0, now() from circle_membership"
        ),
    ),
    "the fund's journals are explained": (
        "update journal set idem_scope = 'bad_debt' where idem_scope = 'test'",
    ),
    "gifts keep waiting time and duration": (IN_A_CIRCLE, sick_leave(waiting_days=3)),
    "people confirmed who is given to": (IN_A_CIRCLE, sick_leave(waiting_days=30)),
    "contributions are as voted": (
        "insert into solidarity_month values ('2026-06-01', 7, 7, 7, 0, 0, now())",
    ),
    "guarantees keep their cap": (
        (
            "insert into guarantee (payment_id, ride_id, rider_id, payment_minor, cap_minor,"
            " policy_version_id, covered_minor, taken_over_at)"
            " select gen_random_uuid(), id, rider_id, 900, 900, gen_random_uuid(), 0, now()"
            " from ride limit 1"
        ),
    ),
    "circles keep their guard": ("drop trigger circle_keeps_its_history on circle",),
    "policies were decided": (
        (
            "insert into policy_version (id, key, value, effective_from, source)"
            " select gen_random_uuid(), 'commission_bp', '1', now(), 'founding'"
        ),
    ),
}


def test_every_invariant_has_a_fault_that_breaks_it() -> None:
    assert set(FAULTS) == {invariant.name for invariant in invariants.ALL}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_planted_violation_is_named_by(town: Town, name: str) -> None:
    report = await audit_after(town.owner, *FAULTS[name])
    broken = {check.name: check for check in report.checks if check.violations}
    assert name in broken
    assert broken[name].first
    assert report.first_violation is not None
    assert (await audit(town.owner)).violations == 0


async def test_a_stored_round_that_was_spoilt_is_named(town: Town) -> None:
    report = await audit_after(town.owner, "update dispatch_input set record = 'x'")

    [check] = [check for check in report.checks if check.violations]
    assert (check.name, check.promise, check.violations) == (REPLAY, "G9", check.counted)
    assert "cannot be read" in str(check.first)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("update dispatch_tick set objective_ds = 500", "costs 600 ds when decided again, not 500"),
        ("update offer set explanation = '{}'", "explains only 0 of its 1 offers"),
        (
            f"update offer set ride_id = {DONE} where ride_id <> {DONE}",
            "made an offer that was not decided",
        ),
    ],
)
async def test_a_round_that_does_not_replay_to_the_same_result_is_named(
    town: Town, fault: str, words: str
) -> None:
    report = await audit_after(town.owner, fault)

    [check] = [check for check in report.checks if check.name == REPLAY]
    assert words in str(check.first)


async def test_an_enforced_share_without_a_vote_is_found_even_where_the_sums_agree(
    town: Town,
) -> None:
    report = await audit_after(
        town.owner,
        "update quote set commission_bp = 10000, commission_minor = fare_minor,"
        " driver_net_minor = 0",
    )
    assert "the members decided" in next(
        check.first for check in report.checks if check.name == "quotes use the policy in force"
    )


async def test_the_first_violation_says_what_in_plain_words(town: Town) -> None:
    report = await audit_after(town.owner, "update balance set posted_minor = posted_minor + 7")
    assert report.first_violation.startswith("G5 balances are the sum of transfers: account ")
    assert "but its transfers add up to" in report.first_violation
