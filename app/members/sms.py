"""Text messages leave through this port: to the log or to a file; a real sender joins them."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

import orjson
import structlog
from fastapi import Depends
from fastapi.requests import HTTPConnection

from app.foundation.clock import Clock
from app.members.errors import SmsUnavailable
from app.settings import Settings

SENDING_S = 10

log = structlog.get_logger("sms")


class SmsSender(Protocol):
    """Sends text messages. It may block: it is called outside the event loop."""

    def send(self, phone: str, text: str) -> None:
        """Hand over one message for a number in E.164; raise OSError where that fails."""


@dataclass(frozen=True, slots=True)
class LogSms:
    """Sends nothing: writes the text to the log and says so. The number stays out of it."""

    def send(self, phone: str, text: str) -> None:
        """Log the text and the last two digits of the number."""
        log.warning(
            "sms.not_sent",
            why="no SMS left the house: no sender is configured, the text stands here instead",
            number_ends_with=phone[-2:],
            text=text,
        )


@dataclass(frozen=True, slots=True)
class FileSms:
    """Appends each message to a file as one JSON line, for the demo's phones and for tests."""

    path: Path
    clock: Clock

    def send(self, phone: str, text: str) -> None:
        """Append ``{"to", "text", "at"}``."""
        line = orjson.dumps({"to": phone, "text": text, "at": self.clock.now()}) + b"\n"
        # Codes open accounts: nobody else on this machine may read them. One write is one line.
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)


async def send_sms(sender: SmsSender, *, phone: str, text: str) -> None:
    """Send outside the event loop.

    Raises:
        SmsUnavailable: the sender failed or took longer than 10 seconds.
    """
    try:
        async with asyncio.timeout(SENDING_S):
            await asyncio.to_thread(sender.send, phone, text)
    except OSError as error:
        # The error's own text could name the number.
        log.error("sms.failed", error=type(error).__name__)  # noqa: TRY400 - a trace may hold it too
        raise SmsUnavailable(retry_after_s=30) from None


def make_sms(settings: Settings, *, clock: Clock) -> SmsSender:
    """Return the sender of the settings."""
    return FileSms(settings.sms_file, clock) if settings.sms_file else LogSms()


async def get_sms(connection: HTTPConnection) -> SmsSender:
    """Return the sender of the settings."""
    return make_sms(connection.app.state.settings, clock=connection.app.state.clock)


Sms = Annotated[SmsSender, Depends(get_sms)]
