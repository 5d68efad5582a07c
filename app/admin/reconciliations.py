"""Staff: reconciliations. What was read again from each channel, what was repaired, and asking for a run now (V4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from sqlalchemy.orm import Session

from app.admin import words
from app.admin.roles import actor, may_move_money, staff_moves_money, staff_reads
from app.db import transaction
from app.errors import Conflict, Invalid
from app.extensions import db
from app.http import csv_file, hx
from app.payments import reconciliations
from app.payments.reconciliation_table import Reconciliation

pages = Blueprint("admin_reconciliations", __name__)

PER_PAGE = 25
IN_A_FILE = 200  # runs fetched at once while a file is streamed
# Word, icon and tone of each state.
LOOKS = {
    "asked": ("Waiting", "clock", "warn"),
    "running": ("Running", "clock", "warn"),
    "done": ("Done", "ok", "pos"),
    "incomplete": ("Incomplete", "alert", "warn"),
    "broken_off": ("Broken off", "fail", "neg"),
}

_COLUMNS: dict[str, Callable[[Reconciliation], object]] = {
    "id": lambda run: run.id,
    "channel": lambda run: run.channel,
    "state": lambda run: run.state,
    "asked_by": lambda run: run.asked_by,
    "asked_at": lambda run: csv_file.instant(run.asked_at),
    "started_at": lambda run: csv_file.instant(run.started_at),
    "ended_at": lambda run: csv_file.instant(run.ended_at),
    "looked_at": lambda run: sum(run.looked_at.values()),
    "repaired": lambda run: run.change_count,
    "unread": lambda run: " ".join(run.unread),
}


@pages.get("/admin/reconciliations")
@staff_reads
def index() -> Response | str:
    """Runs, newest first; for htmx the list alone."""
    if hx.is_partial():
        return hx.answer(render_template("admin/reconciliations/_rows.html", **_list()))
    return hx.answer(render_template("admin/reconciliations/index.html", **_list()))


@pages.get("/admin/reconciliations.csv")
@staff_reads
def index_csv() -> Response:
    """The same runs as a file."""
    session, channel = db.session(), request.args.get("channel", "").strip()
    return csv_file.of_list(
        session, "reconciliations", _COLUMNS, lambda place: _read(session, channel, place, IN_A_FILE)
    )


@pages.get("/admin/reconciliations/<run_id>")
@staff_reads
def show(run_id: str) -> Response | str:
    """One run: its report, or how far it is."""
    run = reconciliations.one(db.session(), run_id)
    shown = {"run": run, "looks": LOOKS, "by": words.names_of(db.session(), [run.asked_by])[run.asked_by]}
    if hx.is_partial():
        return hx.answer(render_template("admin/reconciliations/_run.html", **shown))
    return hx.answer(render_template("admin/reconciliations/index.html", **{**_list(), **shown}))


@pages.post("/admin/reconciliations")
@staff_moves_money
def ask() -> Response:
    """Have the worker read one channel, or all, now. One that is under way goes on."""
    wanted, known = request.form.get("channel", ""), _channels()
    if wanted and wanted not in known:
        raise Invalid("There is no such channel.", field="channel")
    asked: list[Reconciliation] = []
    for channel in [wanted] if wanted else known:
        with suppress(Conflict), transaction(db.session()):
            asked.append(reconciliations.ask(db.session(), channel, actor=actor()))
    if not asked:
        flash("One is under way already." if known else "No payment channel is configured.", "")
        return hx.go(url_for(".index"))
    flash("The worker begins in a moment.", "pos")
    return hx.go(url_for(".show", run_id=asked[0].id) if len(asked) == 1 else url_for(".index"))


def _list() -> dict[str, Any]:
    session, channel = db.session(), request.args.get("channel", "").strip()
    start = request.args.get("before") or None
    rows, older = _read(session, channel, start, PER_PAGE)
    kept: dict[str, Any] = {"channel": channel or None}
    return {
        "run": None,
        "rows": rows,
        "channel": channel,
        "channels": _channels(),
        "looks": LOOKS,
        "may_act": may_move_money(),
        "is_busy": any(row.is_under_way for row in rows) and not start,
        "older": url_for(".index", before=older, **kept) if older else "",
        "newest": url_for(".index", **kept) if start else "",
        "csv": url_for(".index_csv", **kept),
    }


def _read(session: Session, channel: str, start: str | None, limit: int) -> tuple[Sequence[Reconciliation], str | None]:
    """So many runs older than `start`, and where those after them begin."""
    before = reconciliations.one(session, start) if start else None
    wanted = reconciliations.page(session, channel=channel, before=before, limit=limit + 1)
    return wanted[:limit], wanted[limit - 1].id if len(wanted) > limit else None


def _channels() -> list[str]:
    return sorted(current_app.extensions["providers"])
