"""The OpenAPI 3.1 document: what flask-openapi3 reads off the views and models, and what is the same for every call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from flask import Flask
from flask_openapi3.blueprint import APIBlueprint

from app.api import schemas
from app.api.calls import Terms, needs_body
from app.api.schemas import Json
from app.config import Settings
from app.http import errors, idempotency
from app.http.api_caller import CUSTOMER_HEADER

ABOUT = """Plans, wallets and invoices by API: subscribe a customer, change and end the plan, top up and charge a
wallet, hold money and settle it, read invoices.

Money is counted in whole cents or in whole micros: 1 cent is 10,000 micros. Prices are before tax; amounts due are with
it. Times are UTC, as RFC 3339 with a Z. A period ends at the instant at which the next one begins.

What a payment provider has to say about money is believed when its signed webhook arrives. So a call may answer that a
payment is under way; ask again, or wait for the state to change."""

_MEANING = {
    "400": "The body is not one JSON object.",
    "401": "No key, a wrong key, or a revoked one.",
    "402": "This was not paid: `code` says why, and `details` what to do. Nothing was taken.",
    "403": "The key may not do this.",
    "404": "There is no such thing, or it belongs to another customer.",
    "409": "The Idempotency-Key came with another request, or something else happened first.",
    "413": "The body is larger than 64 kB; of usage and of model calls, 1 MB.",
    "415": "The body is not application/json.",
    "422": "A field or parameter is missing, unknown, repeated or out of range; `details.field` names it.",
    "429": "Too many requests; `Retry-After` says how many seconds to wait.",
    "500": "Something broke on our side; `details.reference` is where we find it.",
    "502": "Who we asked failed; nothing was charged.",
    "503": "Out of order for a moment; the same request may be sent again.",
    "504": "Who we asked took too long; nothing was charged.",
}
_EXAMPLES = {
    "400": ("BAD_REQUEST", "The body is not valid JSON.", {}),
    "401": ("UNAUTHORIZED", "Send your API key as Authorization: Bearer KEY.", {}),
    "402": (
        "INSUFFICIENT_CREDITS",
        "This needs $2.50 and $1.00 is available.",
        {"available_micros": 1_000_000, "needed_micros": 2_500_000},
    ),
    "403": ("FORBIDDEN", "This API key does not have the permission billing:write.", {"permission": "billing:write"}),
    "404": ("NOT_FOUND", "There is no such hold.", {}),
    "409": ("IDEMPOTENCY_KEY_REUSED", "This key was used for something else.", {}),
    "413": ("PAYLOAD_TOO_LARGE", "The request is too large.", {}),
    "415": ("UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json.", {}),
    "422": ("INVALID_REQUEST", "amount_cents: Input should be greater than 0.", {"field": "amount_cents"}),
    "429": ("RATE_LIMITED", "Too many tries. Try again in 30 seconds.", {"retry_after": 30}),
    "500": ("INTERNAL_ERROR", "Something broke on our side. It has been noted.", {"reference": "err_01k9yq3v7n"}),
    "502": ("upstream-failed", "The upstream is not working.", {"upstream": "openai"}),
    "503": ("UNAVAILABLE", "The service cannot answer right now. Try again in a moment.", {}),
    "504": ("upstream-timeout", "The upstream did not answer in time.", {"upstream": "openai"}),
}

_RATE_LIMIT: Json = {
    "RateLimit-Policy": {
        "description": "What the customer's plan allows, on every answer to a customer's key.",
        "schema": {"type": "string"},
        "example": '"reads";q=60;w=60, "writes";q=10;w=60',
    },
    "RateLimit": {
        "description": "The limit this call counted against: how many are left, and for how many seconds.",
        "schema": {"type": "string"},
        "example": '"writes";r=0;t=42',
    },
}


def build(app: Flask, groups: Sequence[APIBlueprint]) -> Json:
    """The whole document, once per application."""
    settings: Settings = app.extensions["settings"]
    paths: Json = {}
    for group in groups:
        for path, item in group.paths.items():
            paths.setdefault(path, {}).update(item.model_dump(mode="json", by_alias=True, exclude_unset=True))
    known = {"Error": _error_schema(), "Failure": _failure_schema(), **schemas.of_bodies_and_answers()}
    for path, method, view in _views(app, groups):
        operation = paths[path][method]
        for parameter in operation.get("parameters", []):
            parameter["schema"] = schemas.of_parameter(view, parameter["in"], parameter["name"])
        schemas.add_examples(operation, known)
        if "requestBody" in operation:
            operation["requestBody"]["required"] = needs_body(view)
        _complete(operation, path, method, view.terms)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Purser API", "version": "1", "description": ABOUT},
        "servers": [{"url": settings.base_url}],
        "tags": [tag.model_dump(exclude_unset=True) for group in groups for tag in group.tags],
        "paths": paths,
        "components": {
            "schemas": known,
            "responses": {
                f"{shape}{status}": _error_response(shape, status)
                for shape in ("Error", "Failure")
                for status in _MEANING
            },
            "securitySchemes": {
                "apiKey": {"type": "http", "scheme": "bearer", "description": "A customer key or a service key."}
            },
        },
        "security": [{"apiKey": []}],
    }


def _views(app: Flask, groups: Sequence[APIBlueprint]) -> Iterator[tuple[str, str, Any]]:
    names = {group.name for group in groups}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in names:
            path = re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule.rule)
            method = next(one for one in ("GET", "POST", "PUT", "DELETE") if one in (rule.methods or ()))
            yield path, method.lower(), app.view_functions[rule.endpoint]


def _complete(operation: Json, path: str, method: str, terms: Terms) -> None:
    """Add what the terms say: permission, headers, and every error the call can answer."""
    needs = f"Needs {' or '.join(_needed(terms))}."
    operation["description"] = "\n\n".join(part for part in (_plain(operation.get("description")), needs) if part)
    operation["x-permission"] = terms.permission
    operation["x-key-kinds"] = sorted(terms.kinds)
    parameters = operation.setdefault("parameters", [])
    if terms.for_a_customer and "service" in terms.kinds:
        parameters.append(_customer_parameter(required=terms.kinds == {"service"}))
    if terms.keyed:
        parameters.append(_key_parameter())
        for response in operation["responses"].values():
            response["headers"] = {idempotency.REPLAYED: _replayed_header()}
    shape = "Failure" if errors.in_envelope(path) else "Error"
    for status in _errors(method, terms, bool(parameters)):
        operation["responses"][status] = {"$ref": f"#/components/responses/{shape}{status}"}


def _errors(method: str, terms: Terms, has_parameters: bool) -> list[str]:
    found = ["401", "403", "422", "429", "500", "503"]
    # A name in the path or the query, or of a customer in the body, of nothing there is.
    if terms.for_a_customer or has_parameters or terms.permission == "portal:write":
        found.append("404")
    if method != "get":
        found += ["400", "409", "413", "415"]
    if terms.asks:
        found += ["502", "504"]
    if terms.pays or terms.permission in ("wallet:write", "charges:write"):
        found.append("402")
    return sorted(found)


def _needed(terms: Terms) -> list[str]:
    """The keys that open a call, in words: all kinds at once where they need the same."""
    if terms.scope == terms.permission:
        return [f"a {' or '.join(sorted(terms.kinds))} key with `{terms.permission}`"]
    return [f"a {kind} key with `{terms.permission_of(kind)}`" for kind in sorted(terms.kinds)]


def _plain(description: str | None) -> str:
    return (description or "").replace("<br/>", "\n").strip()


def _customer_parameter(*, required: bool) -> Json:
    return {
        "name": CUSTOMER_HEADER,
        "in": "header",
        "required": False,
        "description": "The customer a service key acts for: our id, or yours."
        + (" Without it the call answers 422." if required else " Customer keys need none."),
        "schema": {"type": "string", "maxLength": 200},
        "example": "cus_01k9yq3v7n4m8s2t6w0x5z1b3d",
    }


def _key_parameter() -> Json:
    return {
        "name": idempotency.HEADER,
        "in": "header",
        "required": False,
        "description": "The same key and body get the first answer again. Send one with everything that moves money.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        "example": "order-1042",
    }


def _replayed_header() -> Json:
    return {
        "description": "`true` when this key had been used before and nothing was done now.",
        "schema": {"type": "string", "enum": ["true"]},
    }


def _error_schema() -> Json:
    error = {
        "type": "object",
        "required": ["code", "message", "details"],
        "properties": {
            "code": {"type": "string", "description": "For programs."},
            "message": {"type": "string", "description": "For people."},
            "details": {"type": "object", "description": "`field` names the field at fault."},
        },
    }
    return {"type": "object", "title": "Error", "required": ["error"], "properties": {"error": error}}


def _failure_schema() -> Json:
    """The same in the envelope of the credits' family, where details are left out when there are none (SPEC §12.2)."""
    error = _error_schema()["properties"]["error"] | {"required": ["code", "message"]}
    properties = {"success": {"type": "boolean", "const": False}, "error": error}
    return {"type": "object", "title": "Failure", "required": ["success", "error"], "properties": properties}


def _error_response(shape: str, status: str) -> Json:
    code, message, details = _EXAMPLES[status]
    told: Json = {"error": {"code": code, "message": message, "details": details}}
    content: Json = {
        "schema": {"$ref": f"#/components/schemas/{shape}"},
        "example": told if shape == "Error" else {"success": False, **told},
    }
    response: Json = {"description": _MEANING[status], "content": {"application/json": content}}
    if status in ("429", "503"):
        response["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    if status == "429":
        response["headers"] |= _RATE_LIMIT
    return response
