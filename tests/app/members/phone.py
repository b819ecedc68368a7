"""A phone as a person holds it: ask for a code, read the message, send the code."""

import re
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from app.settings import Settings

PHONE = "+423 234 56 78"


@dataclass
class Phone:
    """A phone with one number, and the text messages that reached it."""

    client: httpx.AsyncClient
    settings: Settings
    number: str

    def texts(self) -> list[dict[str, Any]]:
        file = self.settings.sms_file
        assert file is not None
        lines = file.read_bytes().splitlines() if file.exists() else []
        number = self.number.replace(" ", "")
        return [text for text in map(orjson.loads, lines) if text["to"] == number]

    def code(self) -> str:
        found = re.search(r"\b[0-9]{6}\b", self.texts()[-1]["text"])
        assert found
        return found[0]

    async def ask(self) -> httpx.Response:
        return await self.client.post("/v1/sign-in/codes", json={"phone": self.number})

    async def challenge(self) -> str:
        asked = await self.ask()
        assert asked.status_code == 202, asked.text
        return str(asked.json()["challenge_id"])

    async def send(self, challenge_id: str, code: str) -> httpx.Response:
        body = {"challenge_id": challenge_id, "code": code}
        return await self.client.post("/v1/sign-in", json=body)

    async def refresh(self, token: str) -> httpx.Response:
        return await self.client.post("/v1/sign-in/refresh", json={"refresh_token": token})

    async def sign_in(self) -> dict[str, Any]:
        challenge_id = await self.challenge()
        answer = await self.send(challenge_id, self.code())
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def wrong(code: str) -> str:
    """Another code than this."""
    return f"{(int(code) + 1) % 10**6:06}"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
