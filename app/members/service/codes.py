"""A one-time code: made, bounded, sent to a number, and tried."""

import hmac
import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from uuid import UUID

from app.foundation.database import Database, Transaction
from app.foundation.ids import new_id
from app.foundation.problems import TooManyRequests
from app.members.keys import Keys
from app.members.phones import normalise_phone, split_phone
from app.members.queries import codes as queries
from app.members.sms import SmsSender, send_sms
from app.settings import Settings

CODE_LASTS = timedelta(minutes=5)
NUMBER_WINDOW = timedelta(minutes=15)
ADDRESS_WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A code on its way: the id under which it may be tried, until when."""

    challenge_id: str
    expires_at: datetime


async def request_code(
    database: Database,
    *,
    keys: Keys,
    settings: Settings,
    sms: SmsSender,
    phone: str,
    address: str,
    now: datetime,
) -> Challenge:
    """Send a new code to a number, whether or not a member has it: nobody is looked up here.

    The database keeps keyed hashes and the number without its end. The challenge carries the end,
    which its caller knows anyway, so numbers that never sign in are stored nowhere.

    Raises:
        PhoneNumberInvalid: this is not a telephone number.
        TooManyRequests: the number, its prefix or the address had its share of codes.
        SmsUnavailable: the message could not be sent.
    """
    phone = normalise_phone(phone)
    prefix, ending = split_phone(phone)
    phone_hash = keys.mac("phone", phone)
    address_hash = keys.mac("address", _network(address))
    code_id, code = new_id(), f"{secrets.randbelow(10**6):06}"
    expires_at = now + CODE_LASTS
    async with database.transaction() as tx:
        # Held until the commit, so that requests at the same moment count each other.
        await queries.lock_in_order(
            tx,
            [
                keys.lock("phone", phone),
                keys.lock("prefix", prefix),
                keys.lock("address", _network(address)),
            ],
        )
        full = await queries.full_since(
            tx,
            phone_hash=phone_hash,
            prefix=prefix,
            address_hash=address_hash,
            number_from=now - NUMBER_WINDOW,
            address_from=now - ADDRESS_WINDOW,
            per_number=settings.codes_per_number,
            per_prefix=settings.codes_per_prefix,
            per_address=settings.codes_per_address,
        )
        windows = {"number": NUMBER_WINDOW, "prefix": NUMBER_WINDOW, "address": ADDRESS_WINDOW}
        free_at = [full[of] + window for of, window in windows.items() if full[of] is not None]
        if free_at:
            wait_s = math.ceil((max(free_at) - now).total_seconds())
            raise TooManyRequests(retry_after_s=max(1, wait_s))
        await queries.insert_code(
            tx,
            code_id=code_id,
            phone_hash=phone_hash,
            prefix=prefix,
            address_hash=address_hash,
            code_hash=_code_hash(keys, code_id=code_id, phone=phone, code=code),
            expires_at=expires_at,
            now=now,
        )
    # After the commit: a code that arrives is a code that works.
    minutes = CODE_LASTS // timedelta(minutes=1)
    text = f"{code} is your Meent code. It works for {minutes} minutes. Tell it to nobody."
    await send_sms(sms, phone=phone, text=text)
    return Challenge(f"{code_id}.{ending}", expires_at)


async def use_code(
    tx: Transaction, *, keys: Keys, challenge_id: str, code: str, now: datetime
) -> str | None:
    """Count one try; return the number in E.164 if the code is right, and let it work no more.

    None: the challenge is unknown, used, too old or tried five times, or the code is wrong. The
    caller must commit all the same, or the try is not counted.
    """
    challenge = _read_challenge(challenge_id)
    if challenge is None:
        return None
    code_id, ending = challenge
    # The UPDATE locks the row: tries at the same moment wait for each other, and five pass.
    row = await queries.count_try(tx, code_id=code_id, now=now)
    if row is None:
        return None
    phone: str = row["prefix"] + ending
    # The number is part of what was hashed, so another ending in the challenge is a wrong code.
    expected = _code_hash(keys, code_id=code_id, phone=phone, code=code)
    if not hmac.compare_digest(expected, row["code_hash"]):
        return None
    await queries.use_code(tx, code_id=code_id, now=now)
    return phone


def _code_hash(keys: Keys, *, code_id: UUID, phone: str, code: str) -> bytes:
    return keys.mac("code", str(code_id), phone, code)


def _read_challenge(challenge_id: str) -> tuple[UUID, str] | None:
    code_id, _, ending = challenge_id.partition(".")
    if not (len(ending) == 4 and ending.isascii() and ending.isdigit()):
        return None
    try:
        return UUID(code_id), ending
    except ValueError:
        return None


def _network(address: str) -> str:
    """Return what counts as one address: for IPv6 a /64, which every single household has."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((known, 64), strict=False)) if known.version == 6 else str(known)
