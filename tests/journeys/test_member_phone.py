"""A member's phone goes on where the platform was away: it signs in again, and holds nobody up."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.demo.api_client import Api, Member
from app.demo.member_phone import MemberPhone, Rooms
from app.demo.plan import AssemblySeen, PlannedMember
from app.demo.text_messages import TextMessages
from app.voting.errors import VotingError
from governance.electorate import House

NOW = datetime(2026, 5, 22, 15, 0, tzinfo=UTC)
MEMBER = PlannedMember(
    phone="+423",
    house=House.RIDERS,
    joins_at=0,
    comes_late=False,
    fetches_at=0,
    casts_at=0,
    wanted_first_bp=None,
    wants_bp=None,
)


class Clock:
    """A clock that a test moves."""

    moment = NOW
    speed = 1.0

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Platform:
    """Takes a member's key from whoever shows a token that it knows."""

    def __init__(self) -> None:
        self.known = {"Bearer 1"}
        self.away_for: set[str] = set()
        self.keys: list[str] = []
        self.refreshed = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/sign-in/refresh":
            self.refreshed += 1
            token = str(int(json.loads(request.content)["refresh_token"]) + 1)
            self.known = {f"Bearer {token}"}
            return httpx.Response(200, json=tokens(token))
        token = request.headers["Authorization"]
        if token in self.away_for:
            raise httpx.ConnectError("away")
        if token not in self.known:
            return httpx.Response(401, json={"type": "/problems/not-signed-in"})
        self.keys.append(token)
        return httpx.Response(204)

    def open_http(self) -> httpx.AsyncClient:
        transport = httpx.MockTransport(self.answer)
        return httpx.AsyncClient(transport=transport, base_url="http://meent.test")


def tokens(token: str) -> dict[str, Any]:
    expires_at = (NOW + timedelta(minutes=15)).isoformat()
    return {
        "member_id": "m",
        "access_token": token,
        "refresh_token": token,
        "access_expires_at": expires_at,
    }


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    platform = Platform()
    monkeypatch.setattr("app.demo.member_phone.open_http", platform.open_http)
    monkeypatch.setattr("app.demo.member_phone.PAUSE_S", 0.01)
    # A phone that waited inside its room for a server that is away would be too late.
    monkeypatch.setattr("app.voting.connection.FIRST_PAUSE_S", 12)
    monkeypatch.setattr("app.voting.connection.LONGEST_PAUSE_S", 12)
    return platform


@pytest.fixture
def room() -> Iterator[Rooms]:
    """One room for all phones."""
    rooms = Rooms(1)
    yield rooms
    rooms.close()


def _phone(platform: Platform, *, token: str, rooms: Rooms) -> MemberPhone:
    api = Api("http://meent.test", platform.open_http(), Clock(), TextMessages(Path()))
    member = Member(api, phone=MEMBER.phone)
    member._keep(tokens(token))
    return MemberPhone(member, MEMBER, seen=AssemblySeen(), rooms=rooms)


async def test_a_phone_whose_token_is_refused_takes_a_new_one_and_goes_on(
    platform: Platform, room: Rooms
) -> None:
    platform.known = set()  # what the platform knew of this session it knows no more
    phone = _phone(platform, token="1", rooms=room)
    async with asyncio.timeout(10):
        await phone._in_a_room(lambda voter: voter.register_key())
    assert platform.keys == ["Bearer 2"]
    assert platform.refreshed == 1


async def test_a_phone_that_gets_no_answer_lets_the_next_one_into_its_room(
    platform: Platform, room: Rooms
) -> None:
    platform.known = {"Bearer 1", "Bearer 7"}
    platform.away_for = {"Bearer 1"}
    held_up = _phone(platform, token="1", rooms=room)
    next_one = _phone(platform, token="7", rooms=room)
    async with asyncio.timeout(10):
        until = NOW + timedelta(minutes=1)
        waiting = asyncio.create_task(
            held_up._in_a_room(lambda voter: voter.register_key(), until=until)
        )
        await asyncio.sleep(0)  # it is in the room first
        await next_one._in_a_room(lambda voter: voter.register_key())
        assert platform.keys == ["Bearer 7"]
        platform.away_for = set()
        await waiting
    assert platform.keys == ["Bearer 7", "Bearer 1"]


async def test_a_phone_that_gets_no_answer_until_the_end_says_so(
    platform: Platform, room: Rooms
) -> None:
    platform.away_for = {"Bearer 1"}
    phone = _phone(platform, token="1", rooms=room)
    with pytest.raises(VotingError, match=r"No answer from meent\.test"):
        await phone._in_a_room(lambda voter: voter.register_key(), until=NOW)
