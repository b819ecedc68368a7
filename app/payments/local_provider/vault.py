"""The double's own books in one SQLite file: payments, keys, and events still to be told."""

import json
import secrets
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.payments.local_provider.moods import Behaviour, Moods, behaviour

_TABLES = """
create table if not exists payment (id text primary key, body text not null);
create table if not exists answer
  (key text primary key, request text not null, status integer not null, body text not null);
create table if not exists event
  (n integer primary key, id text not null, type text not null, body text not null);
"""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP status and a JSON body."""

    status: int
    body: dict[str, Any]


def _refusal(status: int, code: str, payment: dict[str, Any] | None = None) -> Reply:
    return Reply(status, {"error": {"code": code, "payment": payment}})


class Vault:
    """Payments by id, each a dict of sums; every act is one SQLite transaction.

    It blocks for about a millisecond: its callers send it to a thread.
    """

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        # Other processes of the program may use the same file; each waits its turn.
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=5)
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def act(self, path: str, request: dict[str, Any], *, key: str) -> Reply:
        """Do what is asked once for each key, and give the same answer to every repeat."""
        asked = json.dumps([path, request], sort_keys=True)

        def once() -> Reply:
            kept = self._db.execute(
                "select request, status, body from answer where key = ?", (key,)
            ).fetchone()
            if kept is not None:
                if kept[0] != asked:
                    return _refusal(400, "idempotency_key_reused")
                return Reply(kept[1], json.loads(kept[2]))
            reply = self._route(path, request)
            self._db.execute(
                "insert into answer values (?, ?, ?, ?)",
                (key, asked, reply.status, json.dumps(reply.body)),
            )
            return reply

        return self._at_once(once)

    def find(self, payment_id: str) -> dict[str, Any] | None:
        """Return a payment, or None."""
        rows = self._read("select body from payment where id = ?", payment_id)
        return dict(json.loads(rows[0][0])) if rows else None

    def payments(self) -> list[dict[str, Any]]:
        """Return every payment there is."""
        return [json.loads(row[0]) for row in self._read("select body from payment order by id")]

    def take_event(self, moods: Moods) -> tuple[int, str] | None:
        """Return number and body of an event that is to be told now, the oldest unless late."""
        rows = self._read("select n, body from event order by n limit 20")
        if not rows:
            return None
        row = moods.chance.choice(rows) if moods.strikes(moods.tells_late) else rows[0]
        return int(row[0]), str(row[1])

    def event_was_taken(self, number: int) -> None:
        """Forget an event that was heard."""
        self._at_once(lambda: self._db.execute("delete from event where n = ?", (number,)))

    def _read(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def _at_once[T](self, act: Callable[[], T]) -> T:
        with self._lock:
            self._db.execute("begin immediate")
            try:
                done = act()
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")
            return done

    def _route(self, path: str, request: dict[str, Any]) -> Reply:
        match path.strip("/").split("/"):
            case ["payments"]:
                return self._authorise(request)
            case ["payments", payment_id, "capture" | "void" | "refunds" as act]:
                payment = self.find(payment_id)
                if payment is None:
                    return _refusal(404, "no_such_payment")
                ways = {"capture": self._capture, "void": self._void, "refunds": self._refund}
                return ways[act](payment, int(request.get("amount", 0)))
        return _refusal(404, "no_such_address")

    def _authorise(self, request: dict[str, Any]) -> Reply:
        mood = behaviour(request["method"])
        payment = {
            "id": f"pay_{secrets.token_hex(12)}",
            "ours": request["payment_id"],
            "method": request["method"],
            "currency": request["currency"],
            "status": "authorised",
            "authorised": int(request["amount"]),
            "captured": 0,
            "refunded": 0,
            "withdrawn": 0,
            "reinstated": 0,
            "failure": None,
        }
        if mood in (Behaviour.DECLINED, Behaviour.INSUFFICIENT_FUNDS):
            payment |= {"status": "failed", "authorised": 0, "failure": mood.value}
            self._keep(payment, "payment.failed")
            return _refusal(402, mood.value, payment)
        self._keep(payment, "payment.authorised")
        return Reply(201, payment)

    def _capture(self, payment: dict[str, Any], amount: int) -> Reply:
        if payment["status"] != "authorised" or not 0 < amount <= payment["authorised"]:
            return _refusal(409, "capture_impossible", payment)
        mood = behaviour(payment["method"])
        if mood is Behaviour.EXPIRES:
            payment |= {"status": "failed", "failure": mood.value}
            self._keep(payment, "payment.failed")
            return _refusal(409, mood.value, payment)
        payment |= {"status": "captured", "captured": amount}
        self._keep(payment, "payment.captured")
        if mood in (Behaviour.DISPUTED, Behaviour.DISPUTE_WON):
            disputed = payment | {"withdrawn": amount}
            self._keep(disputed, "dispute.withdrawn")
            if mood is Behaviour.DISPUTE_WON:
                self._keep(disputed | {"reinstated": amount}, "dispute.reinstated")
        return Reply(200, payment)

    def _void(self, payment: dict[str, Any], _: int) -> Reply:
        if payment["status"] == "voided":
            return Reply(200, payment)
        if payment["status"] != "authorised":
            return _refusal(409, "void_impossible", payment)
        payment |= {"status": "voided"}
        self._keep(payment, "payment.voided")
        return Reply(200, payment)

    def _refund(self, payment: dict[str, Any], amount: int) -> Reply:
        if behaviour(payment["method"]) is Behaviour.REFUND_FAILS:
            return _refusal(409, Behaviour.REFUND_FAILS.value, payment)
        # What the bank took back cannot be given back a second time.
        there = payment["captured"] - payment["withdrawn"] + payment["reinstated"]
        if not 0 < amount <= there - payment["refunded"]:
            return _refusal(409, "refund_impossible", payment)
        payment |= {"refunded": payment["refunded"] + amount}
        self._keep(payment, "payment.refunded")
        return Reply(200, payment)

    def _keep(self, payment: dict[str, Any], event: str) -> None:
        """Store a payment, and the event that tells of it as it is now."""
        self._db.execute(
            "insert into payment values (?, ?) on conflict (id) do update set body = excluded.body",
            (payment["id"], json.dumps(payment)),
        )
        event_id = f"evt_{secrets.token_hex(12)}"
        body = json.dumps({"id": event_id, "type": event, "payment": payment})
        self._db.execute(
            "insert into event (id, type, body) values (?, ?, ?)", (event_id, event, body)
        )
