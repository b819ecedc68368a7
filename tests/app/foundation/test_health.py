"""Promises of the pages that machines ask, and of those that problems lead to."""

import re
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI

from app.foundation.problems import Problem

HTML = {"Accept": "text/html,application/xhtml+xml"}


async def test_the_program_is_ready_on_a_migrated_database(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"]["migrations"] == "newest"


async def test_the_program_is_not_ready_at_another_migration_but_lives(
    client: httpx.AsyncClient, owner: asyncpg.Connection
) -> None:
    newest = await owner.fetchval("select version_num from alembic_version")
    await owner.execute("update alembic_version set version_num = 'another'")
    try:
        answer = await client.get("/readyz")
        alive = await client.get("/livez")
    finally:
        await owner.execute("update alembic_version set version_num = $1", newest)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["checks"]["migrations"] == "other"
    assert alive.status_code == 200


async def test_every_problem_has_a_page_for_programs_and_one_for_people(
    client: httpx.AsyncClient,
) -> None:
    items = (await client.get("/problems")).json()["items"]
    assert {item["type"] for item in items} == {f"/problems/{slug}" for slug in Problem.catalogue}
    for item in items:
        assert (await client.get(item["type"])).json() == item
        page = await client.get(item["type"], headers=HTML)
        assert page.headers["content-type"].startswith("text/html")
        assert f"HTTP status {item['status']}" in page.text
    catalogue = await client.get("/problems", headers=HTML)
    assert all(f'href="{item["type"]}"' in catalogue.text for item in items)


async def test_an_unknown_problem_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/problems/no-such-thing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_metrics_name_routes_and_not_what_was_asked_for(client: httpx.AsyncClient) -> None:
    await client.get("/problems/a-secret-of-somebody")
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert 'route="/problems/{slug}"' in answer.text
    assert "a-secret-of-somebody" not in answer.text
    assert "meent_invariant_violations" in answer.text


async def test_each_route_is_named_from_the_root_wherever_its_router_stands(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    paths = {path: methods for path, methods in app.openapi()["paths"].items() if "/v1/" in path}
    for path, methods in paths.items():
        for method in methods:
            await client.request(method, re.sub("{[a-z_]+}", str(UUID(int=7)), path))

    text = (await client.get("/metrics")).text
    for path, methods in paths.items():
        for method in methods:
            assert f'method="{method.upper()}",route="{path}"' in text
