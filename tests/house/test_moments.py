"""No moment that a client may send is out of the calendar's reach: it is refused in words."""

from typing import Any

import asyncpg
import httpx
import pytest

from app.main import create_app
from app.members.roles import Role
from app.settings import Settings
from tests.conftest import FRIDAY_EVENING
from tests.factories import make_member
from tests.house.request_fields import request_fields

# In UTC the one is before the first year, the other after the last.
OUT_OF_REACH = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")


async def test_a_moment_that_is_out_of_reach_is_refused_with_its_name(
    client: httpx.AsyncClient, owner: asyncpg.Connection, settings: Settings
) -> None:
    person = await make_member(owner, *Role, now=FRIDAY_EVENING)
    document = create_app(settings, dsn="postgresql://nowhere").openapi()
    taken = [one for one in request_fields(document) if one.is_a(format="date-time")]

    for field in taken:
        for moment in OUT_OF_REACH:
            answer = await client.request(**field.sent(moment), headers=person.act)
            assert answer.status_code == 422, f"{field}: {answer.text}"
            pointers = [one["pointer"] for one in answer.json()["errors"]]
            assert any(field.name in pointer for pointer in pointers), f"{field}: {pointers}"

    names = {(field.path, field.name) for field in taken}
    assert ("/v1/surplus/periods", "since") in names
    assert ("/v1/payouts/batches", "until") in names


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_a_day_at_the_calendars_end_is_no_fault_of_ours(
    client: httpx.AsyncClient, owner: asyncpg.Connection, settings: Settings, day: str
) -> None:
    person = await make_member(owner, *Role, now=FRIDAY_EVENING)
    document = create_app(settings, dsn="postgresql://nowhere").openapi()
    taken = [
        (path, [one["name"] for one in operations["get"].get("parameters", ()) if _is_day(one)])
        for path, operations in document["paths"].items()
        if "get" in operations and "{" not in path
    ]

    for path, names in taken:
        if names:
            answer = await client.get(
                path, params=dict.fromkeys(names, day), headers=person.headers
            )
            assert answer.status_code < 500, f"{path}: {answer.text}"


def _is_day(parameter: dict[str, Any]) -> bool:
    schema = parameter["schema"]
    return any(one.get("format") == "date" for one in (schema, *schema.get("anyOf", ())))
