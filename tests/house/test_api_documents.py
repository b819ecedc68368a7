"""The OpenAPI document is whole: valid, each operation named, explained and with its problems."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

from app.foundation.problems import Problem
from app.main import create_app
from app.settings import Settings


@pytest.fixture
def document(settings: Settings) -> dict[str, Any]:
    return create_app(settings, dsn="postgresql://nowhere").openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_each_operation_has_a_name_a_summary_a_tag_and_a_description(
    document: dict[str, Any],
) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]

    assert len(names) == len(set(names))
    for _, path, operation in operations(document):
        assert operation.get("summary"), path
        assert operation.get("tags"), path
        assert operation.get("description"), path


def test_each_command_names_its_problems(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        if not path.startswith("/v1") or method == "get":
            continue
        kinds = {
            kind for answer in operation["responses"].values() for kind in answer.get("content", {})
        }
        assert "application/problem+json" in kinds, path


def test_each_body_of_a_command_has_an_example(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for method, path, operation in operations(document):
        if method == "get" or "requestBody" not in operation:
            continue
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        for name in re.findall(r"#/components/schemas/(\w+)", json.dumps(schema)):
            assert {"example", "examples"} & schemas[name].keys(), f"{path}: {name}"


async def test_every_problem_has_a_page(client: httpx.AsyncClient) -> None:
    for slug in Problem.catalogue:
        page = await client.get(f"/problems/{slug}")
        assert page.status_code == 200, slug


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("DELETE", "/v1/quotes", 405),
        ("GET", "/v1/rides", 401),
        ("GET", "/v1/rides/not-a-uuid", 401),
    ],
)
async def test_errors_of_every_kind_are_problem_documents(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"]


async def test_a_body_that_is_too_large_is_refused_with_and_without_a_stated_length(
    client: httpx.AsyncClient,
) -> None:
    async def drip() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b"x" * 1024

    stated = await client.post("/v1/sign-in/codes", content=b"x" * 70_000)
    unstated = await client.post("/v1/sign-in/codes", content=drip())

    for answer in (stated, unstated):
        assert answer.status_code == 413
        assert answer.json()["type"] == "/problems/body-too-large"
