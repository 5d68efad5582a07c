"""Staff: the webhook inbox. What came, what it did, what is retried or given up; replaying and putting away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from markupsafe import Markup

from app import clock
from app.admin import words
from app.admin.roles import actor, may_move_money, staff_moves_money, staff_reads
from app.db import transaction
from app.errors import Invalid, Refusal
from app.extensions import db
from app.http import csv_file, hx
from app.http.errors import status_of
from app.payments import inbox, reads, unverified
from app.payments.models import EVENT_STATES, ProviderEvent

pages = Blueprint("admin_webhooks", __name__)

PER_PAGE = 25
LONGEST_BODY = 100_000  # characters shown; the whole of it is in the database
IN_A_FILE = 500  # events fetched at once while a file is streamed
MOST_REPLAYED = 500  # at once, by "replay all"; what is left can be replayed with a second press

# What a try came to: word, icon and tone of its tag.
CAME_TO = {
    "done": ("Applied", "ok", "pos"),
    "ignored": ("Nothing to do", "dash", ""),
    "pending": ("Put off", "retry", "warn"),
    "dead": ("Gave up", "fail", "neg"),
}
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


@pages.get("/admin/webhooks.csv")
@staff_reads
def index_csv() -> Response:
    """The same list as a file, without the bodies."""
    session, asked = db.session(), _asked()

    def page(place: str | None) -> tuple[list[Sequence[object]], str | None]:
        found = reads.events(session, before=place, limit=IN_A_FILE, **asked)
        rows: list[Sequence[object]] = [
            (e.id, e.provider, e.event_id, e.type, e.object_id, status(e), e.attempts, clock.timestamp(e.received_at),
             clock.timestamp(e.handled_at) if e.handled_at else "", e.error)
            for e in found.events
        ]  # fmt: skip
        return rows, found.older

    heading = (
        "id", "channel", "event", "type", "about", "status", "tries", "received_at", "handled_at", "error",
    )  # fmt: skip
    return csv_file.answer(f"webhooks-{clock.now():%Y-%m-%d}.csv", heading, csv_file.walked(session, page))


@pages.get("/admin/webhooks/<event_id>/body")
@staff_reads
def body(event_id: str) -> Response:
    """The very bytes that came, as a download: never as a page, since a stranger may have chosen them."""
    found = reads.event(db.session, event_id)
    answer = Response(bytes(found.body), mimetype="application/octet-stream")
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.id}.bin"'
    return answer


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
    flash("Nothing had been given up." if not dead else f"{len(dead)} applied again in a moment.", "pos")
    return hx.go(url_for(".index"))


def _asked() -> dict[str, Any]:
    state, channel, starts = (request.args.get(name, "").strip() for name in ("state", "channel", "type"))
    if state and state not in EVENT_STATES:
        raise Invalid("There is no such state.", field="state")
    return {"state": state or None, "channel": channel or None, "type_starts": starts[:100]}


def _list() -> dict[str, Any]:
    asked, before = _asked(), request.args.get("before") or None
    page = reads.events(db.session, before=before, limit=PER_PAGE, **asked)
    filters = {"state": asked["state"] or "", "channel": asked["channel"] or "", "type": asked["type_starts"]}
    kept: dict[str, Any] = {name: value or None for name, value in filters.items()}
    return {
        "event": None,
        "events": page.events,
        "counts": reads.counts(db.session),
        "many": many,
        "refused": _refused_at_the_door(),
        "csv": url_for(".index_csv", **kept),
        "filters": filters,
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
        "signature": signature(event),
        "tries": [(each, datetime.fromisoformat(each["at"])) for each in reversed(event.tries)],
        "came_to": CAME_TO,
        "by_staff": words.of_subject(db.session, event.id, action="webhook.", limit=20),
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


def _back(event: ProviderEvent, sentence: str) -> Response:
    flash(sentence, "pos")
    return hx.go(url_for(".show", event_id=event.id))


def _refused_at_the_door() -> list[unverified.Refused]:
    """What could not be verified lately; what this process has counted and not yet written comes with it."""
    counted: unverified.Counts = current_app.extensions["unverified"]
    if due := counted.due(at_once=True):
        with transaction(db.session):
            unverified.keep(db.session, due)
    return unverified.lately(db.session)


def signature(event: ProviderEvent) -> tuple[str, str, str]:
    """What is known of who sent it: a sentence, and icon and tone of its tag."""
    if hashlib.sha256(event.body).hexdigest() != event.sha256:
        return "The body is not the one that came: it was changed in the database", "fail", "neg"
    if event.event_id.startswith("poll:") or event.headers == inbox.READ_BY_US:
        return "Read from the channel by Purser itself", "ok", "pos"
    return "Verified over the bytes that came", "ok", "pos"


def many(count: int) -> str:
    """`12`, and `1,000+` where counting ended."""
    return f"{count:,}+" if count >= reads.MOST_COUNTED else f"{count:,}"


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
