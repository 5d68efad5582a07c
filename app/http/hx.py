"""HTMX as this program uses it: one URL with two shapes, a page or its partial. The only file that knows htmx-flask."""

from __future__ import annotations

import json

from flask import Flask, Response, make_response, request


def register(app: Flask) -> None:
    """Every answer says that it depends on HX-Request, so no cache shows a partial as a page."""

    @app.after_request
    def _vary(response: Response) -> Response:
        response.vary.add("HX-Request")
        return response


def is_partial() -> bool:
    """Whether to answer with the partial alone. Boosted links and restored history want the whole page."""
    told = request.htmx  # type: ignore[attr-defined]  # htmx-flask replaces the request class at run time
    return bool(told) and not told.boosted and not told.history_restore_request


def answer(
    body: str,
    status: int = 200,
    *,
    trigger: str | dict[str, object] | None = None,
    retarget: str = "",
    reswap: str = "",
) -> Response:
    """A partial with its htmx headers: events to fire after it, another target, another way to swap."""
    response = make_response(body, status)
    if trigger:
        response.headers["HX-Trigger"] = trigger if isinstance(trigger, str) else json.dumps(trigger)
    if retarget:
        response.headers["HX-Retarget"] = retarget
    if reswap:
        response.headers["HX-Reswap"] = reswap
    return response


def go(url: str) -> Response:
    """Send the browser to another page: a real 303, or HX-Redirect where htmx would swap the page into a panel."""
    if is_partial():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = url
        return response
    response = make_response("", 303)
    response.headers["Location"] = url
    return response
