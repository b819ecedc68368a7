"""Promises about what lies on the issuer's disk: nothing changes, nothing tells an order."""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from app.issuer.queries import _KEYS_OF_TABLES, Book, SealedVote
from app.issuer.rules import Own, RollLine

# Counters of SQLite's own in a file's header: how often it was written, by which version.
COUNTERS = (range(24, 28), range(40, 44), range(92, 100))
DRAWN = random.Random(3)
ROLL = [f"{DRAWN.getrandbits(255):064x}" for _ in range(400)]
VOTE = SealedVote(
    election="one",
    manifest_hash=b"h" * 32,
    document={"question": "?"},
    issuer_no=0,
    closes_at_s=1,
    published_by_s=2,
    seal=b"s" * 64,
    is_final=False,
)


def sealed(path: Path, *, roll: Sequence[str] = ROLL) -> Book:
    book = Book(path)
    book.insert_own("one", own=Own("Auditors", ("everybody",), ("f0",), "5ea1"))
    lines = [RollLine(member, f"{int(member, 16) + 1:064x}") for member in roll]
    book.insert_vote(VOTE, rolls=[lines])
    return book


def stamp(book: Book, member: str) -> None:
    digest = bytes.fromhex(member)[::-1]
    book.insert_stamp("one", house_no=0, member=member, blinded_hash=digest)


def content(path: Path) -> bytes:
    raw = bytearray(path.read_bytes())
    for counter in COUNTERS:
        for place in counter:
            raw[place] = 0
    return bytes(raw)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "book.sqlite3"


@pytest.fixture
def book(path: Path) -> Iterator[Book]:
    with closing(sealed(path, roll=ROLL[:3])) as book:
        stamp(book, ROLL[0])
        book.insert_revocation("one", house_no=0, member=ROLL[2])
        yield book


def test_the_file_is_the_same_whatever_the_order_in_which_members_came(tmp_path: Path) -> None:
    orders = (ROLL[:250], ROLL[249::-1])
    files, unforgotten = [], []
    for number, order in enumerate(orders):
        path = tmp_path / str(number)
        with closing(sealed(path)) as book:
            for member in order:
                stamp(book, member)
            # A naive book, without what closing does to it, gives the order away.
            book._db.execute("pragma wal_checkpoint(truncate)")
            unforgotten.append(content(path))
        files.append(content(path))

    assert unforgotten[0] != unforgotten[1]
    assert files[0] == files[1]


def test_the_log_of_recent_writes_is_empty_after_each_round(path: Path) -> None:
    with closing(sealed(path)) as book:
        for member in ROLL[:50]:
            stamp(book, member)
        recent = path.with_name(path.name + "-wal")
        assert recent.stat().st_size > 0

        book.forget_order()

        assert recent.stat().st_size == 0


def test_no_table_has_a_time_or_a_number_of_its_own(book: Book) -> None:
    for table in _KEYS_OF_TABLES:
        columns = [row[1] for row in book._db.execute(f"pragma table_info({table})")]
        assert not {name for name in columns if name.endswith("_at")}
        with pytest.raises(sqlite3.OperationalError, match="no such column"):
            book._db.execute(f"select rowid from {table}")
    listed = {
        name for (name,) in book._db.execute("select name from sqlite_schema where type = 'table'")
    }
    assert listed == set(_KEYS_OF_TABLES)


@pytest.mark.parametrize(
    "statement",
    [
        "update stamp set blinded_hash = zeroblob(32)",
        "delete from stamp",
        "insert or replace into stamp select * from stamp",
        "update manifest set document = ''",
        "delete from manifest",
        "insert or replace into manifest select * from manifest",
        "update roll_line set member_key = zeroblob(32)",
        "delete from roll_line",
        "delete from revocation",
        "update vote_keys set moduli = ''",
    ],
)
def test_what_stands_in_the_book_is_never_changed(book: Book, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="the book only grows"):
        book._db.execute(statement)


@pytest.mark.parametrize(
    ("statement", "promise"),
    [
        ("'one', 0, '{stamped}', 1, zeroblob(32)", "only grows"),
        ("'one', 0, '{ended}', 1, zeroblob(32)", "membership has ended"),
        ("'one', 0, '{other}', 0, zeroblob(32)", "newest segment"),
        ("'one', 0, '{nobody}', 1, zeroblob(32)", "FOREIGN KEY"),
        ("'one', 1, '{other}', 0, zeroblob(32)", "FOREIGN KEY"),
        ("'one', 0, '{other}', 1, zeroblob(31)", "CHECK"),
    ],
)
def test_the_book_itself_refuses_a_stamp_that_may_not_be(
    book: Book, statement: str, promise: str
) -> None:
    values = statement.format(stamped=ROLL[0], other=ROLL[1], ended=ROLL[2], nobody="0" * 64)
    with pytest.raises(sqlite3.IntegrityError, match=promise):
        book._db.execute(f"insert into stamp values ({values})")


def test_the_book_itself_refuses_all_after_the_final_log(book: Book) -> None:
    book.insert_final_logs("one", documents=[{"house": 0, "members": []}])

    with pytest.raises(sqlite3.IntegrityError, match="the log is final"):
        stamp(book, ROLL[1])
    with pytest.raises(sqlite3.IntegrityError, match="the log is final"):
        book.insert_revocation("one", house_no=0, member=ROLL[1])


def test_terms_and_rolls_enter_the_book_together_or_not_at_all(path: Path) -> None:
    with closing(Book(path)) as book:
        book.insert_own("one", own=Own("Auditors", ("everybody",), ("f0",), "5ea1"))
        twice = [RollLine(ROLL[0], "aa" * 32), RollLine(ROLL[0], "bb" * 32)]
        with pytest.raises(sqlite3.IntegrityError):
            book.insert_vote(VOTE, rolls=[twice])

        assert book.find_vote("one") is None
