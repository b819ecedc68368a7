"""The description of the socket is whole, and says the truth."""

import re
from typing import Any

import httpx
import msgspec
import pytest

from app.realtime import messages
from app.realtime.asyncapi import EXAMPLES, document
from app.realtime.close_codes import MEANINGS, CloseCode
from tests.app.realtime.phones import validator

EVERY = (*messages.FROM_CLIENT, *messages.FROM_SERVER)


async def test_the_description_is_served(client: httpx.AsyncClient) -> None:
    answer = await client.get("/asyncapi.json")
    assert answer.status_code == 200
    assert answer.json() == document()
    assert answer.json()["asyncapi"] == "3.0.0"


@pytest.mark.parametrize("message", EVERY, ids=lambda message: str(message.__name__))
def test_every_message_has_an_example_that_is_one(message: type[msgspec.Struct]) -> None:
    validator((message,)).validate(EXAMPLES[message])
    msgspec.convert(EXAMPLES[message], message)


def test_every_reference_leads_somewhere() -> None:
    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if "$ref" in part else []
            return own + [each for value in part.values() for each in references(value)]
        if isinstance(part, list):
            return [each for value in part for each in references(value)]
        return []

    found = references(document())
    assert len(found) > 3 * len(EVERY)
    for reference in found:
        target: Any = document()
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


def test_every_close_code_is_explained() -> None:
    assert MEANINGS.keys() == set(CloseCode)
    text = document()["info"]["description"]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)} == {
        int(code) for code in CloseCode
    }
