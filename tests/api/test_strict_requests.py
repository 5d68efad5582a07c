"""Every call refuses what it does not know, by name: fields, parameters, types, repeats, sizes and kinds of body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.api.calls import Terms
from app.api.schemas import example_of
from tests.support.fake_provider import FakeProvider
from tests.support.people import Person
from tests.support.programs import Program

Json = dict[str, Any]
SURPRISE = "a_surprise"
JSON = {"content_type": "application/json"}
Wrong = tuple[str, dict[str, Any], int, str]  # what is wrong, what is sent, and the status and field of its refusal


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def operations(app: Flask) -> Iterator[tuple[str, str, Json, Terms]]:
    """Every call of the document with its terms."""
    terms = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), verb.lower()): app.view_functions[rule.endpoint].terms
        for rule in app.url_map.iter_rules()
        for verb in rule.methods or ()
        if hasattr(app.view_functions[rule.endpoint], "terms")
    }
    for path, item in app.extensions["openapi"]()["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation, terms[path, verb]


def wrong_bodies(schema: Json | None, schemas: Json, largest: int) -> Iterator[Wrong]:
    """Bodies with one thing wrong."""
    example = example_of(schema, schemas) if schema else {}
    yield "unknown field", {"json": {**example, SURPRISE: 1}}, 422, SURPRISE
    yield "repeated field", {"data": f'{{"{SURPRISE}":1,"{SURPRISE}":1}}', **JSON}, 422, SURPRISE
    yield "too large", {"data": b" " * (largest + 1), **JSON}, 413, ""
    yield "another content type", {"data": json.dumps(example), "content_type": "text/plain"}, 415, ""
    yield "no JSON", {"data": b"{", **JSON}, 400, ""
    if schema:
        for name, field in schemas[schema["$ref"].rpartition("/")[2]]["properties"].items():
            other = {"not": "this"} if field.get("type") != "object" else ["not this"]
            yield f"type of {name}", {"json": {**example, name: other}}, 422, name
            yield f"null as {name}", {"json": {**example, name: None}}, 422, name


def wrong_queries(parameters: list[Json]) -> Iterator[Wrong]:
    """Queries with one thing wrong."""
    asked = [one for one in parameters if one["in"] == "query"]
    needed = "".join(f"{one['name']}=x&" for one in asked if one["required"])
    yield "unknown parameter", {"query_string": f"{needed}{SURPRISE}=1"}, 422, SURPRISE
    yield "repeated parameter", {"query_string": f"{needed}{SURPRISE}=1&{SURPRISE}=1"}, 422, SURPRISE
    for one in asked:
        if "enum" in one["schema"] or one["schema"].get("type") == "integer":
            yield f"value of {one['name']}", {"query_string": f"{needed}{one['name']}=nonsense"}, 422, one["name"]


def refusal(answer: TestResponse) -> tuple[int, str]:
    """Its status and the field it names, without the place in a list or object."""
    told = answer.get_json(silent=True) or {}
    field = str(told.get("error", {}).get("details", {}).get("field", ""))
    return answer.status_code, field.partition(".")[0]


def test_each_mistake_is_refused_and_named(
    app: Flask, host: Program, staff: Program, ada: Person, provider: FakeProvider
) -> None:
    schemas, off = app.extensions["openapi"]()["components"]["schemas"], []
    for path, verb, operation, terms in operations(app):
        program = staff if "staff" in terms.kinds else host
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        mistakes = [*wrong_queries(operation.get("parameters", []))]
        if verb != "get":
            mistakes += wrong_bodies(body, schemas, terms.largest)
        for what, sent, status, field in mistakes:
            asked = {"method": verb.upper(), "headers": program._headers(), **sent}
            told = refusal(program._client().open(re.sub(r"{\w+}", "x", path), **asked))
            if told != (status, field):
                off.append((verb, path, what, told))

    assert not off
    assert ada.balance() == 5_000_000
