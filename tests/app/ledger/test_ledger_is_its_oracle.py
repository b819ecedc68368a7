"""Whatever riders, drivers and the weather do, the books say what a plain dict says.

A failure prints the number to run again: MEENT_LEDGER_SEED; MEENT_LEDGER_EXAMPLES runs longer.
"""

import asyncio
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.foundation.database import Transaction
from app.foundation.ids import new_id
from app.ledger import correction_queries, corrections, periods, statements
from app.ledger import service as ledger
from app.ledger.accounts import HOUSE_KINDS, AccountKind, JournalKind
from app.ledger.postings import Recipe, TransferLine
from tests.app.ledger.oracle import Lines, Oracle
from tests.app.ledger.program import Program, Step, outcome
from tests.conftest import FRIDAY_EVENING

SEED = int(os.environ.get("MEENT_LEDGER_SEED", "20260522"))
EXAMPLES = int(os.environ.get("MEENT_LEDGER_EXAMPLES", "50"))
STEPS = 30
CREDIT_MINOR = 3_000  # as low as a rider's account may fall

amounts = st.integers(1, 2_000)
picks = st.integers(0, 10**6)
# Where the connection is lost: before the commit, or between it and the reply.
losses = st.sampled_from((None, None, "before", "after"))
# Many steps of a minute, some back, and now and then days.
jumps_s = st.sampled_from((60, 60, 60, 3_600, 86_400, 10 * 86_400, -60, -7_200))


class BooksAndOracle(RuleBasedStateMachine):
    """Every rule does one thing to the books and the same to the oracle."""

    program: Program
    ends = FRIDAY_EVENING  # of the example before: its closed periods stay closed, far behind

    @initialize()
    def open_books(self) -> None:
        cls = type(self)
        self.now = cls.ends + timedelta(days=30)
        self.ids: dict[str, UUID] = {}
        for name in ("rider a", "rider b", "driver a", "driver b"):
            self.ids[name] = self.program.run(self._open(name.split()[0]))
        house = self.program.run(statements.house_balances(Transaction(self.program.connection)))
        rows = self.program.run(
            self.program.owner.fetch("select kind, id from account where member_id is null")
        )
        self.ids |= {row["kind"]: row["id"] for row in rows}
        assert house.keys() == set(HOUSE_KINDS)
        self.before = house
        self.oracle = Oracle(
            posted=dict.fromkeys(self.ids, 0) | house,
            lowest={"rider a": -CREDIT_MINOR, "rider b": -CREDIT_MINOR, "driver a": 0}
            | {"driver b": 0},
        )
        self.holds: list[UUID] = []
        self.numbers: list[int] = []  # the database's number of each of the oracle's journals
        self.commands: list[tuple[Step, Callable[[], Any]]] = []

    async def _open(self, kind: str) -> UUID:
        owner, member_id = self.program.owner, new_id()
        await owner.execute(
            "insert into member (id, phone, name, language, joined_at)"
            " values ($1, $2, 'Ada', 'en', $3)",
            member_id,
            f"+4237{str(member_id.int)[-7:]}",
            self.now,
        )
        tx = Transaction(self.program.connection)
        if kind == "driver":
            return await ledger.open_driver_account(tx, member_id=member_id, now=self.now)
        return await ledger.open_rider_account(
            tx, member_id=member_id, now=self.now, lowest_minor=-CREDIT_MINOR
        )

    # -- what is done ------------------------------------------------------------------------

    @rule(
        rider=st.sampled_from("ab"),
        minor=amounts,
        for_s=st.sampled_from((None, 600, 90_000)),
        # Of a commit that nobody heard of, the command's own key tells; the books have none here.
        lost=st.sampled_from((None, None, "before")),
    )
    def hold(self, rider: str, minor: int, for_s: int | None, lost: str | None) -> None:
        hold_id, account, now = new_id(), f"rider {rider}", self.now
        expires_at = None if for_s is None else now + timedelta(seconds=for_s)

        async def step(tx: Transaction) -> None:
            member_id = await tx.value(
                "select member_id from account where id = $1", self.ids[account]
            )
            await ledger.hold_fare(
                tx,
                hold_id=hold_id,
                rider_id=member_id,
                fare_minor=minor,
                now=now,
                expires_at=expires_at,
            )

        if self._both(
            step, lambda: self.oracle.hold(str(hold_id), account, minor, expires_at), lost=lost
        ):
            self.holds.append(hold_id)

    @precondition(lambda self: self.holds)
    @rule(
        pick=picks,
        driver=st.sampled_from("ab"),
        minor=amounts,
        whole=st.booleans(),
        share_bp=st.sampled_from((0, 1_500, 10_000)),
        tax_bp=st.sampled_from((0, 0, 800)),
        kind=st.sampled_from((JournalKind.RIDE_FARE, JournalKind.RIDE_FARE, JournalKind.RIDE_FEE)),
        lost=losses,
    )
    def capture(
        self,
        *,
        pick: int,
        driver: str,
        minor: int,
        whole: bool,
        share_bp: int,
        tax_bp: int,
        kind: JournalKind,
        lost: str | None,
    ) -> None:
        """A ride ends, driven or not: what was held is taken, a part, or more; or was before."""
        hold_id = self.holds[pick % len(self.holds)]
        hold = self.oracle.holds[str(hold_id)]
        fare = hold.amount if whole else minor
        lines: Lines = ((hold.account, f"driver {driver}", fare),)
        if commission := fare * share_bp // 10_000:
            lines += ((f"driver {driver}", AccountKind.COMMISSION_INCOME, commission),)
        if tax := (fare - commission) * tax_bp // 10_000:
            lines += ((f"driver {driver}", AccountKind.PASS_THROUGH, tax),)
        self._post(kind, lines, captured=hold_id, lost=lost)

    @precondition(lambda self: self.holds)
    @rule(pick=picks, lost=losses)
    def cancel(self, pick: int, lost: str | None) -> None:
        hold_id, now = self.holds[pick % len(self.holds)], self.now
        self._both(
            lambda tx: ledger.release_fare(tx, hold_id=hold_id, now=now),
            lambda: self.oracle.void(str(hold_id)),
            lost=lost,
        )

    @rule()
    def sweep(self) -> None:
        ended = self.program.commit(lambda tx: ledger.expire_holds(tx, now=self.now))
        assert {str(hold_id) for hold_id in ended} == self.oracle.expire(self.now)

    @rule(
        rider=st.sampled_from("ab"),
        driver=st.sampled_from("ab"),
        minor=amounts,
        late_s=st.sampled_from((0, 0, 3_600, 5 * 86_400)),
    )
    def tip(self, rider: str, driver: str, minor: int, late_s: int) -> None:
        """Money without a hold, sometimes booked late, perhaps into what is closed."""
        at = self.now - timedelta(seconds=late_s)
        self._post(JournalKind.TIP, ((f"rider {rider}", f"driver {driver}", minor),), at=at)

    @rule(
        driver=st.sampled_from("ab"),
        minor=amounts,
        lost=losses,
    )
    def pay_out(self, driver: str, minor: int, lost: str | None) -> None:
        lines = ((f"driver {driver}", AccountKind.PAYOUT_CLEARING, minor),)
        self._post(JournalKind.PAYOUT, lines, lost=lost)

    @rule(
        rider=st.sampled_from("ab"),
        driver=st.sampled_from("ab"),
        minor=amounts,
        late_s=st.sampled_from((0, 0, 5 * 86_400)),
        lost=losses,
    )
    def refund(self, *, rider: str, driver: str, minor: int, late_s: int, lost: str | None) -> None:
        """A part of a fare goes back, with a reason."""
        lines = ((f"driver {driver}", f"rider {rider}", minor),)
        at = self.now - timedelta(seconds=late_s)
        self._post(JournalKind.ADJUSTMENT, lines, at=at, lost=lost)

    @precondition(lambda self: self.numbers)
    @rule(pick=picks, reason=st.sampled_from(("not driven", "booked twice")), lost=losses)
    def take_back(self, pick: int, reason: str, lost: str | None) -> None:
        undone, now = pick % len(self.numbers), self.now
        number = self.numbers[undone]
        self._both(
            lambda tx: corrections.reverse_journal(
                tx, journal_id=number, reason=reason, decided_by=None, now=now
            ),
            lambda: self.oracle.reverse(undone, reason, now),
            lost=lost,
        )

    @precondition(lambda self: self.commands)
    @rule(pick=picks)
    def repeat(self, pick: int) -> None:
        """The same command under the same key once more, however long ago it was."""
        self._both(*self.commands[pick % len(self.commands)])

    @rule(days=st.sampled_from((-3, -1, 0, 1)), lost=losses)
    def close_period(self, days: int, lost: str | None) -> None:
        until, now = self.now + timedelta(days=days), self.now
        self._both(
            lambda tx: periods.lock_period(tx, until=until, locked_by=None, now=now),
            lambda: self.oracle.close(until, now),
            lost=lost,
        )

    @rule()
    def roll_up(self) -> None:
        self.program.commit(lambda tx: correction_queries.roll_up(tx, least_lines=1))

    @rule(seconds=jumps_s)
    def pass_time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    # -- how it is done twice ----------------------------------------------------------------

    def _post(
        self,
        kind: JournalKind,
        lines: Lines,
        *,
        at: datetime | None = None,
        captured: UUID | None = None,
        lost: str | None = None,
    ) -> None:
        key, subject, moment = str(new_id()), new_id(), at or self.now
        names = tuple(TransferLine(self.ids[x], self.ids[y], minor) for x, y, minor in lines)

        async def step(tx: Transaction) -> int:
            booked: dict[str, Any] = {"scope": "oracle", "key": key, "subject_id": subject}
            if kind is JournalKind.ADJUSTMENT:
                return await corrections.post_adjustment(
                    tx, Recipe(kind, names), **booked, reason="late", decided_by=None, now=moment
                )
            return await ledger.post(
                tx, Recipe(kind, names), **booked, now=moment, hold_id=captured
            )

        hold = None if captured is None else str(captured)
        command = (step, lambda: self.oracle.post(key, lines, moment, hold))
        other = (
            lambda tx: ledger.post(
                tx,
                Recipe(kind, (TransferLine(names[0].debit_id, names[0].credit_id, 2_001),)),
                scope="oracle",
                key=key,
                subject_id=subject,
                now=moment,
            ),
            lambda: self.oracle.post(key, ((lines[0][0], lines[0][1], 2_001),), moment),
        )
        if self._both(*command, lost=lost):
            self.commands += [command, other]

    def _both(self, step: Step, same: Callable[[], Any], *, lost: str | None = None) -> bool:
        """Do it to both; both do it or both refuse it alike. Return whether it was done."""
        if lost == "before":
            self.program.fail_before_commit(step)
            self.program.run(self._compare())
        is_done = self._once(step, same)
        if lost == "after":  # It was committed, and nobody heard of it: the client asks again.
            self.program.reconnect()
            self._once(step, same)
        return is_done

    def _once(self, step: Step, same: Callable[[], Any]) -> bool:
        expected, expected_refusal = outcome(same)
        number, refusal = outcome(lambda: self.program.commit(step))
        assert refusal == expected_refusal
        if isinstance(expected, int):
            if expected == len(self.numbers):
                assert number not in self.numbers
                self.numbers.append(number)
            assert self.numbers[expected] == number
        return refusal is None

    # -- what must be true after every step --------------------------------------------------

    def check_invariants(self, *args: Any, **kwargs: Any) -> None:
        super().check_invariants(*args, **kwargs)
        if hasattr(self, "commands"):
            self.program.run(self._compare())

    async def _compare(self) -> None:
        connection = self.program.connection
        members = {self.ids[name]: name for name in self.oracle.lowest}
        rows = await connection.fetch(
            "select b.account_id, b.posted_minor, b.held_minor, coalesce((select sum(case when"
            " t.credit_id = b.account_id then amount_minor else -amount_minor end) from transfer t"
            " where b.account_id in (t.debit_id, t.credit_id)), 0) as moved"
            " from balance b where b.account_id = any($1)",
            list(members),
        )
        house = await statements.house_balances(Transaction(connection))
        assert {members[row["account_id"]]: row["posted_minor"] for row in rows} == {
            name: self.oracle.posted[name] for name in members.values()
        }
        assert {members[row["account_id"]]: row["held_minor"] for row in rows} == {
            name: self.oracle.held.get(name, 0) for name in members.values()
        }
        assert all(row["moved"] == row["posted_minor"] for row in rows)
        assert house == {kind: self.oracle.posted[kind] for kind in HOUSE_KINDS}
        earned = sum(row["posted_minor"] for row in rows)
        assert earned + sum(house.values()) - sum(self.before.values()) == 0
        ends = await connection.fetch(
            "select hold_id, outcome from hold_end where hold_id = any($1)", self.holds
        )
        assert {str(row["hold_id"]): row["outcome"] for row in ends} == {
            name: hold.ended_as for name, hold in self.oracle.holds.items() if hold.ended_as
        }

    def teardown(self) -> None:
        if not hasattr(self, "commands"):
            return
        # Nothing of this example is left open for a sweep of the next.
        self.program.run(
            self.program.owner.execute(
                "select void_hold(id, $2) from hold h where account_id = any($1)"
                " and not exists (select from hold_end where hold_id = h.id)",
                [self.ids[name] for name in self.oracle.lowest],
                self.now,
            )
        )
        cls = type(self)
        cls.ends = max(self.now, cls.ends)
        self.program.run(self._compare_as_of(self.now - timedelta(days=1)))

    async def _compare_as_of(self, moment: datetime) -> None:
        """A statement opens and closes with what the oracle says of these moments."""
        reader = Transaction(self.program.connection)
        known_at = await reader.value("select clock_timestamp()")
        for name in self.oracle.lowest:
            statement = await statements.read_statement(
                reader,
                account_id=self.ids[name],
                since=moment,
                until=self.now,
                known_at=known_at,
                limit=1_000,
            )
            assert statement.opening_minor == self.oracle.balance(name, moment)
            assert statement.closing_minor == self.oracle.balance(name, self.now)
            moved = sum(line.amount_minor for line in statement.lines)
            assert moved == statement.closing_minor - statement.opening_minor


async def test_the_books_say_what_a_plain_dict_says(dsn: str, owner: asyncpg.Connection) -> None:
    def play() -> None:
        program = Program(dsn)

        class Machine(BooksAndOracle):
            pass

        Machine.program = program
        try:
            run_state_machine_as_test(
                seed(SEED)(Machine),
                settings=settings(
                    max_examples=EXAMPLES,
                    stateful_step_count=STEPS,
                    deadline=None,
                    database=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except BaseException as failure:
            failure.add_note(f"MEENT_LEDGER_SEED={SEED} shows it again")
            raise
        finally:
            program.close()

    await asyncio.to_thread(play)
    assert await owner.fetchval("select count(*) from journal") > EXAMPLES
