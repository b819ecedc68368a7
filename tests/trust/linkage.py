"""The attacker: given everything a server holds, says for each voter which ballot is theirs.

It knows nothing of the program. It looks through a whole dump for rows that speak of people and
for rows that are ballots, takes everything that such rows can be put in order by (transaction
numbers, places on the disk, serial ids, times, sizes, places in the write-ahead log), and lays
each order of people beside each order of ballots. It also looks for values that stand in both.
Being an attacker of our own it is told more than a real one would know: the order in which
voters were seen on the wire, and, afterwards, which of its many guesses was the best.
"""

import random
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

type Guess = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Dump:
    """All that lies on the server: rows with ctid and xmin, the log of writes, and other orders.

    `tables` are the rows of every table, TOAST tables included. `gone` are rows without names that
    earlier copies of the server still had, one list for each copy. `wal` is what was written
    meanwhile, and `wire` the voters in the order in which an observer of the network saw them.
    """

    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    wal: bytes
    wire: Sequence[str]
    gone: Sequence[Sequence[Mapping[str, Any]]] = ()


@dataclass(frozen=True, slots=True)
class People:
    """Every name that a voter has in the dump: member id, pseudonym, session and so on."""

    names: Mapping[str, frozenset[str]]
    of_name: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        of_name = {name: voter for voter, names in self.names.items() for name in names}
        object.__setattr__(self, "of_name", of_name)


@dataclass(frozen=True, slots=True)
class Attack:
    """How one way of guessing did: the share of voters whose ballot it named."""

    name: str
    linked: float


def attack(
    dump: Dump,
    *,
    people: People,
    truth: Mapping[str, bytes],
    seed: int,
    only: Collection[str] = (),
) -> list[Attack]:
    """Every different way of guessing, or `only` the ways of these names; the best first.

    `truth` is each voter's vote key, for the score.
    """
    chance = random.Random(seed)
    traces = _traces(dump.tables, people)
    marks = _ballot_marks(dump.tables, list(truth.values()))
    voters = {name: _ordered(trace, chance) for name, trace in traces.items()}
    voters["seen on the wire"] = list(dump.wire)
    boxes = _box_orders(dump, marks, list(truth.values()), chance)
    if not only:
        voters, boxes = _different(voters), _different(boxes)
    done = [
        Attack(name, sum(guess.get(voter) == key for voter, key in truth.items()) / len(truth))
        for name, guess in [*_by_order(voters, boxes, only), *_by_value(traces, marks, only)]
    ]
    return sorted(done, key=lambda one: -one.linked)


def _by_order(
    voters: Mapping[str, Sequence[str]], boxes: Mapping[str, Sequence[bytes]], only: Collection[str]
) -> Iterator[tuple[str, Guess]]:
    """Each order of people laid beside each order of ballots."""
    for voter_name, voter_order in voters.items():
        for box_name, box_order in boxes.items():
            name = f"order: {voter_name} = {box_name}"
            if not only or name in only:
                yield name, dict(zip(voter_order, box_order, strict=False))


def _by_value(
    traces: Mapping[str, Mapping[str, Hashable]],
    marks: Mapping[str, Mapping[bytes, Hashable]],
    only: Collection[str],
) -> Iterator[tuple[str, Guess]]:
    """Values that stand beside one person and beside one ballot."""
    for voter_name, trace in traces.items():
        for box_name, mark in marks.items():
            name = f"same value: {voter_name} = {box_name}"
            if not only or name in only:
                yield name, _same(trace, mark)


def _box_orders(
    dump: Dump,
    marks: Mapping[str, Mapping[bytes, Any]],
    keys: Sequence[bytes],
    chance: random.Random,
) -> dict[str, list[bytes]]:
    """Every order that the ballots have in the dump."""
    boxes = {name: _ordered(mark, chance) for name, mark in marks.items()}
    for name, mark in _within_transactions(marks):
        boxes[name] = _ordered(mark, chance)
    boxes["written-ahead log"] = _in_wal(dump.wal, keys, chance)
    return boxes | dict(_through_the_gone(dump.gone, boxes, chance))


def _traces(
    tables: Mapping[str, Sequence[Mapping[str, Any]]], people: People
) -> dict[str, dict[str, Any]]:
    """For each sortable column of rows that name a person: the value of each person's first row."""
    found: dict[str, dict[str, Any]] = {}
    for table, rows in tables.items():
        for row in rows:
            voter = next((people.of_name[t] for t in _texts(row) if t in people.of_name), None)
            if voter is not None:
                for column, value in _sortable(row):
                    found.setdefault(f"{table}.{column}", {}).setdefault(voter, value)
    return _telling(found)


def _ballot_marks(
    tables: Mapping[str, Sequence[Mapping[str, Any]]], keys: Sequence[bytes]
) -> dict[str, dict[bytes, Any]]:
    """For each sortable column of rows that show a vote key: the value of each key's first row."""
    known = {key.hex(): key for key in keys}
    found: dict[str, dict[bytes, Any]] = {}
    for table, rows in tables.items():
        for row in rows:
            key = next((known[t] for t in _texts(row) if t in known), None)
            if key is not None:
                for column, value in _sortable(row):
                    found.setdefault(f"{table}.{column}", {}).setdefault(key, value)
    return _telling(found)


def _telling[Mark: Mapping[Any, Any]](found: Mapping[str, Mark]) -> dict[str, Mark]:
    """The columns in which not all are equal, and xmin in any case: the others order nothing."""
    return {
        name: mark
        for name, mark in found.items()
        if name.endswith(".xmin") or len(set(mark.values())) > 1
    }


def _within_transactions(
    marks: Mapping[str, Mapping[bytes, Any]],
) -> Iterator[tuple[str, dict[bytes, Any]]]:
    """Each mark of ballots again, sorted by the transaction that wrote them first."""
    for name, mark in marks.items():
        written = marks[f"{name.split('.')[0]}.xmin"]
        yield f"{name} within xmin", {key: (written[key], value) for key, value in mark.items()}


def _through_the_gone(
    copies: Sequence[Sequence[Mapping[str, Any]]],
    boxes: Mapping[str, Sequence[bytes]],
    chance: random.Random,
) -> Iterator[tuple[str, list[bytes]]]:
    """Orders of the box by way of rows that are gone, for an attacker who copied them in time.

    In each copy the rows stand in the order in which they came; the rank of something in them (an
    index, a text, a length) among their copy is laid beside the ranks in each order of the box.
    """
    values_of: dict[str, set[Any]] = {}
    for row in (row for copy in copies for row in copy):
        for column, value in _sortable(row):
            values_of.setdefault(column, set()).add(value)
    for column in (column for column, values in values_of.items() if len(values) > 1):
        ranks: list[int] = []
        for copy in copies:
            values = [dict(_sortable(row))[column] for row in copy]
            came = sorted(range(len(copy)), key=lambda n: (copy[n]["xmin"], copy[n]["ctid"]))
            ranked = sorted(range(len(copy)), key=lambda n: (values[n], chance.random()))
            rank = {row: len(ranks) + place for place, row in enumerate(ranked)}
            ranks += [rank[row] for row in came]
        for name, order in boxes.items():
            if len(order) == len(ranks):
                yield f"{name} through gone {column}", [order[rank] for rank in ranks]


def _same(trace: Mapping[str, Hashable], marks: Mapping[bytes, Hashable]) -> Guess:
    """Whoever shares a value with one ballot only, and no other person does."""
    people = Counter(trace.values())
    ballots = Counter(marks.values())
    owner = {value: key for key, value in marks.items() if ballots[value] == 1}
    return {
        voter: owner[value]
        for voter, value in trace.items()
        if value in owner and people[value] == 1
    }


def _different[Thing](orders: Mapping[str, list[Thing]]) -> dict[str, list[Thing]]:
    """Each order once, under the first name it has."""
    names: dict[tuple[Thing, ...], str] = {}
    for name, order in orders.items():
        names.setdefault(tuple(order), name)
    return {name: list(order) for order, name in names.items()}


def _ordered[Thing](trace: Mapping[Thing, Any], chance: random.Random) -> list[Thing]:
    """The things by their value; what is equal comes in any order."""
    return sorted(trace, key=lambda thing: (trace[thing], chance.random()))


def _in_wal(wal: bytes, keys: Sequence[bytes], chance: random.Random) -> list[bytes]:
    """The vote keys in the order in which they first stand in the write-ahead log."""
    place = {key: wal.find(key) for key in keys}
    # One that a page border cuts in two is not found: the attacker puts it anywhere.
    return sorted(
        keys, key=lambda key: place[key] if place[key] >= 0 else chance.randrange(len(wal) + 1)
    )


def _sortable(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The columns of a row that an order can be made of, and the sizes of the long ones."""
    for column, value in row.items():
        match value:
            case bool() | None:
                continue
            case int() | float() | datetime() | tuple() | UUID():
                yield column, value
            case bytes() | str():
                yield column, value
                yield f"size of {column}", len(value)


def _texts(row: Mapping[str, Any]) -> Iterable[str]:
    """Everything that a row says, as texts: columns, and what stands inside documents."""
    for column, value in row.items():
        if column not in ("ctid", "xmin"):
            yield from _parts(value)


def _parts(value: Any) -> Iterator[str]:
    match value:
        case bytes():
            yield value.hex()
        case dict():
            for part in value.values():
                yield from _parts(part)
        case list():
            for part in value:
                yield from _parts(part)
        case None | bool() | float() | datetime():
            return
        case _:
            yield str(value)
