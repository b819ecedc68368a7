"""The statements of one booking as the database heard them, and a pgbench script made of them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_LINE = re.compile(
    r"^\S+ \S+ \S+ \[(?P<pid>\d+)\] (?P<kind>LOG|DETAIL):  "
    r"(?:statement: |execute [^:]+: |Parameters: )(?P<text>.*)$"
)
_PARAMETER = re.compile(r"\$(?P<number>\d+) = (?:'(?P<text>(?:[^']|'')*)'|(?P<null>NULL))")
_PLACE = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that a session ran, and its parameters in PostgreSQL's own text form."""

    session: int
    sql: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A pgbench script.

    Attributes:
        text: One booking; it looks its values up in ``values_table`` by its number.
        look_up: The same look-up alone, whose cost is no part of a booking.
        constants: Variables that every booking shares.
        facts: What differs from booking to booking, as the recorded booking had it.
        templates: The text of each column of ``values_table``, likewise.
    """

    text: str
    look_up: str
    constants: dict[str, str]
    facts: tuple[str, ...]
    templates: tuple[str, ...]

    def values(self, facts: Sequence[str]) -> list[str]:
        """Return the columns of another booking, made of its facts in the same order."""
        other = dict(zip(self.facts, facts, strict=True))
        pattern = re.compile("|".join(re.escape(fact) for fact in self.facts))
        return [pattern.sub(lambda found: other[found[0]], text) for text in self.templates]


def read_log(lines: Iterable[str]) -> list[Statement]:
    """Return the statements in a server's log written with ``log_statement = all``."""
    statements: list[Statement] = []
    for line in lines:
        found = _LINE.match(line.rstrip("\n"))
        if found is None:
            continue
        session, text = int(found["pid"]), found["text"]
        if found["kind"] == "LOG":
            statements.append(Statement(session, text.rstrip("; ")))
            continue
        last = statements[-1]
        assert last.session == session
        statements[-1] = Statement(session, last.sql, _parameters(text))
    return statements


def _parameters(text: str) -> tuple[str, ...]:
    found = list(_PARAMETER.finditer(text))
    if any(one["null"] for one in found):
        raise ValueError("pgbench has no NULL: the statements of a booking use none")
    return tuple(one["text"].replace("''", "'") for one in found)


def of_booking(statements: Sequence[Statement], *, marks: Sequence[str]) -> list[Statement]:
    """Return the statements that name one of these values, with the whole of their transactions."""
    return [
        statement
        for unit in _units(statements)
        if any(mark in text for one in unit for text in one.parameters for mark in marks)
        for statement in unit
    ]


def _units(statements: Sequence[Statement]) -> Iterator[list[Statement]]:
    """Yield transactions and single statements, in the order in which they ended."""
    open_units: dict[int, list[Statement]] = {}
    for statement in statements:
        verb = statement.sql.partition(" ")[0].lower()
        if verb == "begin":
            open_units[statement.session] = [statement]
        elif statement.session in open_units:
            open_units[statement.session].append(statement)
            if verb in {"commit", "rollback"}:
                yield open_units.pop(statement.session)
        else:
            yield [statement]


def write_script(
    statements: Sequence[Statement], *, facts: Sequence[str], values_table: str, per_client: int
) -> Script:
    """Return the script whose statements are these, word for word.

    ``facts`` are the texts that differ from booking to booking; a parameter in which one of them
    stands becomes a column of ``values_table``, every other one a constant. Client c reads the
    rows from ``c * per_client`` on.
    """
    templates: dict[str, str] = {}
    constants: dict[str, str] = {}
    lines = []
    for statement in statements:
        names = []
        for text in statement.parameters:
            varies = any(fact in text for fact in facts)
            known = templates if varies else constants
            names.append(known.setdefault(text, f"{'v' if varies else 'c'}{len(known)}"))
        lines.append(_named(statement.sql, names) + ";")
    columns = ", ".join(templates.values())
    look_up = (
        f"\\set n :client_id * {per_client} + :i % {per_client}\n\\set i :i + 1\n"
        f"select {columns} from {values_table} where n = :n \\gset\n"
    )
    return Script(
        text=look_up + "\n".join(lines) + "\n",
        look_up=look_up,
        constants={"i": "0"} | {name: text for text, name in constants.items()},
        facts=tuple(facts),
        templates=tuple(templates),
    )


def _named(sql: str, names: Sequence[str]) -> str:
    return _PLACE.sub(lambda place: f":{names[int(place[1]) - 1]}", sql)
