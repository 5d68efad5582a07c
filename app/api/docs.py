"""`/openapi.json` for programs and `/docs/api` for people: the same document, one of them set in type."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, render_template
from flask_openapi3.blueprint import APIBlueprint

from app.api import document, error_codes
from app.api.schemas import Json
from app.http import idempotency
from app.http.api_caller import CUSTOMER_HEADER
from app.outgoing import EVENT_TYPES

docs = Blueprint("docs", __name__)

CHAPTERS = ("Authentication", "Requests", "Errors", "Idempotency", "Paging", "Rate limits", "Webhooks")


def register(app: Flask, groups: Sequence[APIBlueprint]) -> None:
    """Make the document and its two addresses."""
    # Made when first asked for: it takes a while, and most processes never are.
    app.extensions["openapi"] = cache(lambda: document.build(app, groups))
    app.register_blueprint(docs)


@docs.get("/openapi.json")
def openapi() -> Response:
    """The OpenAPI 3.1 document."""
    return jsonify(current_app.extensions["openapi"]())


@docs.get("/docs/api")
def show() -> str:
    """The same as a page: no script, nothing from elsewhere."""
    whole: Json = current_app.extensions["openapi"]()
    calls = [
        _told(whole, path, method, operation)
        for path, item in whole["paths"].items()
        for method, operation in item.items()
    ]
    groups = [
        ({**tag, "id": _anchor(tag["name"])}, [call for call in calls if call["tag"] == tag["name"]])
        for tag in whole["tags"]
    ]
    return render_template(
        "docs/api.html",
        info=whole["info"],
        server=whole["servers"][0]["url"],
        chapters=[(_anchor(title), title) for title in CHAPTERS],
        groups=groups,
        errors=error_codes.TABLE,
        events=list(EVENT_TYPES),
    )


def _anchor(title: str) -> str:
    return title.lower().replace(",", "").replace(" ", "-")


def _told(whole: Json, path: str, method: str, operation: Json) -> Json:
    schemas, responses = whole["components"]["schemas"], whole["components"]["responses"]
    body = _content(operation.get("requestBody"))
    parameters = {one["name"] for one in operation.get("parameters", [])}
    status, success = next((status, one) for status, one in operation["responses"].items() if status.startswith("2"))
    errors = [
        (status, responses[one["$ref"].rpartition("/")[2]])
        for status, one in operation["responses"].items()
        if "$ref" in one
    ]
    return {
        "id": operation["operationId"],
        "tag": operation["tags"][0],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "paragraphs": operation["description"].split("\n\n"),
        "parameters": [
            (one["name"], one["in"], _meaning(one["schema"], one.get("description")))
            for one in operation.get("parameters", [])
        ],
        "fields": _fields(body, schemas),
        "body": None if body is None else _pretty(_content(operation["requestBody"], "example")),
        "names_customer": operation["x-key-kinds"] == ["service"] and CUSTOMER_HEADER in parameters,
        "keyed": _key_to_try(path) if idempotency.HEADER in parameters else "",
        "path_to_try": _path_to_try(path, operation),
        "status": status,
        "answer": _pretty(_content(success, "example")) if _content(success) else "",
        "errors": errors,
    }


def _key_to_try(path: str) -> str:
    """A key of each call's own: most calls share one store of keys, so pasting two under one key would be refused."""
    said = [part for part in path.split("/") if part and "{" not in part]
    return "-".join(["my", *said[-2:], "1"])


def _path_to_try(path: str, operation: Json) -> str:
    """With what a person fills in as shell variables, and the parameters that must be there."""
    needed = [one for one in operation.get("parameters", []) if one["in"] == "query" and one.get("required")]
    query = "&".join(f"{one['name']}=${one['name'].upper()}" for one in needed)
    address = re.sub(r"{(\w+)}", lambda found: f"${found[1].upper()}", path)
    return f'"{address}?{query}"' if query else address


def _fields(body: Json | None, schemas: Json) -> list[tuple[str, str, str]]:
    """Name, type and meaning of each."""
    if body is None:
        return []
    schema = schemas[body["$ref"].rpartition("/")[2]]
    needed = schema.get("required", [])
    return [
        (name, str(one.get("type", "")) + (", required" if name in needed else ""), _meaning(one))
        for name, one in schema["properties"].items()
    ]


def _meaning(schema: Json, description: str | None = None) -> str:
    """What it is for, and which values it takes, with these in backquotes."""
    told = [description or schema.get("description", "")]
    if "enum" in schema:
        told.append(f"One of {', '.join(f'`{one}`' for one in schema['enum'])}.")
    if "maximum" in schema:
        told.append(f"{schema.get('minimum', 0):,} to {schema['maximum']:,}.")
    if schema.get("default") not in (None, [], {}, ""):
        told.append(f"`{json.dumps(schema['default'])}` when left out.")
    return " ".join(one for one in told if one)


def _content(part: Json | None, what: str = "schema") -> Any:
    return part["content"]["application/json"][what] if part and "content" in part else None


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2)
