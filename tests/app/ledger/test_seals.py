"""The books are sealed beside their writing: none is missed, and what was changed is named."""

import asyncio
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.report import audit
from app.audit.seals import RECOUNT
from app.foundation import metrics
from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from app.ledger import seal_queries, seals
from app.ledger.seal_codes import show_journals
from app.ledger.seal_recount import SealsChecked, leaves_now, verify_seals
from app.ledger.seals import find_proof, keep_sealed, seal_block
from app.members.roles import Role
from governance.merkle import is_included
from governance.sealing import hidden_hash, journal_leaf, line_code
from tests.conftest import FRIDAY_EVENING
from tests.factories import Person, make_member

KEY = Ed25519PrivateKey.generate()
LATER = FRIDAY_EVENING + timedelta(minutes=1)

POST = (
    "select post_journal('test', $1::uuid::text, '', 'tip', $1, null, $2, array[r.id],"
    " array[d.id], array[$3::bigint], null) from account r, account d"
    " where r.member_id = $4 and r.kind = 'rider' and d.member_id = $5 and d.kind = 'driver'"
)
# Between accounts of the house, where nobody waits for anybody.
POST_IN_HOUSE = (
    "select post_journal('test', $1::uuid::text, '', 'tip', $1, null, $2, array[r.id],"
    " array[d.id], array[1::bigint], null) from account r, account d"
    " where r.kind = 'bank' and d.kind = 'other_income'"
)


class Books:
    """A rider who tips a driver again and again."""

    def __init__(self, owner: asyncpg.Connection, rider: Person, driver: Person) -> None:
        self.owner, self.rider, self.driver = owner, rider, driver

    async def tip(self, amount_minor: int = 100) -> int:
        posted: int = await self.owner.fetchval(
            POST, new_id(), FRIDAY_EVENING, amount_minor, self.rider.id, self.driver.id
        )
        return posted

    async def in_house(self, on: asyncpg.Connection) -> int:
        posted: int = await on.fetchval(POST_IN_HOUSE, new_id(), FRIDAY_EVENING)
        return posted

    async def as_no_guard(self, statement: str, *args: Any) -> None:
        """What whoever owns the machine can do: change rows behind every guard."""
        await self.owner.execute("set session_replication_role = replica")
        await self.owner.execute(statement, *args)
        await self.owner.execute("set session_replication_role = origin")


@pytest.fixture
async def books(owner: asyncpg.Connection, database: Database) -> Books:
    rider = await make_member(owner, now=FRIDAY_EVENING)
    driver = await make_member(owner, Role.RIDER, Role.DRIVER, now=FRIDAY_EVENING)
    await owner.execute("update balance set lowest_minor = -1000000000000")
    return Books(owner, rider, driver)


async def seal(database: Database, *, most: int = 2_000) -> list[int]:
    """Seal all that can be, and return the sizes of the blocks."""
    sizes = []
    while size := await seal_block(database, key=KEY, now=LATER, most=most):
        sizes.append(size)
    return sizes


async def checked(owner: asyncpg.Connection) -> SealsChecked:
    return await verify_seals(Transaction(owner))


async def test_every_journal_is_sealed_once_and_what_was_there_before_comes_first(
    books: Books, database: Database, owner: asyncpg.Connection
) -> None:
    before = [await books.tip() for _ in range(5)]
    first = await seal(database, most=3)
    after = [await books.tip() for _ in range(4)]
    second = await seal(database, most=3)

    assert (first, second) == ([3, 2], [3, 1])
    sealed = await owner.fetch("select journal_id from seal_leaf order by height, position")
    assert [row["journal_id"] for row in sealed] == before + after
    assert await checked(owner) == SealsChecked(4, ())


async def test_nothing_is_sealed_that_an_open_transaction_may_still_add_to(
    books: Books, database: Database, owner: asyncpg.Connection, dsn: str
) -> None:
    await books.tip()
    assert await seal(database) == [1]
    other = await asyncpg.connect(dsn)
    slow = other.transaction()
    await slow.start()
    early = await books.in_house(other)
    late = await books.tip()

    held_back = await seal(database)
    await slow.commit()
    afterwards = await seal(database)
    await other.close()

    assert (held_back, afterwards) == ([], [2])
    order = await owner.fetch("select journal_id from seal_leaf order by height, position")
    assert [row["journal_id"] for row in order][1:] == [early, late]
    assert (await checked(owner)).faults == ()


async def test_a_round_tells_how_long_the_oldest_unsealed_journal_waits(
    books: Books, database: Database, dsn: str, tmp_path: Path
) -> None:
    await books.tip()
    assert await keep_sealed(database, home=tmp_path, now=LATER) == 1
    assert metrics.SEAL_LAG_SECONDS._value.get() == 0
    other = await asyncpg.connect(dsn)
    slow = other.transaction()
    await slow.start()
    await books.in_house(other)
    await books.tip()
    await asyncio.sleep(0.05)

    assert await keep_sealed(database, home=tmp_path, now=LATER) == 0

    assert metrics.SEAL_LAG_SECONDS._value.get() >= 0.05
    await slow.rollback()
    await other.close()
    assert await keep_sealed(database, home=tmp_path, now=LATER) == 1
    assert metrics.SEAL_LAG_SECONDS._value.get() == 0


async def test_thirty_two_writers_and_two_sealers_miss_nothing_and_break_no_chain(
    books: Books, database: Database, owner: asyncpg.Connection, dsn: str
) -> None:
    dice = random.Random(7)
    done = asyncio.Event()

    async def write(seconds: float) -> int:
        """Post, now and then in a longer transaction, now and then one that is rolled back."""
        connection = await asyncpg.connect(dsn)
        end, posted = asyncio.get_running_loop().time() + seconds, 0
        while asyncio.get_running_loop().time() < end:
            many, stays = dice.randint(1, 3), dice.random() < 0.9
            held = connection.transaction()
            await held.start()
            for _ in range(many):
                await books.in_house(connection)
            await asyncio.sleep(dice.random() * 0.02)
            await (held.commit() if stays else held.rollback())
            posted += many * stays
        await connection.close()
        return posted

    async def sealer() -> None:
        while not done.is_set():
            await seal_block(database, key=KEY, now=LATER, most=50)
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        sealers = [group.create_task(sealer()) for _ in range(2)]
        async with asyncio.TaskGroup() as writing:
            writers = [writing.create_task(write(3.0)) for _ in range(32)]
        done.set()
    await seal(database)

    posted = sum(writer.result() for writer in writers)
    counts = await owner.fetchrow(
        "select (select count(*) from journal) as posted, (select count(*) from seal_leaf) as"
        " sealed, (select sum(size) from seal) as sizes, (select count(*) from seal) as blocks"
    )
    assert all(task.done() for task in sealers)
    assert posted > 100
    assert (counts["posted"], counts["sealed"], counts["sizes"]) == (posted, posted, posted)
    assert counts["blocks"] > 5
    assert await checked(owner) == SealsChecked(counts["blocks"], ())


CHANGES = {
    "an amount": "update transfer set amount_minor = amount_minor + 1 where journal_id = $1",
    "a moment": (
        "update journal set effective_at = effective_at + interval '1 second' where id = $1"
    ),
    "a subject": "update journal set subject_id = gen_random_uuid() where id = $1",
    "a side": (
        "update transfer set debit_id = credit_id, credit_id = debit_id where journal_id = $1"
    ),
    "a salt": "update journal_salt set salt = substr(sha256(salt), 1, 16) where journal_id = $1",
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_changed_row_is_named_with_its_block_and_no_other_is(
    books: Books, database: Database, owner: asyncpg.Connection, what: str
) -> None:
    numbers = [await books.tip() for _ in range(9)]
    await seal(database, most=3)

    await books.as_no_guard(CHANGES[what], numbers[4])

    block = f"block 2 (journals {numbers[3]} to {numbers[5]})"
    fault = f"{block}: journal {numbers[4]} was changed after it was sealed"
    assert (await checked(owner)).faults == (fault,)


async def test_a_journal_that_is_gone_is_named_with_its_block(
    books: Books, database: Database, owner: asyncpg.Connection
) -> None:
    numbers = [await books.tip() for _ in range(4)]
    await seal(database)
    await books.as_no_guard("delete from journal where id = $1", numbers[1])

    assert (await checked(owner)).faults == (
        f"block 1 (journals {numbers[0]} to {numbers[3]}): journal {numbers[1]} is gone",
    )


async def test_a_changed_row_whose_leaf_was_changed_too_still_names_its_block(
    books: Books, database: Database, owner: asyncpg.Connection
) -> None:
    numbers = [await books.tip() for _ in range(6)]
    await seal(database, most=3)
    await books.as_no_guard(
        "update transfer set amount_minor = 7 where journal_id = $1", numbers[4]
    )
    reader = Transaction(owner)
    rows = await seal_queries.list_sealed(reader, height=2)
    leaf = leaves_now(rows, await show_journals(reader, rows))[1]
    await books.as_no_guard(
        "update seal_leaf set leaf = $2 where journal_id = $1", numbers[4], leaf
    )

    assert (await checked(owner)).faults == ("block 2 was changed: its journals give another root",)


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("update seal set root = sha256(root) where height = 2", "block 2 is not signed"),
        ("update seal set hash = sha256(hash) where height = 2", "block 2 was changed: its head"),
        ("delete from seal where height = 2", "block 3 follows block 1"),
        (
            "update seal set signature = sha256(hash) || sha256(hash) where height = 3",
            "block 3 is not signed by its key",
        ),
        ("delete from seal_leaf where height = 3 and position = 1", "block 3 sealed 3 journals"),
    ],
)
async def test_a_forged_chain_is_named(
    books: Books, database: Database, owner: asyncpg.Connection, statement: str, fault: str
) -> None:
    for _ in range(9):
        await books.tip()
    await seal(database, most=3)

    await books.as_no_guard(statement)

    faults = (await checked(owner)).faults
    assert [one for one in faults if one.startswith(fault)]


async def test_a_journal_that_was_slipped_in_behind_the_seals_is_named(
    books: Books, database: Database, owner: asyncpg.Connection
) -> None:
    await books.tip()
    await seal(database)
    slipped, newest = await books.tip(), await books.tip()
    await seal(database)
    await books.as_no_guard("delete from seal_leaf where journal_id = $1", slipped)

    faults = (await checked(owner)).faults

    assert f"journal {slipped} is in no block" in faults
    assert f"journal {newest} is in no block" not in faults


async def test_a_proof_shows_a_journal_to_be_in_its_block(
    books: Books, database: Database, owner: asyncpg.Connection
) -> None:
    numbers = [await books.tip(200 + n) for n in range(7)]
    unsealed = await find_proof(Transaction(owner), journal_id=numbers[0])
    await seal(database)

    proof = await find_proof(Transaction(owner), journal_id=numbers[4])

    assert unsealed is None
    assert proof is not None
    assert is_included(proof.leaf, index=4, size=7, proof=proof.path, tree_root=proof.root)
    assert proof.salt is not None
    assert proof.hidden_part is not None
    hidden = hidden_hash(proof.hidden_part, salt=proof.salt)
    assert journal_leaf(proof.shown, hidden=hidden) == proof.leaf
    assert proof.shown["lines"][0][2] == 204
    for person in (books.rider, books.driver):
        assert str(person.id) not in str(proof.shown)


async def test_a_person_is_erased_from_the_seals_and_the_rest_still_verifies(
    books: Books, database: Database, owner: asyncpg.Connection
) -> None:
    number = await books.tip(100)
    await owner.execute(
        "select reverse_journal($1, 'not meant', $2, $3)", number, books.driver.id, FRIDAY_EVENING
    )
    await seal(database)
    before = await find_proof(Transaction(owner), journal_id=number)
    async with database.transaction() as tx:
        erased = await seals.erase_person(tx, member_id=books.rider.id)

    assert erased == 2
    proof = await find_proof(Transaction(owner), journal_id=number)
    assert proof is not None
    assert before is not None
    assert proof.shown == before.shown
    secrets = "select count(*) from account_secret s join account a on a.id = s.account_id"
    assert await owner.fetchval(f"{secrets} where a.member_id = $1", books.rider.id) == 0
    assert await owner.fetchval(f"{secrets} where a.member_id = $1", books.driver.id) == 1
    assert (proof.salt, proof.hidden_part) == (None, None)
    assert (await checked(owner)).faults == ()
    await books.as_no_guard("update transfer set amount_minor = 101 where journal_id = $1", number)
    assert f"journal {number} was changed" in (await checked(owner)).faults[0]


async def test_no_secret_goes_before_the_codes_it_made_are_kept(
    books: Books, database: Database, owner: asyncpg.Connection
) -> None:
    number = await books.tip(100)
    await owner.execute(
        "select reverse_journal($1, 'not meant', $2, $3)", number, books.driver.id, FRIDAY_EVENING
    )
    await seal(database)

    with pytest.raises(asyncpg.PostgresError, match="is not kept"):
        await owner.execute("select erase_salts($1)", books.rider.id)


async def test_a_later_journal_of_who_was_erased_gets_another_secret_and_all_comes_out(
    books: Books, database: Database, owner: asyncpg.Connection
) -> None:
    number = await books.tip(100)
    await owner.execute(
        "select reverse_journal($1, 'not meant', $2, $3)", number, books.driver.id, FRIDAY_EVENING
    )
    await seal(database)
    async with database.transaction() as tx:
        await seals.erase_person(tx, member_id=books.rider.id)
    await books.tip(200)
    await seal(database)

    assert (await checked(owner)).faults == ()


async def test_no_code_is_of_two_lines_and_only_the_owners_secret_makes_it(
    books: Books, database: Database, owner: asyncpg.Connection
) -> None:
    numbers = [await books.tip(100) for _ in range(5)]
    await seal(database)
    reader = Transaction(owner)
    shown = await show_journals(reader, await seal_queries.list_sealed(reader, height=1))
    [mine] = await seal_queries.list_secrets(reader, member_id=books.driver.id)
    [other] = await seal_queries.list_secrets(reader, member_id=books.rider.id)

    codes = [name for one in shown for line in one["lines"] for name in line[:2]]
    assert len({*codes}) == len(codes) == 10
    made, of_others = (
        [f"driver:{line_code(row['secret'], journal=number, line=1)}" for number in numbers]
        for row in (mine, other)
    )
    assert [one["lines"][0][1] for one in shown] == made
    assert not {*of_others} & {*codes}


async def test_nobody_is_erased_whose_money_still_stands_or_waits_for_its_seal(
    books: Books, database: Database, owner: asyncpg.Connection
) -> None:
    number = await books.tip(100)
    await seal(database)
    with pytest.raises(asyncpg.PostgresError, match="money still stands"):
        await owner.execute("select erase_salts($1)", books.rider.id)
    await owner.execute(
        "select reverse_journal($1, 'not meant', $2, $3)", number, books.driver.id, FRIDAY_EVENING
    )
    with pytest.raises(asyncpg.PostgresError, match="not sealed yet"):
        await owner.execute("select erase_salts($1)", books.rider.id)


@pytest.mark.parametrize(
    "statement",
    [
        "delete from journal_salt",
        "update journal_salt set salt = salt",
        "truncate journal_salt",
        "delete from seal",
        "update seal_leaf set position = 9",
        "delete from account_secret",
        "update account_secret set secret = sha256(secret)",
        "truncate line_code",
        "truncate seal_epoch cascade",
    ],
)
async def test_not_even_the_owner_of_the_tables_edits_a_seal(
    books: Books, database: Database, owner: asyncpg.Connection, statement: str
) -> None:
    await books.tip()
    await seal(database)

    with pytest.raises(asyncpg.PostgresError, match=r"append-only|only deleted by erase_salts"):
        await owner.execute(statement)


async def test_after_a_restore_on_another_server_a_new_epoch_follows_the_old_head(
    books: Books, database: Database, owner: asyncpg.Connection
) -> None:
    old = [await books.tip() for _ in range(4)]
    assert await seal(database, most=3) == [3, 1]
    old.append(await books.tip())
    waiting = [await books.tip() for _ in range(2)]
    await seal(database)
    unsealed = [await books.tip() for _ in range(2)]
    # As if all this came from a server that had counted much further.
    await books.as_no_guard("update seal_epoch set server = 'another'")
    await books.as_no_guard("update seal set last_xid = last_xid + 1000000000 where last_xid > 0")
    await books.as_no_guard("update journal set xid = xid + 1000000000")

    assert await seal(database) == [2]
    fresh = [await books.tip() for _ in range(3)]
    assert await seal(database) == [3]

    order = await owner.fetch("select journal_id from seal_leaf order by height, position")
    assert [row["journal_id"] for row in order] == old + waiting + unsealed + fresh
    epochs = await owner.fetch("select epoch from seal order by height")
    assert [row["epoch"] for row in epochs] == [1, 1, 1, 2, 2]
    assert (await checked(owner)).faults == ()


async def test_an_audit_names_the_block_of_a_changed_journal(
    books: Books, database: Database, owner: asyncpg.Connection
) -> None:
    numbers = [await books.tip() for _ in range(6)]
    await seal(database, most=3)
    clean = {check.name: check for check in (await audit(owner)).checks}
    await books.as_no_guard("update journal set kind = 'adjustment' where id = $1", numbers[4])
    found = {check.name: check for check in (await audit(owner)).checks}

    assert (clean[RECOUNT].counted, clean[RECOUNT].violations) == (2, 0)
    assert clean["seals follow each other"].violations == 0
    assert f"block 2 (journals {numbers[3]} to {numbers[5]})" in str(found[RECOUNT].first)
    assert f"journal {numbers[4]} was changed" in str(found[RECOUNT].first)
