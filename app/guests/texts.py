"""Tells guests by text message who comes for them, and when; a worker's round."""

from datetime import datetime
from typing import Final

import structlog

from app.foundation.database import Database
from app.guests import queries
from app.guests.rules import News, text_of
from app.members.errors import SmsUnavailable
from app.members.sms import SmsSender, send_sms

# One after the other, each with its own time-out, they end before the worker's and before PAUSE.
MOST_PER_ROUND: Final = 4
PACE_S: Final = 3.0
ROUND_TIMEOUT_S: Final = 50.0

log = structlog.get_logger("guests")


async def tell_guests(database: Database, sms: SmsSender, *, now: datetime) -> int:
    """Send the text messages that are due, and return how many left the house.

    What the sender refuses is tried again, and so is what left while the program died before it
    could write that down: a guest may read the same twice, and misses nothing for it.
    """
    async with database.transaction() as tx:
        await queries.enter_news(tx, now=now)
        due = await queries.take_news(tx, now=now, limit=MOST_PER_ROUND)
    sent = 0
    for row in due:
        news = News(**{name: row[name] for name in News.__dataclass_fields__})
        try:
            await send_sms(sms, phone=row["phone"], text=text_of(news))
        except SmsUnavailable:
            log.warning("guest.not_told", ride_id=str(row["ride_id"]), state=row["state"])
            continue
        async with database.transaction() as tx:
            await queries.mark_sent(
                tx,
                ride_id=row["ride_id"],
                state=row["state"],
                happened_at=row["happened_at"],
                now=now,
            )
        sent += 1
    return sent
