"""Every message of the socket, in both directions; the served schemas are made from these."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.json import Decoder, Encoder

type Latitude = Annotated[float, Meta(ge=-90, le=90, description="degrees, WGS 84")]
type Longitude = Annotated[float, Meta(ge=-180, le=180, description="degrees, WGS 84")]
type Moment = Annotated[datetime, Meta(tz=True, description="RFC 3339 with its offset")]
type Sequence = Annotated[
    int, Meta(ge=0, le=2**53 - 1, description="number of an event in your stream")
]
type ActId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        pattern="^[ -~]+$",
        description="your own name for this act, new for each: its Idempotency-Key",
    ),
]


class _FromClient(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """A message that a client sends."""

    @property
    def name(self) -> str:
        """What `type` says."""
        return str(self.__struct_config__.tag)


class Hello(_FromClient, tag="hello", frozen=True):
    """The first message: who you are, and after which events to go on, yours and the assembly's."""

    ticket: Annotated[str, Meta(min_length=1, max_length=255)]
    resume_from: Sequence | None = None
    resume_assembly_from: Sequence | None = None


class Position(_FromClient, tag="position", frozen=True):
    """Where a driver on shift is. Not answered; what cannot be true is dropped and counted."""

    lat: Latitude
    lng: Longitude
    at: Moment


class Fix(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a driver was at one moment."""

    lat: Latitude
    lng: Longitude
    at: Moment


class Positions(_FromClient, tag="positions", frozen=True):
    """What gathered while there was no network, oldest first."""

    items: Annotated[list[Fix], Meta(min_length=1, max_length=100)]


class AcceptOffer(_FromClient, tag="accept_offer", frozen=True):
    """Take the offered ride. Answered by a `reply` under the same id."""

    id: ActId
    offer_id: UUID


class DeclineOffer(_FromClient, tag="decline_offer", frozen=True):
    """Leave the offered ride to others; it costs nothing. Answered by a `reply`."""

    id: ActId
    offer_id: UUID


class Ping(_FromClient, tag="ping", frozen=True):
    """A sign of life. Answered by a `pong`."""


class _FromServer(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", omit_defaults=True
):
    """A message that the server sends."""


class Welcome(_FromServer, tag="welcome", frozen=True):
    """The answer to a good hello."""

    member_id: UUID
    last_seq: Sequence
    assembly_last_seq: Sequence
    heartbeat_s: float
    server_time: Moment


class Event(_FromServer, tag="event", frozen=True):
    """Something that happened and concerns you. Each comes once, in order, without a gap."""

    seq: Annotated[int, Meta(ge=1)]
    event: str
    at: Moment
    data: dict[str, Any]


class Resync(_FromServer, tag="resync", frozen=True):
    """Events up to `last_seq` cannot be told any more: fetch the state over HTTP, then go on."""

    last_seq: Sequence


class AssemblyEvent(_FromServer, tag="assembly_event", frozen=True):
    """Something that concerns all members; numbered for itself, in order, without a gap."""

    seq: Annotated[int, Meta(ge=1)]
    event: str
    at: Moment
    data: dict[str, Any]


class AssemblyResync(_FromServer, tag="assembly_resync", frozen=True):
    """What the assembly's events up to `last_seq` said, fetch over HTTP; then go on."""

    last_seq: Sequence


class DriverPosition(_FromServer, tag="position", frozen=True):
    """Where the driver of your ride is; the newest, at most once a second."""

    ride_id: UUID
    lat: Latitude
    lng: Longitude
    at: Moment


class Reply(_FromServer, tag="reply", frozen=True):
    """The answer to an act: what the same act over HTTP would have answered."""

    id: ActId
    status: Annotated[int, Meta(ge=200, le=599)]
    body: Any


class Problem(_FromServer, tag="problem", frozen=True):
    """A message was not understood; `in_reply_to` is its id, where one could be read."""

    problem: dict[str, Any]
    in_reply_to: str | None = None


class Pong(_FromServer, tag="pong", frozen=True):
    """The answer to a ping."""


class Heartbeat(_FromServer, tag="heartbeat", frozen=True):
    """The server is there."""

    at: Moment


Act = AcceptOffer | DeclineOffer
Said = Position | Positions | AcceptOffer | DeclineOffer | Ping  # after the hello
FromServer = (
    Welcome
    | Event
    | Resync
    | AssemblyEvent
    | AssemblyResync
    | DriverPosition
    | Reply
    | Problem
    | Pong
    | Heartbeat
)

FROM_CLIENT = (Hello, Position, Positions, AcceptOffer, DeclineOffer, Ping)
FROM_SERVER = (
    Welcome,
    Event,
    Resync,
    AssemblyEvent,
    AssemblyResync,
    DriverPosition,
    Reply,
    Problem,
    Pong,
    Heartbeat,
)


class Outline(Struct, frozen=True):
    """As much of a message as is needed to say which one was not understood."""

    type: str | None = None
    id: str | None = None


_hello = Decoder(Hello)
_said: Decoder[Said] = Decoder(Said)
_outline = Decoder(Outline)
_encoder = Encoder()


def decode_hello(text: str | None) -> Hello | None:
    """Return the hello, or None where the first frame is anything else."""
    try:
        return _hello.decode(text or "")
    except (ValueError, RecursionError):
        return None


def decode(text: str | None) -> Said:
    """Return what a client says after its hello; None stands for a binary frame.

    Raises:
        ValueError: no message has this form; it says where.
    """
    if text is None:
        raise ValueError("a frame of text was expected")
    try:
        return _said.decode(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def decode_outline(text: str | None) -> Outline:
    """Return the type and the id of a message that could not be understood, where it has some."""
    try:
        return _outline.decode(text or "")
    except (ValueError, RecursionError):
        return Outline()


def encode(message: FromServer) -> str:
    """Return the message as the text of one frame."""
    return _encoder.encode(message).decode()
