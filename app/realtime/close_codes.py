"""Why the server closes a socket, as numbers that a client can act on."""

from enum import IntEnum


class CloseCode(IntEnum):
    """The codes with which the server closes. 1012 and 1013 are from the registry of RFC 6455."""

    TOO_LARGE = 1009
    STOPPING = 1012
    TOO_SLOW = 1013
    MALFORMED = 4400
    NO_TICKET = 4401
    SHUT_OUT = 4403
    SILENT = 4408
    REPLACED = 4409
    TOO_MANY = 4429


MEANINGS: dict[CloseCode, str] = {
    CloseCode.TOO_LARGE: "A frame was larger than 16 KiB. Send less at once.",
    CloseCode.STOPPING: "The program stops or restarts. Come back in a few seconds, and resume.",
    CloseCode.TOO_SLOW: (
        "What was sent was not read in time, or the database is away. Come back, and resume."
    ),
    CloseCode.MALFORMED: "Twenty frames could not be understood. Mend the client.",
    CloseCode.NO_TICKET: (
        "No hello came in time, or its ticket is unknown, used or too old. Fetch a new ticket."
    ),
    CloseCode.SHUT_OUT: "The session ended, or the member is suspended. Sign in again.",
    CloseCode.SILENT: "Nothing was heard for 30 seconds. Come back, and resume; send pings.",
    CloseCode.REPLACED: "The member opened a sixth socket; this was the oldest one.",
    CloseCode.TOO_MANY: "More than 20 messages a second came for a while. Send fewer.",
}
