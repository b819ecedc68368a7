"""What a driver does with an offer by socket: the same command as over HTTP, under the same key."""

from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import structlog

from app.foundation.commands import Command, fingerprint
from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from app.foundation.problems import InternalError, Problem
from app.members.access import Actor
from app.members.errors import RoleMissing
from app.members.roles import Role
from app.realtime import messages

log = structlog.get_logger("realtime")


class ActOnOffer(Protocol):
    """What a driver does with an offer, inside the transaction of a command."""

    def __call__(
        self, tx: Transaction, *, offer_id: UUID, driver_id: UUID, now: datetime
    ) -> Awaitable[dict[str, Any]]:
        """Act, or raise a Problem; return the body of the answer."""


# The same act over HTTP is a POST without a body. Both ask for the same thing, so a driver whose
# socket broke may repeat an act over HTTP under the same key.
_PATHS: dict[type[messages.Act], str] = {
    messages.AcceptOffer: "/v1/offers/{offer_id}/accept",
    messages.DeclineOffer: "/v1/offers/{offer_id}/decline",
}


class OfferActs:
    """Answers `accept_offer` and `decline_offer`; what these do is given by name."""

    def __init__(self, acts: Mapping[str, ActOnOffer]) -> None:
        self._acts = acts

    async def answer(
        self, asked: messages.Act, *, actor: Actor, database: Database, now: datetime
    ) -> messages.Reply:
        """Act at most once under the message's id; the reply says what HTTP would have answered."""
        act_on_offer = self._acts[asked.name]
        path = _PATHS[type(asked)].format(offer_id=asked.offer_id)
        command = Command(database, actor.member_id, asked.id, fingerprint("POST", path, None), now)

        async def act(tx: Transaction) -> dict[str, Any]:
            if Role.DRIVER not in actor.roles:
                raise RoleMissing
            return await act_on_offer(
                tx, offer_id=asked.offer_id, driver_id=actor.member_id, now=now
            )

        trace = str(new_id())
        try:
            answer = await command.run(act)
        except Problem as refusal:
            return messages.Reply(asked.id, refusal.status, refusal.body(trace_id=trace))
        except Exception:
            log.exception("realtime.act.failed", trace_id=trace)
            fault = InternalError()
            return messages.Reply(asked.id, fault.status, fault.body(trace_id=trace))
        return messages.Reply(asked.id, answer.status, answer.body)
