"""Staff: outgoing webhooks. The endpoints of the host product, and the log of what was sent to them (SPEC §12.4)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from app.admin.roles import actor, may_edit_catalogue, may_move_money, staff_moves_money, staff_reads
from app.db import transaction
from app.errors import Invalid, Refusal
from app.extensions import db
from app.http import csv_file, hx
from app.http.errors import status_of
from app.outgoing import deliveries, reads
from app.outgoing.models import DELIVERY_STATES, WebhookDelivery, WebhookEndpoint

pages = Blueprint("admin_outgoing", __name__)

PER_PAGE = 25
IN_A_FILE = 500  # deliveries fetched at once while a file is streamed
_WORDS = {"pending": "Waiting", "delivered": "Delivered", "gave_up": "Gave up", "stopped": "Held"}

_COLUMNS: dict[str, Callable[[reads.Line], object]] = {
    "id": lambda line: line.delivery.id,
    "created_at": lambda line: csv_file.instant(line.delivery.created_at),
    "event": lambda line: line.delivery.event_id,
    "type": lambda line: line.delivery.type,
    "customer_id": lambda line: line.delivery.customer_id,
    "address": lambda line: line.url,
    "status": lambda line: word(line.delivery),
    "tries": lambda line: line.delivery.attempts,
    "last_status": lambda line: line.delivery.last_status,
    "last_error": lambda line: line.delivery.last_error,
    "next_at": lambda line: csv_file.instant(line.delivery.due_at if line.delivery.state == "pending" else None),
    "delivered_at": lambda line: csv_file.instant(line.delivery.delivered_at),
}


@pages.get("/admin/outgoing")
@staff_reads
def index() -> Response | str:
    """The endpoints, and the log, newest first; for htmx the log alone."""
    if hx.is_partial():
        return hx.answer(render_template("admin/outgoing/_rows.html", **_log()))
    return render_template("admin/outgoing/index.html", **_log(), **_endpoints())


@pages.get("/admin/outgoing.csv")
@staff_reads
def index_csv() -> Response:
    """The same log as a file, without the messages."""
    session, state = db.session(), _state()

    def page(place: str | None) -> tuple[Sequence[reads.Line], str | None]:
        found = reads.log(session, state=state or None, before=place, limit=IN_A_FILE)
        return found.lines, found.older

    return csv_file.of_list(session, "outgoing-webhooks", _COLUMNS, page)


@pages.get("/admin/outgoing/<customer_id>/<delivery_id>")
@staff_reads
def show(customer_id: str, delivery_id: str) -> Response | str:
    """One delivery: its message, and every try."""
    return _delivery(reads.one(db.session(), customer_id, delivery_id))


@pages.post("/admin/outgoing/<customer_id>/<delivery_id>/again")
@staff_moves_money
def resend(customer_id: str, delivery_id: str) -> Response | str:
    """Send it once more: the same message under the same id, so a receiver that had it knows."""
    error, code = "", 200
    try:
        with transaction(db.session()):
            deliveries.send_again(db.session(), customer_id, delivery_id, actor=actor())
    except Refusal as refusal:
        error, code = refusal.sentence, status_of(refusal)
    if not error and not hx.is_partial():
        return hx.go(url_for(".show", customer_id=customer_id, delivery_id=delivery_id))
    return _delivery(reads.one(db.session(), customer_id, delivery_id), error, code)


def _delivery(one: reads.One, error: str = "", code: int = 200) -> Response | str:
    shown = {
        "one": one,
        "word": word,
        "body": json.dumps(json.loads(one.event.body), indent=2, ensure_ascii=False),
        "error": error,
        "may_act": may_move_money(),
    }
    if hx.is_partial():
        return hx.answer(render_template("admin/outgoing/_delivery.html", **shown), code)
    page = render_template("admin/outgoing/index.html", **{**_log(), **_endpoints(), **shown})
    return hx.answer(page, code)


def _log() -> dict[str, Any]:
    state = _state()
    before = request.args.get("before") or None
    found = reads.log(db.session(), state=state or None, before=before, limit=PER_PAGE)
    kept: dict[str, Any] = {"state": state or None}
    return {
        "one": None,
        "lines": found.lines,
        "state": state,
        "states": [("", "Any"), *_WORDS.items()],
        "word": word,
        "older": url_for(".index", before=found.older, **kept) if found.older else "",
        "newest": url_for(".index", **kept) if before else "",
        "csv": url_for(".index_csv", **kept),
    }


def _state() -> str:
    state = request.args.get("state", "")
    if state and state not in DELIVERY_STATES:
        raise Invalid("There is no such state.", field="state")
    return state


def _endpoints() -> dict[str, Any]:
    return {"endpoints": reads.endpoints(db.session()), "may_edit": may_edit_catalogue(), "standing": standing}


def word(delivery: WebhookDelivery) -> str:
    """The state in the words of the pages."""
    return "Retrying" if delivery.state == "pending" and delivery.tries else _WORDS[delivery.state]


def standing(endpoint: WebhookEndpoint) -> tuple[str, str, str]:
    """How an endpoint is: word, icon and tone of its tag."""
    if endpoint.state == "off":
        return "Off", "void", ""
    return ("Failing", "alert", "warn") if endpoint.failing_since else ("On", "ok", "pos")
