"""Every field that a client may send, as the OpenAPI document lists them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.foundation.ids import new_id


@dataclass(frozen=True, slots=True)
class RequestField:
    """A query parameter or a field of a body; `example` is the rest of the body."""

    method: str
    path: str
    where: str
    name: str
    schema: dict[str, Any]
    example: dict[str, Any]

    def sent(self, value: Any) -> dict[str, Any]:
        """What an HTTP client is told to send this value, to an object that is nobody's."""
        parts = [str(new_id()) if "{" in part else part for part in self.path.split("/")]
        return {
            "method": self.method,
            "url": "/".join(parts),
            "params": {self.name: value} if self.where == "query" else {},
            "json": self.example | {self.name: value} if self.where == "body" else None,
        }

    def is_a(self, **said: str) -> bool:
        """Whether its schema, or one of its choices, says this."""
        choices = (self.schema, *self.schema.get("anyOf", ()))
        return any(said.items() <= choice.items() for choice in choices)


def request_fields(document: dict[str, Any]) -> Iterator[RequestField]:
    """Each query parameter and each field of a JSON body."""
    schemas = document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query":
                    yield RequestField(
                        method, path, "query", parameter["name"], parameter["schema"], {}
                    )
            content = operation.get("requestBody", {}).get("content", {})
            reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
            schema = schemas.get(reference.rpartition("/")[2], {})
            for name, field in schema.get("properties", {}).items():
                example = schema.get("example") or schema["examples"][0]
                yield RequestField(method, path, "body", name, field, example)
