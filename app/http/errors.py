"""How a refusal is told: one table gives each class its status, and each family of addresses its shape.

Domains raise refusals and know no HTTP. Programs get JSON in the shape their documents promise (SPEC §12), people a
page, and htmx a partial. Whatever nobody expected is logged with a reference, and only the reference is shown.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, jsonify, make_response, render_template, request
from markupsafe import escape
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app import errors, ids, money
from app.extensions import db
from app.http import hx, limit_page, origin, shortfall
from app.llm import refusals

log = logging.getLogger(__name__)

STATUS: Mapping[type[errors.Refusal], int] = {
    errors.Refusal: 422,
    errors.Unreadable: 400,
    errors.Invalid: 422,
    money.AmountInvalid: 422,
    origin.StalePage: 400,
    errors.Unauthorized: 401,
    errors.InsufficientFunds: 402,
    errors.SpendCapReached: 402,
    errors.PaymentRefused: 402,
    errors.ActionRequired: 402,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.IdempotencyKeyReused: 409,
    errors.UnsupportedByChannel: 422,
    errors.TooManyRequests: 429,
    errors.ProviderDown: 503,
    refusals.UpstreamFailed: 502,
    refusals.UpstreamBusy: 503,
    refusals.UpstreamTimeout: 504,
}

# What HTTP itself refuses, before any rule of ours is asked: code and sentence for programs and people alike.
_OF_HTTP: Mapping[int, tuple[str, str]] = {
    400: ("BAD_REQUEST", "The request could not be read."),
    401: ("UNAUTHORIZED", "Sign in, or send a valid API key."),
    403: ("FORBIDDEN", "You may not do this."),
    404: ("NOT_FOUND", "There is nothing here."),
    405: ("METHOD_NOT_ALLOWED", "This address does not answer that method."),
    408: ("TIMEOUT", "The request took too long to arrive."),
    413: ("PAYLOAD_TOO_LARGE", "The request is too large."),
    414: ("URI_TOO_LONG", "The address is too long."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "Send the body as application/json."),
    429: ("RATE_LIMITED", "Too many requests. Wait a moment, then try again."),
    431: ("HEADERS_TOO_LARGE", "The request's headers are too large."),
    500: ("INTERNAL_ERROR", "Something broke on our side. It has been noted."),
    503: ("UNAVAILABLE", "The service cannot answer right now. Try again in a moment."),
}

_TITLES: Mapping[int, str] = {
    400: "This request could not be read",
    401: "Please sign in",
    402: "There is not enough in the wallet",
    403: "You may not do this",
    404: "There is nothing here",
    405: "This page does not work that way",
    409: "Something else happened first",
    413: "This is too large",
    422: "This cannot be done as asked",
    429: "Too many tries",
    500: "Something broke on our side",
    503: "We cannot answer right now",
}

# Under the heading, where the sentence for programs would only say it again: what happened, and what to do (DESIGN §5).
_FOR_PEOPLE: Mapping[int, str] = {
    400: "Nothing was changed. Go back, open the page again and send it once more.",
    403: "Nothing was changed.",
    404: "The address may be mistyped, or what was here is gone. Nothing was changed.",
    405: "It opens from a link or a button, not by its address. Nothing was changed.",
    413: "Nothing was changed. Send less at once.",
    500: "This page could not be finished, and we have noted it. It is safe to look again.",
}

# First segments of addresses that programs call, with the shape their errors have (SPEC §12.1 to §12.4).
_ERROR_OBJECT = ("/v1", "/api", "/openapi.json", "/healthz", "/readyz")
_SUCCESS_FALSE = (
    "/credits/balance",
    "/credits/transactions",
    "/orders",
    "/subscription",
    "/checkin",
    "/payment",
    "/admin/billing",
    "/admin/credits",
    "/admin/checkin",
)


@dataclass(frozen=True)
class Told:
    """A refusal as it leaves the house."""

    status: int
    code: str
    sentence: str
    details: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def register(app: Flask) -> None:
    """From here on every error has a shape, and no error leaves half a transaction behind."""
    app.register_error_handler(errors.Refusal, _refused)
    app.register_error_handler(HTTPException, _refused_by_http)
    app.register_error_handler(DBAPIError, _database_failed)
    app.register_error_handler(PoolTimeout, _database_failed)
    app.register_error_handler(Exception, _broken)


def status_of(refusal: errors.Refusal) -> int:
    """The status of a refusal: its own class's, or that of the nearest class above."""
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)


def told(refusal: errors.Refusal) -> Told:
    """A refusal in words of HTTP."""
    status = status_of(refusal)
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="purser"'
    if status in (429, 503):
        headers["Retry-After"] = str(refusal.details.get("retry_after", 5))
    return Told(status, type(refusal).code, refusal.sentence, refusal.details, headers)


def json_body(refusal: Told, path: str) -> dict[str, Any]:
    """The error object in the shape of the address's family."""
    error = {"code": refusal.code, "message": refusal.sentence, "details": dict(refusal.details)}
    if in_envelope(path):
        if not refusal.details:
            del error["details"]
        return {"success": False, "error": error}
    return {"error": error}


def speaks_json(path: str) -> bool:
    """Whether programs call this address."""
    return _within(path, _ERROR_OBJECT) or in_envelope(path)


def in_envelope(path: str) -> bool:
    """Whether answers at this address say `success` beside what they tell (SPEC §12.2)."""
    return _within(path, _SUCCESS_FALSE)


def _refused(refusal: errors.Refusal) -> Response:
    return _answer(told(refusal))


def _refused_by_http(error: HTTPException) -> Response:
    status = error.code or 500
    code, sentence = _OF_HTTP.get(status, ("REFUSED", error.description or "The request was refused."))
    # Allow, Retry-After and their like; the content type is our own.
    headers = {name: value for name, value in error.get_headers(request.environ) if name.lower() != "content-type"}
    return _answer(Told(status, code, sentence, headers=headers))


def _database_failed(error: Exception) -> Response:
    """A database that is locked, full or gone will pass (503); other SQL errors are bugs of ours."""
    if not isinstance(error, OperationalError | PoolTimeout):
        return _broken(error)
    log.error("database unavailable", exc_info=error)
    code, sentence = _OF_HTTP[503]
    return _answer(Told(503, code, sentence, headers={"Retry-After": "5"}))


def _broken(error: Exception) -> Response:
    """The last resort: nobody expected this. The log has the story, the answer only where to find it."""
    reference = ids.new("err")
    log.error("unexpected error %s", reference, exc_info=error)
    code, sentence = _OF_HTTP[500]
    return _answer(
        Told(
            500, code, sentence, {"reference": reference}, note=f"If you write to us, give this reference: {reference}"
        )
    )


def _answer(refusal: Told) -> Response:
    db.session.rollback()
    if speaks_json(request.path):
        response = jsonify(json_body(refusal, request.path))
    else:
        response = make_response(_page_or_plain(refusal))
    response.status_code = refusal.status
    response.headers.update(refusal.headers)
    return response


def _page_or_plain(refusal: Told) -> str:
    """The page; when what broke is also what the page needs (the database, a template), the bare words."""
    try:
        return _page(refusal)
    except Exception:
        if refusal.status < 500:
            raise
        log.exception("the error page could not be rendered either")
        db.session.rollback()
        return f"<!doctype html><title>Error</title><h1>{escape(refusal.sentence)}</h1><p>{escape(refusal.note)}</p>"


def _page(refusal: Told) -> str:
    title = _TITLES.get(refusal.status, "This cannot be done")
    code = f"{refusal.status}, {refusal.code.replace('_', ' ').lower()}"
    template = "errors/_notice.html" if hx.is_partial() else "errors/page.html"
    bill = shortfall.bill_of(refusal.details)
    limit = limit_page.of(refusal.code, refusal.sentence, refusal.details)
    if limit is not None:
        told = {"title": limit.title, "text": limit.text, "actions": limit.ways, "note": limit.note}
        return render_template(template, code=code, bill=bill, **told)
    text = _FOR_PEOPLE.get(refusal.status, refusal.sentence) if _says_nothing_more(refusal) else refusal.sentence
    return render_template(template, code=code, title=title, text=text, bill=bill, note=refusal.note)


def _says_nothing_more(refusal: Told) -> bool:
    """Whether HTTP refused by itself, so that a page would say its own heading twice, or speak to a program."""
    return refusal.sentence == _OF_HTTP.get(refusal.status, ("", ""))[1]


def _within(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith(place + "/") for place in places)
