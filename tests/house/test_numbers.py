"""True is no amount of 1, wherever a client may send a number."""

import asyncpg
import httpx

from app.main import create_app
from app.members.roles import Role
from app.settings import Settings
from tests.conftest import FRIDAY_EVENING
from tests.factories import make_member
from tests.house.request_fields import request_fields


async def test_true_is_taken_for_no_number(
    client: httpx.AsyncClient, owner: asyncpg.Connection, settings: Settings
) -> None:
    person = await make_member(owner, *Role, now=FRIDAY_EVENING)
    document = create_app(settings, dsn="postgresql://nowhere").openapi()
    # A ballot is read, strictly, once its election is known; and it does not say whose it is.
    taken = [
        field
        for field in request_fields(document)
        if not field.path.endswith("/ballots")
        if field.where == "body" and (field.is_a(type="integer") or field.is_a(type="number"))
    ]

    for field in taken:
        answer = await client.request(**field.sent(True), headers=person.act)
        assert answer.status_code == 422, f"{field}: {answer.text}"
        pointers = [one["pointer"] for one in answer.json()["errors"]]
        assert any(field.name in pointer for pointer in pointers), f"{field}: {pointers}"

    names = {(field.path, field.name) for field in taken}
    assert ("/v1/costs", "amount_minor") in names
    assert ("/v1/rides/{ride_id}/tips", "amount_minor") in names
