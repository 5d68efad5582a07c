"""Staff: whether the audit log is as it was written. The panel that says so on two pages, and a check of all now."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, url_for

from app import activity
from app.activity import checking
from app.admin import words
from app.admin.roles import actor, may_move_money, staff_moves_money
from app.config import Settings
from app.db import transaction
from app.extensions import db
from app.flows import audit_log
from app.http import hx

pages = Blueprint("admin_audit_chain", __name__)


@pages.post("/admin/activity/check")
@staff_moves_money
def check() -> Response | str:
    """Hold every line of the log against its seal, now."""
    settings: Settings = current_app.extensions["settings"]
    found = audit_log.verify(db.session(), real_time=settings.is_production, by=actor())
    with transaction(db.session()):
        told: dict[str, Any] = {"sealed": found.sealed, "head": found.head, "fault_count": found.fault_count}
        activity.record(db.session(), actor(), "audit.checked", audit_log.SUBJECT, **told)
    if hx.is_partial():
        return hx.answer(render_template("admin/activity/_chain.html", chain=state()))
    flash(
        "The audit log holds." if found.holds else f"Faults found: {found.fault_count}.",
        "pos" if found.holds else "neg",
    )
    return hx.go(url_for("admin_activity.index"))


def state() -> dict[str, Any]:
    """What the panel says. New lines are sealed first, and the newest checked; of the rest the last check tells."""
    session = db.session()
    audit_log.seal_new(session)
    newest, last = audit_log.newest(session), checking.last(session)
    return {
        "sealed": newest.sealed,
        "head": newest.head,
        "newest": newest,
        "last": last,
        "by": words.names_of(session, [last.by])[last.by] if last else "",
        "may_check": may_move_money(),
    }
