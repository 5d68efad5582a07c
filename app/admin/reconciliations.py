"""Staff: reconciliations. What was read again from each channel, what was repaired, and asking for a run now (V4)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for

from app.admin import words
from app.admin.roles import actor, may_move_money, staff_moves_money, staff_reads
from app.db import transaction
from app.errors import Conflict, Invalid
from app.extensions import db
from app.http import hx
from app.payments import reconciliations
from app.payments.reconciliation_table import Reconciliation

pages = Blueprint("admin_reconciliations", __name__, url_prefix="/admin/reconciliations")

PER_PAGE = 25
# Word, icon and tone of each state.
LOOKS = {
    "asked": ("Waiting", "clock", "warn"),
    "running": ("Running", "clock", "warn"),
    "done": ("Done", "ok", "pos"),
    "incomplete": ("Incomplete", "alert", "warn"),
    "broken_off": ("Broken off", "fail", "neg"),
}


@pages.get("")
@staff_reads
def index() -> Response | str:
    """Runs, newest first; for htmx the list alone."""
    if hx.is_partial():
        return hx.answer(render_template("admin/reconciliations/_rows.html", **_list()))
    return hx.answer(render_template("admin/reconciliations/index.html", **_list()))


@pages.get("/<run_id>")
@staff_reads
def show(run_id: str) -> Response | str:
    """One run: its report, or how far it is."""
    run = reconciliations.one(db.session(), run_id)
    shown = {"run": run, "looks": LOOKS, "by": words.names_of(db.session(), [run.asked_by])[run.asked_by]}
    if hx.is_partial():
        return hx.answer(render_template("admin/reconciliations/_run.html", **shown))
    return hx.answer(render_template("admin/reconciliations/index.html", **{**_list(), **shown}))


@pages.post("")
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
    start = request.args.get("before")
    before = reconciliations.one(session, start) if start else None
    wanted = reconciliations.page(session, channel=channel, before=before, limit=PER_PAGE + 1)
    rows = wanted[:PER_PAGE]
    kept: dict[str, Any] = {"channel": channel or None}
    return {
        "run": None,
        "rows": rows,
        "channel": channel,
        "channels": _channels(),
        "looks": LOOKS,
        "may_act": may_move_money(),
        "is_busy": any(row.is_under_way for row in rows) and before is None,
        "older": url_for(".index", before=rows[-1].id, **kept) if len(wanted) > PER_PAGE else "",
        "newest": url_for(".index", **kept) if before else "",
    }


def _channels() -> list[str]:
    return sorted(current_app.extensions["providers"])
