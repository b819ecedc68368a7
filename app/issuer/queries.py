"""The issuer's book: every SQL of the room, on one SQLite file that only ever grows.

No table has a time, a serial number or a row number, and the file is written anew in the order of
its keys again and again, so it does not tell in which order members came. What must never happen
is a constraint or a trigger here.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.issuer.rules import Own, Rolls
from governance.manifest import canonical

_TABLES = """
create table vote_keys (
  election text primary key,
  houses text not null,
  moduli text not null,
  seal_key text not null unique
) strict, without rowid;

create table manifest (
  election text primary key references vote_keys,
  hash blob not null unique check (length(hash) = 32),
  document text not null,
  issuer_no integer not null check (issuer_no >= 0),
  closes_at_s integer not null,
  published_by_s integer not null check (published_by_s >= closes_at_s),
  seal blob not null check (length(seal) = 64)
) strict, without rowid;

create table roll_line (
  election text not null references manifest,
  house_no integer not null check (house_no >= 0),
  member text not null check (length(member) = 64),
  member_key blob check (length(member_key) = 32),
  primary key (election, house_no, member),
  unique (election, member),
  unique (election, member_key)
) strict, without rowid;

create table revocation (
  election text not null,
  house_no integer not null,
  member text not null,
  number integer not null check (number >= 0),
  primary key (election, house_no, member),
  unique (election, house_no, number),
  foreign key (election, house_no, member) references roll_line
) strict, without rowid;

-- One stamp for a member in a house of a vote; `segment` is how many memberships had ended by then.
create table stamp (
  election text not null,
  house_no integer not null,
  member text not null,
  segment integer not null,
  blinded_hash blob not null check (length(blinded_hash) = 32),
  primary key (election, house_no, member),
  foreign key (election, house_no, member) references roll_line
) strict, without rowid;

-- The log as signed last; from then on the vote's private keys are not needed any more.
create table final_log (
  election text not null references manifest,
  house_no integer not null,
  document text not null,
  primary key (election, house_no)
) strict, without rowid;

create trigger no_stamp_after_the_end_of_a_membership before insert on stamp
when exists (select 1 from revocation r
             where (r.election, r.house_no, r.member) = (new.election, new.house_no, new.member))
begin select raise(abort, 'the membership has ended'); end;

create trigger a_stamp_stands_in_the_newest_segment before insert on stamp
when new.segment <> (select count(*) from revocation r
                     where (r.election, r.house_no) = (new.election, new.house_no))
begin select raise(abort, 'not the newest segment'); end;

create trigger revocations_are_numbered_without_gap before insert on revocation
when new.number <> (select count(*) from revocation r
                    where (r.election, r.house_no) = (new.election, new.house_no))
begin select raise(abort, 'not the next number'); end;

create trigger no_stamp_after_the_final_log before insert on stamp
when exists (select 1 from final_log f where f.election = new.election)
begin select raise(abort, 'the log is final'); end;

create trigger no_revocation_after_the_final_log before insert on revocation
when exists (select 1 from final_log f where f.election = new.election)
begin select raise(abort, 'the log is final'); end;
"""

_KEYS_OF_TABLES = {
    "vote_keys": ("election",),
    "manifest": ("election",),
    "roll_line": ("election", "house_no", "member"),
    "revocation": ("election", "house_no", "member"),
    "stamp": ("election", "house_no", "member"),
    "final_log": ("election", "house_no"),
}

# INSERT OR REPLACE removes a row without asking a trigger on DELETE: hence the third of these.
_GROWS_ONLY = """
create trigger {table}_is_never_changed before update on {table}
begin select raise(abort, 'the book only grows'); end;
create trigger {table}_is_never_emptied before delete on {table}
begin select raise(abort, 'the book only grows'); end;
create trigger {table}_is_never_replaced before insert on {table}
when exists (select 1 from {table} t where {same})
begin select raise(abort, 'the book only grows'); end;
"""


@dataclass(frozen=True, slots=True)
class SealedVote:
    """A vote whose terms this issuer has sealed; times in Unix seconds."""

    election: str
    manifest_hash: bytes
    document: dict[str, Any]
    issuer_no: int
    closes_at_s: int
    published_by_s: int
    seal: bytes
    is_final: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What the book says of one member in one house of a vote; no key: none stands on the roll."""

    member_key: bytes | None
    blinded_hash: bytes | None
    has_ended: bool


class Book:
    """One connection to the book, for one thread; every method blocks until the disk has it."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._db = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        self._changes_forgotten = -1
        self._db.execute("pragma foreign_keys = on")
        self._db.execute("pragma temp_store = memory")
        self._db.execute("pragma secure_delete = on")
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        with self._transaction():
            if not self._db.execute("select 1 from sqlite_schema").fetchone():
                self._make_tables()

    def close(self) -> None:
        """The file holds everything, and nothing of the order in which it came."""
        self.forget_order()
        self._db.close()

    def forget_order(self) -> None:
        """The file is written anew in the order of its keys, and its log of writes is emptied.

        Inside a page SQLite puts rows where there is room, which is the order of their coming.
        """
        if self._db.total_changes != self._changes_forgotten:
            self._db.execute("vacuum")
            self._changes_forgotten = self._db.total_changes
        self._db.execute("pragma wal_checkpoint(truncate)")

    def find_own(self, election: str, *, name: str) -> Own | None:
        """The public halves of the keys made for a vote."""
        row = self._db.execute(
            "select houses, moduli, seal_key from vote_keys where election = ?", (election,)
        ).fetchone()
        if row is None:
            return None
        houses, moduli, seal_key = row
        return Own(name, tuple(json.loads(houses)), tuple(json.loads(moduli)), seal_key)

    def insert_own(self, election: str, *, own: Own) -> None:
        """The book names the keys of this vote."""
        self._db.execute(
            "insert into vote_keys values (?, ?, ?, ?)",
            (election, json.dumps(own.houses), json.dumps(own.moduli), own.seal_key),
        )

    def find_vote(self, election: str) -> SealedVote | None:
        """The vote of this name, if its terms are sealed."""
        return next(self._votes("where m.election = ?", election), None)

    def list_votes(self) -> list[SealedVote]:
        """All votes whose terms are sealed."""
        return list(self._votes(""))

    def insert_vote(self, vote: SealedVote, *, rolls: Rolls) -> None:
        """Terms, seal and rolls stand in the book, all or nothing."""
        with self._transaction():
            self._db.execute(
                "insert into manifest values (?, ?, ?, ?, ?, ?, ?)",
                (
                    vote.election,
                    vote.manifest_hash,
                    canonical(vote.document).decode(),
                    vote.issuer_no,
                    vote.closes_at_s,
                    vote.published_by_s,
                    vote.seal,
                ),
            )
            self._db.executemany(
                "insert into roll_line values (?, ?, ?, ?)",
                (
                    (vote.election, house_no, line.member, bytes.fromhex(line.key) or None)
                    for house_no, roll in enumerate(rolls)
                    for line in roll
                ),
            )

    def find_standing(self, election: str, *, house_no: int, member: str) -> Standing | None:
        """What the book says of a member; None for one who is not on this house's roll."""
        row = self._db.execute(
            "select l.member_key, s.blinded_hash, r.member is not null from roll_line l"
            " left join stamp s using (election, house_no, member)"
            " left join revocation r using (election, house_no, member)"
            " where l.election = ? and l.house_no = ? and l.member = ?",
            (election, house_no, member),
        ).fetchone()
        return None if row is None else Standing(row[0], row[1], bool(row[2]))

    def insert_stamp(
        self, election: str, *, house_no: int, member: str, blinded_hash: bytes
    ) -> None:
        """The member is stamped, in the newest segment. IntegrityError where that may not be."""
        self._db.execute(
            "insert into stamp select ?1, ?2, ?3, count(*), ?4 from revocation"
            " where election = ?1 and house_no = ?2",
            (election, house_no, member, blinded_hash),
        )

    def insert_revocation(self, election: str, *, house_no: int, member: str) -> None:
        """The membership has ended; stamps from now on stand in a new segment of the log."""
        self._db.execute(
            "insert into revocation select ?1, ?2, ?3, count(*) from revocation"
            " where election = ?1 and house_no = ?2",
            (election, house_no, member),
        )

    def list_stamped(
        self, election: str, *, house_no: int, before: str | None = None
    ) -> tuple[str, ...]:
        """Members in the log's order: by segment, and inside one by their pseudonyms.

        With ``before`` only those stamped before that member's membership ended.
        """
        return tuple(
            member
            for (member,) in self._db.execute(
                "select s.member from stamp s where s.election = ?1 and s.house_no = ?2"
                " and (?3 is null or s.segment <= (select r.number from revocation r where"
                " (r.election, r.house_no, r.member) = (?1, ?2, ?3)))"
                " order by s.segment, s.member",
                (election, house_no, before),
            )
        )

    def insert_final_logs(self, election: str, *, documents: Sequence[dict[str, Any]]) -> None:
        """The logs are final, all or none: no stamp and no revocation of this vote follows."""
        with self._transaction():
            self._db.executemany(
                "insert into final_log values (?, ?, ?)",
                [
                    (election, document["house"], canonical(document).decode())
                    for document in documents
                ],
            )

    def list_final_logs(self, election: str) -> list[dict[str, Any]]:
        """The final logs in the houses' order; empty while the log can still grow."""
        rows = self._db.execute(
            "select document from final_log where election = ? order by house_no", (election,)
        )
        return [json.loads(document) for (document,) in rows]

    def count_stamps(self, election: str) -> list[tuple[int, int, int]]:
        """For each house its number, the names on its roll, the members stamped."""
        return self._db.execute(
            "select l.house_no, count(*), count(s.member) from roll_line l"
            " left join stamp s using (election, house_no, member)"
            " where l.election = ? group by l.house_no order by l.house_no",
            (election,),
        ).fetchall()

    def _votes(self, condition: str, *values: str) -> Iterator[SealedVote]:
        rows = self._db.execute(
            "select m.election, m.hash, m.document, m.issuer_no, m.closes_at_s, m.published_by_s,"
            " m.seal, exists (select 1 from final_log f where f.election = m.election)"
            f" from manifest m {condition} order by m.closes_at_s, m.election",
            values,
        )
        for election, digest, document, issuer_no, closes_s, published_s, seal, is_final in rows:
            yield SealedVote(
                election=election,
                manifest_hash=digest,
                document=json.loads(document),
                issuer_no=issuer_no,
                closes_at_s=closes_s,
                published_by_s=published_s,
                seal=seal,
                is_final=bool(is_final),
            )

    def _make_tables(self) -> None:
        grows = [
            _GROWS_ONLY.format(table=table, same=" and ".join(f"t.{c} = new.{c}" for c in columns))
            for table, columns in _KEYS_OF_TABLES.items()
        ]
        # Not executescript(), which would commit before it begins.
        for statement in _statements("".join((_TABLES, *grows))):
            self._db.execute(statement)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
