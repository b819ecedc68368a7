"""No moment that a client may send is out of the calendar's reach: it is refused in words."""

from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx
import pytest

from app.foundation.ids import new_id
from app.main import create_app
from app.members.roles import Role
from app.settings import Settings
from tests.conftest import FRIDAY_EVENING
from tests.factories import make_member

# In UTC the one is before the first year, the other after the last.
OUT_OF_REACH = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")
type Place = tuple[str, str, str, str, dict[str, Any]]


def moments(document: dict[str, Any]) -> Iterator[Place]:
    """Method, path, where, name and an example of the rest, for each moment that is taken."""
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                if _is_moment(parameter["schema"]):
                    yield method, path, "query", parameter["name"], {}
            content = operation.get("requestBody", {}).get("content", {})
            reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
            schema = schemas.get(reference.rpartition("/")[2], {})
            for name, field in schema.get("properties", {}).items():
                if _is_moment(field):
                    example = schema.get("example") or schema["examples"][0]
                    yield method, path, "body", name, example


def _is_moment(schema: dict[str, Any]) -> bool:
    return schema.get("format") == "date-time" or any(
        _is_moment(one) for one in schema.get("anyOf", ())
    )


async def test_a_moment_that_is_out_of_reach_is_refused_with_its_name(
    client: httpx.AsyncClient, owner: asyncpg.Connection, settings: Settings
) -> None:
    person = await make_member(owner, *Role, now=FRIDAY_EVENING)
    taken = [*moments(create_app(settings, dsn="postgresql://nowhere").openapi())]

    for method, path, where, name, example in taken:
        for moment in OUT_OF_REACH:
            parts = [str(new_id()) if "{" in part else part for part in path.split("/")]
            answer = await client.request(
                method,
                "/".join(parts),
                params={name: moment} if where == "query" else {},
                json=example | {name: moment} if where == "body" else None,
                headers=person.act,
            )
            assert answer.status_code == 422, f"{method} {path} {name}: {answer.text}"
            pointers = [one["pointer"] for one in answer.json()["errors"]]
            assert any(name in pointer for pointer in pointers), f"{path}: {pointers}"

    names = {(path, name) for _, path, _, name, _ in taken}
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
