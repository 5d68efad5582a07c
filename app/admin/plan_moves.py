"""Staff: moving the subscribers of an old version of a plan. What it comes to is shown first, then how far it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for

from app.admin import move_form, plan_about, plan_words, words
from app.admin.move_form import Movable
from app.admin.roles import actor, may_edit_catalogue, staff_edits_catalogue, staff_reads
from app.admin.typed import Typed
from app.catalogue import edit, reads
from app.customers import search
from app.db import transaction
from app.errors import Conflict, Invalid
from app.extensions import db
from app.flows import move_outlook
from app.http import csv_file, hx
from app.moves import begin
from app.moves import reads as moves
from app.moves.begin import Asked
from app.moves.models import VersionMove
from app.moves.reads import Row

pages = Blueprint("admin_plan_moves", __name__, url_prefix="/admin/plans/<plan_id>/moves")

PER_PAGE = 50
IN_A_FILE = 500  # customers fetched at once while a file is streamed
# How it stands with a customer: the word, its icon, its tone.
STANDINGS = {
    "waiting": ("Waiting", "clock", ""),
    "told": ("Told", "bell", ""),
    "arranged": ("Arranged", "hold", ""),
    "moved": ("Moved", "ok", "pos"),
    "left": ("Not moved", "alert", "warn"),
    "stopped": ("Taken back", "dash", ""),
}
STATES = {"running": ("Under way", "clock", ""), "done": ("Done", "ok", "pos"), "stopped": ("Taken back", "dash", "")}


@pages.get("/new")
@staff_edits_catalogue
def new(plan_id: str) -> Response | str:
    """The form as it is before anybody has typed, with what would happen."""
    chosen = [each[:64] for each in request.args.getlist("customer")[: begin.MOST_CHOSEN]]
    it = move_form.of_plan(db.session(), plan_id)
    typed = Typed(move_form.blank(it, request.args.get("from", ""), chosen))
    return _page(it, typed, move_form.asked(db.session(), it, typed) if it.versions else None)


@pages.post("")
@staff_edits_catalogue
def create(plan_id: str) -> Response | str:
    """Begin the move that was looked at; else show what it would come to."""
    typed, it = Typed(request.form), move_form.of_plan(db.session(), plan_id)
    asked = move_form.asked(db.session(), it, typed)
    if asked is None:
        return _page(it, typed, None, status=422)
    seen = typed.raw("confirmed")
    if not seen or typed.raw("do") == "look":
        return _page(it, typed, asked)
    if seen != move_form.digest(asked, move_outlook.look(db.session(), plan_about.providers(), asked)):
        return _page(it, typed, asked, stale=True, status=409)
    try:
        with transaction(db.session):
            move = begin.begin(db.session(), asked, reason=typed.line("reason"), actor=actor())
    except Invalid as refusal:
        typed.wrong(refusal.field or "reason", refusal.sentence)
        return _page(it, typed, asked, status=422)
    except Conflict as refusal:
        typed.wrong("from", refusal.sentence)
        return _page(it, typed, asked, status=409)
    flash(f"The move of {move_form.people(move.count)} has begun", "pos")
    return hx.go(url_for(".show", plan_id=plan_id, move_id=move.id))


@pages.get("/<move_id>")
@staff_reads
def show(plan_id: str, move_id: str) -> Response | str:
    """How far it is, and its customers one by one; for htmx that list alone."""
    shown = _progress(moves.one(db.session(), plan_id, move_id))
    if hx.is_partial():
        return hx.answer(render_template("admin/plans/_moved.html", **shown))
    more = {
        "plan": edit.one_plan(db.session(), plan_id),
        "by": words.names_of(db.session(), {shown["move"].created_by})[shown["move"].created_by],
        "may_edit": may_edit_catalogue(),
    }
    return render_template("admin/plans/moved.html", **shown, **more)


@pages.get("/<move_id>.csv")
@staff_reads
def show_csv(plan_id: str, move_id: str) -> Response:
    """The same customers as a file."""
    session, move, standing = db.session(), moves.one(db.session(), plan_id, move_id), _standing()

    def page(after: str | None) -> tuple[list[Row], str | None]:
        return moves.page(session, move.id, standing=standing, after=after or "", limit=IN_A_FILE)

    return csv_file.of_list(session, f"move-{move.from_version}-{move.to_version}", _COLUMNS, page)


@pages.post("/<move_id>/stop")
@staff_edits_catalogue
def stop(plan_id: str, move_id: str) -> Response:
    """Take it back: nobody more is moved, and what was announced or arranged is undone."""
    moves.one(db.session(), plan_id, move_id)
    with transaction(db.session):
        begin.stop(db.session(), move_id, actor=actor())
    flash("The move is taken back. Who has the new terms already keeps them.", "pos")
    return hx.go(url_for(".show", plan_id=plan_id, move_id=move_id))


_COLUMNS: dict[str, Callable[[Row], object]] = {
    "customer_id": lambda row: row.customer_id,
    "status": lambda row: row.standing,
    "why": lambda row: row.why,
    "new_terms_from": lambda row: csv_file.instant(row.at),
    "price_before": lambda row: csv_file.price(row.before_minor, row.currency or "usd"),
    "price_after": lambda row: csv_file.price(row.after_minor, row.currency or "usd"),
    "currency": lambda row: (row.currency or "").upper(),
}


def _page(it: Movable, typed: Typed, asked: Asked | None, *, stale: bool = False, status: int = 200) -> Response | str:
    session = db.session()
    outlook = move_outlook.look(session, plan_about.providers(), asked) if asked else None
    examples = [whose for each in (outlook.left if outlook else ()) for whose in each.customers]
    shown: dict[str, Any] = {
        "plan": it.plan,
        "typed": typed,
        "versions": it.versions,
        "asked": asked,
        "outlook": outlook,
        "months": move_form.intervals(outlook),
        "stale": stale,
        "differs": _differs(asked) if asked else [],
        "names": search.names(session, examples[:50]),
        "confirmed": move_form.digest(asked, outlook) if asked and outlook else "",
        "whens": move_form.WHENS,
    }
    template = "admin/plans/_move.html" if hx.is_partial() else "admin/plans/move.html"
    return hx.answer(render_template(template, **shown), status)


def _differs(asked: Asked) -> list[plan_words.Line]:
    numbers = (asked.to_version, asked.from_version)
    new, old = (reads.version_of(db.session(), asked.plan_id, number) for number in numbers)
    return plan_words.changed(db.session(), new, old)


def _progress(move: VersionMove) -> dict[str, Any]:
    session, standing = db.session(), _standing()
    after = request.args.get("after", "")[:100]
    found, last = moves.page(session, move.id, standing=standing, after=after, limit=PER_PAGE)
    counts = moves.counts(session, move.id)
    here: dict[str, Any] = {"plan_id": move.plan_id, "move_id": move.id, "status": standing or None}
    return {
        "move": move,
        "rows": found,
        "names": search.names(session, [row.customer_id for row in found]),
        "counts": [(word, counts[key]) for key, (word, _, _) in STANDINGS.items() if counts.get(key)],
        "at_work": bool(counts.get("waiting")),
        "standings": STANDINGS,
        "state": STATES[move.state],
        "choices": [("", "Any"), *((key, word) for key, (word, _, _) in STANDINGS.items())],
        "status": standing,
        "again": url_for(".show", after=after or None, **here),
        "older": url_for(".show", after=last, **here) if last else "",
        "newest": url_for(".show", **here) if after else "",
        "csv": url_for(".show_csv", **here),
    }


def _standing() -> str:
    """The status that was asked for. Raises Invalid."""
    asked = request.args.get("status", "").strip()
    if asked and asked not in STANDINGS:
        raise Invalid("There is no such status.", field="status")
    return asked
