"""The ledger once more, as plain dicts: what the books must say after each command."""

from dataclasses import dataclass, field
from datetime import datetime

type Lines = tuple[tuple[str, str, int], ...]


class Refused(Exception):
    """The ledger says no, and why."""


@dataclass
class Hold:
    account: str
    amount: int
    expires_at: datetime | None
    ended_as: str | None = None


@dataclass
class Journal:
    lines: Lines
    effective_at: datetime
    reverses: int | None = None
    reason: str | None = None


@dataclass
class Oracle:
    """Accounts by name; those with a limit are members', the others are the house's."""

    posted: dict[str, int]
    lowest: dict[str, int]
    held: dict[str, int] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    journals: list[Journal] = field(default_factory=list)
    keys: dict[str, int] = field(default_factory=dict)
    closed_until: datetime | None = None

    def hold(self, name: str, account: str, amount: int, expires_at: datetime | None) -> None:
        held = self.held.get(account, 0) + amount
        if self.posted[account] - held < self.lowest[account]:
            raise Refused("credit-limit-reached")
        self.held[account] = held
        self.holds[name] = Hold(account, amount, expires_at)

    def void(self, name: str) -> None:
        self._end(name, "voided")

    def expire(self, now: datetime) -> set[str]:
        due = {
            name
            for name, hold in self.holds.items()
            if hold.ended_as is None and hold.expires_at is not None and hold.expires_at <= now
        }
        for name in due:
            self._end(name, "expired")
        return due

    def post(self, key: str, lines: Lines, at: datetime, captured: str | None = None) -> int:
        if key in self.keys:
            known = self.keys[key]
            if self.journals[known].lines != lines:
                raise Refused("other-lines")
            return known
        self._write(Journal(lines, at), captured)
        self.keys[key] = len(self.journals) - 1
        return self.keys[key]

    def reverse(self, undone: int, reason: str, now: datetime) -> int:
        was = self.journals[undone]
        if was.reverses is not None:
            raise Refused("booking-is-final")
        for number, other in enumerate(self.journals):
            if other.reverses == undone:
                if other.reason != reason:
                    raise Refused("journal-reversed-before")
                return number
        closed = self.closed_until is not None and was.effective_at < self.closed_until
        back = tuple((credit, debit, amount) for debit, credit, amount in was.lines)
        self._write(Journal(back, now if closed else was.effective_at, undone, reason), None)
        return len(self.journals) - 1

    def close(self, until: datetime, now: datetime) -> None:
        if until > now or (self.closed_until is not None and until <= self.closed_until):
            raise Refused("period-cannot-be-closed")
        self.closed_until = until

    def balance(self, account: str, before: datetime) -> int:
        """What this ledger's own journals moved that concern a moment before `before`."""
        return sum(
            amount * ((credit == account) - (debit == account))
            for journal in self.journals
            if journal.effective_at < before
            for debit, credit, amount in journal.lines
        )

    def _write(self, journal: Journal, captured: str | None) -> None:
        if self.closed_until is not None and journal.effective_at < self.closed_until:
            raise Refused("period-is-closed")
        posted, held = dict(self.posted), dict(self.held)
        for debit, credit, amount in journal.lines:
            posted[debit] -= amount
            posted[credit] += amount
        if captured is not None:
            hold = self.holds[captured]
            if hold.ended_as is not None:
                raise Refused("hold-ended-before")
            held[hold.account] -= hold.amount
        for account in {name for line in journal.lines for name in line[:2]} & self.lowest.keys():
            if posted[account] - held.get(account, 0) < self.lowest[account]:
                raise Refused("balance-too-low")
        self.posted, self.held = posted, held
        if captured is not None:
            self.holds[captured].ended_as = "posted"
        self.journals.append(journal)

    def _end(self, name: str, how: str) -> None:
        hold = self.holds[name]
        if hold.ended_as is not None:
            raise Refused("hold-ended-before")
        hold.ended_as = how
        self.held[hold.account] -= hold.amount
