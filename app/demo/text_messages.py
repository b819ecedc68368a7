"""The telephone network: text messages that the platform sent, read from the file it appends to."""

import asyncio
import re
from pathlib import Path

import orjson

_CODE = re.compile(r"\b(\d{6})\b")


class TextMessages:
    """Every phone's newest sign-in code. The file stands for the network, not for the platform."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_bytes = 0
        self._codes: dict[str, str] = {}
        self._one_reader = asyncio.Lock()

    async def find_code(self, phone: str) -> str | None:
        """Return the code of the newest message to this number, or None where none has come."""
        async with self._one_reader:
            new = await asyncio.to_thread(self._new_lines)
        for line in new:
            message = orjson.loads(line)
            if code := _CODE.search(message["text"]):
                self._codes[message["to"]] = code[1]
        return self._codes.pop(phone, None)

    def _new_lines(self) -> list[bytes]:
        try:
            with self._path.open("rb") as file:
                file.seek(self._read_bytes)
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._read_bytes += len(whole) + len(newline)
        return whole.splitlines()
