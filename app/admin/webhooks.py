"""Staff: the webhook inbox. What came, what it did, what is retried or given up; replaying and putting away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from markupsafe import Markup

from app import clock
from app.admin.roles import actor, may_move_money, staff_moves_money, staff_reads
from app.db import transaction
from app.errors import Invalid, Refusal
from app.extensions import db
from app.http import hx
from app.http.errors import status_of
from app.payments import inbox, reads
from app.payments.models import EVENT_STATES, ProviderEvent

pages = Blueprint("admin_webhooks", __name__)

PER_PAGE = 25
LONGEST_BODY = 100_000  # characters shown; the whole of it is in the database
MOST_REPLAYED = 500  # at once, by "replay all"; what is left can be replayed with a second press

_SECRET_WORDS = ("signature", "authorization", "cookie", "token", "secret", "key")


@pages.get("/admin/webhooks")
@staff_reads
def index() -> Response | str:
    """The inbox, newest first, by state, type and channel."""
    shown = _list()
    if hx.is_partial():
        return hx.answer(render_template("admin/webhooks/_rows.html", **shown))
    return render_template("admin/webhooks/index.html", **shown)


@pages.get("/admin/webhooks/<event_id>")
@staff_reads
def show(event_id: str) -> Response | str:
    """One event: what came, what it did, why it waits."""
    event = reads.event(db.session, event_id)
    return _event(event)


@pages.post("/admin/webhooks/<event_id>/replay")
@staff_moves_money
def replay(event_id: str) -> Response | str:
    """Apply it again from the start; its effects are unique, so nothing happens twice."""
    try:
        with transaction(db.session):
            event = inbox.replay(db.session, event_id, actor=actor())
    except Refusal as refusal:
        return _refused(event_id, refusal)
    return _event(event) if hx.is_partial() else _back(event, "The event is applied again in a moment.")


@pages.post("/admin/webhooks/<event_id>/ignore")
@staff_moves_money
def ignore(event_id: str) -> Response | str:
    """Put it away for good, with a reason."""
    reason = request.form.get("reason", "")
    try:
        with transaction(db.session):
            event = inbox.ignore(db.session, event_id, reason=reason, actor=actor())
    except Refusal as refusal:
        return _refused(event_id, refusal, reason)
    return _event(event) if hx.is_partial() else _back(event, "The event is put away.")


@pages.post("/admin/webhooks/replay-dead")
@staff_moves_money
def replay_dead() -> Response:
    """Replay what was given up, up to 500 at once."""
    with transaction(db.session):
        dead = reads.events(db.session, state="dead", limit=MOST_REPLAYED).events
        for event in dead:
            inbox.replay(db.session, event.id, actor=actor())
    words = "Nothing had been given up." if not dead else f"{len(dead)} applied again in a moment."
    flash(words, "pos")
    return hx.go(url_for(".index"))


def _list() -> dict[str, Any]:
    state, channel, starts = (request.args.get(name, "").strip() for name in ("state", "channel", "type"))
    before = request.args.get("before") or None
    if state and state not in EVENT_STATES:
        raise Invalid("There is no such state.", field="state")
    page = reads.events(
        db.session,
        state=state or None,
        channel=channel or None,
        type_starts=starts[:100],
        before=before,
        limit=PER_PAGE,
    )
    kept: dict[str, Any] = {"state": state or None, "channel": channel or None, "type": starts or None}
    return {
        "event": None,
        "events": page.events,
        "counts": reads.counts(db.session),
        "filters": {"state": state, "channel": channel, "type": starts},
        "channels": sorted(current_app.extensions["providers"]),
        "status": status,
        "breakable": breakable,
        "older": url_for(".index", before=page.older, **kept) if page.older else "",
        "newest": url_for(".index", **kept) if before else "",
        "may_act": may_move_money(),
    }


def _event(event: ProviderEvent, code: int = 200, error: str = "", typed: str = "") -> Response | str:
    # Soon: an event whose turn has come asks for itself again until it is applied; one that waits for hours does not.
    due = event.state == "pending" and event.next_at <= clock.now()
    shown = {
        "event": event,
        "due": due,
        "body": pretty(event.body),
        "headers": safe_headers(event.headers),
        "status": status,
        "breakable": breakable,
        "may_act": may_move_money(),
        "error": error,
        "typed": typed,
    }
    if hx.is_partial():
        return hx.answer(render_template("admin/webhooks/_event.html", **shown), code)
    return hx.answer(render_template("admin/webhooks/index.html", **{**_list(), **shown}), code)


def _refused(event_id: str, refusal: Refusal, typed: str = "") -> Response | str:
    return _event(reads.event(db.session, event_id), status_of(refusal), refusal.sentence, typed)


def _back(event: ProviderEvent, words: str) -> Response:
    flash(words, "pos")
    return hx.go(url_for(".show", event_id=event.id))


def status(event: ProviderEvent) -> str:
    """The state in the words of the pages."""
    if event.state == "pending":
        return "Retrying" if event.error else "Received"
    return {"done": "Applied", "ignored": "Ignored", "dead": "Gave up"}[event.state]


def breakable(event_type: str) -> Markup:
    """A long dotted name that a narrow column may break after a dot or an underscore."""
    parts = [Markup("_<wbr>").join(part.split("_")) for part in event_type.split(".")]
    return Markup(".<wbr>").join(parts)


def pretty(body: bytes) -> str:
    """The body as it came, JSON with line breaks; cut at a length no event of a provider reaches."""
    text = body.decode("utf-8", errors="replace")
    with suppress(ValueError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text if len(text) <= LONGEST_BODY else text[:LONGEST_BODY] + "\n…"


def safe_headers(headers: Mapping[str, Any]) -> dict[str, str]:
    """Headers fit to be seen: of what proves who sent it, only the front."""
    return {
        name: str(value)[:14] + "…" if any(word in name.lower() for word in _SECRET_WORDS) else str(value)
        for name, value in sorted(headers.items())
    }
