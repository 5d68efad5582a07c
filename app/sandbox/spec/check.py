"""The description of Stripe's v1 API as a check: requests by method, path and form, answers, objects and events.

The description beside this file (`stripe-2026-10-28.endive.json.gz`, in OpenAPI's layout) derives from the types of
stripe-python 16.1.0, which is published under the MIT licence; it holds the operations Purser may use. It knows
shapes only: rules that join two fields, states or amounts are the sandbox's own.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from app.sandbox.spec.form import decode_form
from app.sandbox.spec.schema import Schema, SchemaCheck

# 12.5 percent is a number; amounts of money are integers everywhere.
_LEAVES: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "number": json.loads,
    "boolean": lambda text: text == "true",
}

PINNED = Path(__file__).parent / "stripe-2026-10-28.endive.json.gz"


@dataclass(frozen=True)
class Operation:
    """One verb on one path, such as post on /v1/customers/{customer}."""

    verb: str
    path: str
    pattern: re.Pattern[str]
    details: Schema


class SpecCheck:
    """Every method gives a list of sentences, empty when all is well."""

    def __init__(self, source: Path = PINNED, *, closed_enums: bool = True) -> None:
        with gzip.open(source, "rt") as file:
            document = json.load(file)
        self.version: str = document["info"]["version"]
        self._schemas: dict[str, Schema] = document["components"]["schemas"]
        self._check = SchemaCheck(self._schemas, closed_enums=closed_enums)
        self._operations = [
            Operation(verb, path, _pattern(path), details)
            for path in sorted(document["paths"], key=lambda path: path.count("{"))  # fixed paths win over patterns
            for verb, details in document["paths"][path].items()
            if verb in ("get", "post", "delete")
        ]
        self._by_object = _by_object(self._schemas)

    def operation(self, verb: str, path: str) -> Operation | None:
        """The operation behind a method and a path, or None when this version has no such endpoint."""
        verb, path = verb.lower(), path.split("?", maxsplit=1)[0]
        return next((each for each in self._operations if each.verb == verb and each.pattern.match(path)), None)

    def request(self, verb: str, path: str, body: str | bytes | dict[str, Any] = "") -> list[str]:
        """Check what a client sends: parameters in the form body (post) or in the query string."""
        if verb.lower() != "post" and "?" in path and not body:
            path, body = path.split("?", 1)
        operation = self.operation(verb, path)
        if operation is None:
            return [self._no_endpoint(verb, path)]
        try:
            params = body if isinstance(body, dict) else decode_form(body)
        except ValueError as problem:
            return [str(problem)]
        return self._check.faults(params, _params_of(operation), sent=True)

    def typed(self, operation: Operation, params: dict[str, Any]) -> dict[str, Any]:
        """Checked form parameters with integers and booleans in place of their texts."""
        typed = self._typed(params, _params_of(operation))
        assert isinstance(typed, dict)
        return typed

    def response(self, verb: str, path: str, status: int, body: Any) -> list[str]:
        """Check what the server answers to that operation."""
        operation = self.operation(verb, path)
        if operation is None:
            return [self._no_endpoint(verb, path)]
        if status >= 400:
            return _error_faults(body)
        answers = operation.details["responses"]
        answer = answers.get(str(status)) or answers["200"]
        return self._check.faults(body, answer["content"]["application/json"]["schema"])

    def object(self, body: dict[str, Any]) -> list[str]:
        """Check an API object by the type it says it is."""
        name = self._by_object.get(str(body.get("object")))
        if name is None:
            return [f"unknown object type {body.get('object')!r}"]
        return self._check.faults(body, self._schemas[name], str(body["object"]))

    def event(self, body: dict[str, Any]) -> list[str]:
        """Check an event's envelope and the object inside."""
        inner = self.object(body.get("data", {}).get("object", {}))
        return self.object(body) + [f"data.object: {fault}" for fault in inner]

    def expandable(self, kind: str, trail: list[str]) -> bool:
        """Whether the id in this field, named step by step, of an object may be replaced by what it names."""
        schema = self._schemas.get(self._by_object.get(kind, ""), {})
        for name in trail:
            schema = self._check.resolve(schema)
            schema = self._check.resolve(schema.get("items", schema)) if schema.get("type") == "array" else schema
            inside = next((each for each in schema.get("anyOf", ()) if "$ref" in each), schema)
            schema = self._check.resolve(inside).get("properties", {}).get(name, {})
        return bool(schema.get("x-expandable") or schema.get("items", {}).get("x-expandable"))

    def _no_endpoint(self, verb: str, path: str) -> str:
        return f"no such endpoint in {self.version}: {verb.upper()} {path}"

    def _typed(self, value: Any, schema: Schema) -> Any:
        schema = self._check.resolve(schema)
        if alternatives := schema.get("anyOf") or schema.get("oneOf"):
            return self._typed(value, self._check.branch(value, alternatives, sent=True))
        if isinstance(value, dict):
            properties, extra = schema.get("properties", {}), schema.get("additionalProperties")
            others = extra if isinstance(extra, dict) else {}
            return {name: self._typed(each, properties.get(name, others)) for name, each in value.items()}
        if isinstance(value, list):
            return [self._typed(each, schema.get("items", {})) for each in value]
        read = _LEAVES.get(str(schema.get("type")))
        return read(value) if read and isinstance(value, str) else value


@lru_cache(maxsize=1)
def pinned() -> SpecCheck:
    """The check for the one API version this program speaks, read once per process."""
    return SpecCheck()


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + r"\Z")


def _params_of(operation: Operation) -> Schema:
    nothing: Schema = {"type": "object", "properties": {}, "additionalProperties": False}
    details = operation.details
    if operation.verb == "post":
        content = details.get("requestBody", {}).get("content", {})
        form: Schema | None = content.get("application/x-www-form-urlencoded", {}).get("schema")
        return form or nothing
    query: Schema | None = details.get("x-query-schema")
    return query or nothing


def _by_object(schemas: dict[str, Schema]) -> dict[str, str]:
    names: dict[str, str] = {}
    for name, schema in schemas.items():
        says = schema.get("properties", {}).get("object", {}).get("enum")
        if says and len(says) == 1 and says[0] != "list" and (name == says[0] or says[0] not in names):
            names[says[0]] = name
    return names


def _error_faults(body: Any) -> list[str]:
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict) and isinstance(error.get("type"), str) and error.get("message") is not None:
        return []
    return ['an error body must be {"error": {"type", "message", …}}']
