"""A cooperative of many members, written straight into the database, and its own short windows."""

import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from app.foundation.ids import new_id
from app.members.roles import Role
from app.settings import BUILT_IN_CITY
from governance.electorate import House
from governance.vote_key import VoteKey, new_vote_key
from load_tests.fixtures import sign_in

_ROLES = {House.DRIVERS: Role.DRIVER, House.RIDERS: Role.RIDER}
_DRIVERS_OF_TEN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedVoter:
    """A member in good standing who is signed in and holds the member key that is on the roll."""

    member_id: UUID
    house: House
    token: str
    key: VoteKey


def write_city(folder: Path, *, windows: dict[str, str]) -> Path:
    """Write the built-in city with these durations in its statutes; return its folder.

    Refused (KeyError): a duration that the city's file does not state.
    """
    city = folder / "city"
    shutil.copytree(BUILT_IN_CITY, city)
    file = city / "city.toml"
    text = file.read_text(encoding="utf-8")
    for name, lasting in windows.items():
        text, found = re.subn(rf'(?m)^{name} = "[^"]*"', f'{name} = "{lasting}"', text)
        if found != 1:
            raise KeyError(name)
    file.write_text(text, encoding="utf-8")
    return city


async def prepare_electorate(owner: asyncpg.Connection, *, count: int) -> list[PreparedVoter]:
    """Return new members of both houses, mixed: three drivers for seven riders."""
    voters = [
        PreparedVoter(
            member_id=new_id(),
            house=House.DRIVERS if number % 10 < _DRIVERS_OF_TEN else House.RIDERS,
            token=secrets.token_urlsafe(32),
            key=new_vote_key(),
        )
        for number in range(count)
    ]
    now = datetime.now(UTC)
    async with owner.transaction():
        [(admitter, _)] = staff = [(new_id(), secrets.token_urlsafe(32))]
        await sign_in(owner, staff, Role.STAFF, now)
        for house, role in _ROLES.items():
            people = [(one.member_id, one.token) for one in voters if one.house is house]
            await sign_in(owner, people, role, now)
        await owner.executemany(
            "insert into membership (id, member_id, house, shares_minor, applied_at,"
            " shares_paid_at, admitted_at, admitted_by, last_active_at)"
            " values ($1, $2, $3, 0, $4, $4, $4, $5, $6)",
            [
                (new_id(), one.member_id, str(one.house), now - timedelta(days=400), admitter, now)
                for one in voters
            ],
        )
        await owner.executemany(
            "insert into member_key (public_key, member_id, set_at) values ($1, $2, $3)",
            [(one.key.public, one.member_id, now) for one in voters],
        )
    return voters
