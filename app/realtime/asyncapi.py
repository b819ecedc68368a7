"""The socket described for machines: AsyncAPI 3.0, its schemas made from the messages."""

from functools import cache
from typing import Any

import msgspec

from app.realtime import messages
from app.realtime.close_codes import MEANINGS

type Struct = type[msgspec.Struct]

_ID = "0190a1c2-7d3e-7c41-9a5b-0b6f6f1f2a3b"
_RIDE = "0190a1c2-9f00-7d10-8c1e-2f4b5a6c7d8e"
_AT = "2026-05-22T15:00:00Z"
_FIX = {"lat": 47.1410, "lng": 9.5209, "at": _AT}

EXAMPLES: dict[Struct, dict[str, Any]] = {
    messages.Hello: {
        "type": "hello",
        "ticket": "hYx3…",
        "resume_from": 41,
        "resume_assembly_from": 7,
    },
    messages.Position: {"type": "position", **_FIX},
    messages.Positions: {"type": "positions", "items": [_FIX]},
    messages.AcceptOffer: {"type": "accept_offer", "id": "act-17", "offer_id": _ID},
    messages.DeclineOffer: {"type": "decline_offer", "id": "act-18", "offer_id": _ID},
    messages.Ping: {"type": "ping"},
    messages.Welcome: {
        "type": "welcome",
        "member_id": _ID,
        "last_seq": 43,
        "assembly_last_seq": 8,
        "heartbeat_s": 10.0,
        "server_time": _AT,
    },
    messages.Event: {
        "type": "event",
        "seq": 42,
        "event": "ride.driver_arrived",
        "at": _AT,
        "data": {"ride_id": _RIDE, "state": "arrived"},
    },
    messages.Resync: {"type": "resync", "last_seq": 43},
    messages.AssemblyEvent: {
        "type": "assembly_event",
        "seq": 8,
        "event": "proposal.deliberation_began",
        "at": _AT,
        "data": {
            "proposal_id": _ID,
            "kind": "number",
            "title": "A smaller share",
            "stage": "deliberation",
            "due_at": "2026-06-05T15:00:00Z",
        },
    },
    messages.AssemblyResync: {"type": "assembly_resync", "last_seq": 8},
    messages.DriverPosition: {"type": "position", "ride_id": _RIDE, **_FIX},
    messages.Reply: {
        "type": "reply",
        "id": "act-17",
        "status": 409,
        "body": {
            "type": "/problems/offer-no-longer-open",
            "title": "This offer is no longer open",
            "status": 409,
            "trace_id": _ID,
        },
    },
    messages.Problem: {
        "type": "problem",
        "problem": {
            "type": "/problems/malformed-frame",
            "title": "The frame could not be understood",
            "status": 400,
            "trace_id": _ID,
            "detail": "Expected `float` <= 90.0 - at `$.lat`",
        },
        "in_reply_to": "act-19",
    },
    messages.Pong: {"type": "pong"},
    messages.Heartbeat: {"type": "heartbeat", "at": _AT},
}

_HOW_IT_GOES = """\
Fetch a ticket with `POST /v1/socket-tickets`, open the socket, and say `hello` within 5 seconds.
The ticket works once and for 30 seconds; no token ever stands in the address. A page of another
site (`Origin`) is refused.

`welcome` follows. With `resume_from`, the number of the last event you have, every event after it
comes, in order, each once; without it, those from now on. Where your number cannot be resumed from,
`resync` says so: fetch the state over HTTP and go on after its `last_seq`.

What concerns all members, such as a vote that opens, comes as `assembly_event` with numbers of its
own: `resume_assembly_from` and `assembly_resync` are the same for these.

Heartbeats come every 10 seconds. Send something, a `ping` if there is nothing else, at least every
30. A frame that cannot be understood is answered by `problem` and the socket stays open.

The server closes with these codes:

| Code | Why, and what to do |
|---|---|
"""


def _name(message: Struct) -> str:
    return message.__name__[0].lower() + message.__name__[1:]


def _message(message: Struct) -> dict[str, Any]:
    return {
        "name": EXAMPLES[message]["type"],
        "title": message.__name__,
        "summary": (message.__doc__ or "").strip(),
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{message.__name__}"},
        "examples": [{"payload": EXAMPLES[message]}],
    }


def _operation(action: str, group: tuple[Struct, ...], *, summary: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/socket"},
        "summary": summary,
        "messages": [{"$ref": f"#/channels/socket/messages/{_name(each)}"} for each in group],
    }


@cache
def document() -> dict[str, Any]:
    """Return the AsyncAPI document; actions are the server's: it receives what a client sends."""
    every = (*messages.FROM_CLIENT, *messages.FROM_SERVER)
    _, schemas = msgspec.json.schema_components(every, ref_template="#/components/schemas/{name}")
    codes = "".join(f"| {int(code)} | {meaning} |\n" for code, meaning in MEANINGS.items())
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Meent", "version": "1.0.0", "description": _HOW_IT_GOES + codes},
        "defaultContentType": "application/json",
        "channels": {
            "socket": {
                "address": "/v1/socket",
                "summary": "What concerns you, the moment it is true; and where drivers are.",
                "messages": {
                    _name(each): {"$ref": f"#/components/messages/{_name(each)}"} for each in every
                },
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            "fromClient": _operation(
                "receive", messages.FROM_CLIENT, summary="What a client may send"
            ),
            "fromServer": _operation("send", messages.FROM_SERVER, summary="What the server sends"),
        },
        "components": {
            "messages": {_name(each): _message(each) for each in every},
            "schemas": schemas,
        },
    }
