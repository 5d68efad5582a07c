"""Staff: the catalogue as a file: taken away as it is, and put back with the difference looked at first (SPEC P3)."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for

from app import clock
from app.admin.roles import actor, may_edit_catalogue, staff_edits_catalogue, staff_reads
from app.catalogue import difference, file, publish, reads, toml_text
from app.catalogue.difference import Change
from app.catalogue.file import CatalogueWrong
from app.db import transaction
from app.errors import Conflict
from app.extensions import db
from app.http import hx
from app.http.filters import default_currency
from app.subscriptions import subscribers

pages = Blueprint("admin_catalogue_file", __name__)


@pages.get("/admin/catalogue.toml")
@staff_reads
def download() -> Response:
    """What is on offer now, as `purser catalogue apply` takes it."""
    now = clock.now()
    heading = f"What was on offer on {clock.timestamp(now)}. Coupons and tax rates are not part of it."
    text = toml_text.write(reads.whole(db.session()), currency=default_currency(), heading=heading)
    answer = Response(text, mimetype="application/toml")
    answer.headers["Content-Disposition"] = f'attachment; filename="catalogue-{now:%Y-%m-%d}.toml"'
    return answer


@pages.get("/admin/catalogue/file")
@staff_reads
def show() -> str:
    """The way out and the way in."""
    return _page()


@pages.post("/admin/catalogue/file")
@staff_edits_catalogue
def upload() -> Response | str:
    """Show what a file would change; apply it where that is what was looked at."""
    text, wrong = _sent()
    if wrong:
        return hx.answer(_page(text, wrong), 422)
    try:
        wanted = file.read(text, currency=default_currency())
    except CatalogueWrong as refusal:
        told = [f"{each['place']}: {each['message']}" for each in refusal.details["mistakes"]]
        return hx.answer(_page(text, "The file cannot be used. Nothing was changed.", told), 422)
    seen = request.form.get("confirmed", "")
    if seen:
        try:
            with transaction(db.session):
                changes = publish.apply(db.session(), wanted, actor=actor(), seen=seen)
        except Conflict as conflict:
            return hx.answer(_looked_at(text, conflict.sentence), 409)
        flash(f"{_counted(len(changes))} made: the catalogue is as the file says", "pos")
        return hx.go(url_for("admin_catalogue.show"))
    return _looked_at(text)


def _sent() -> tuple[str, str]:
    """The text that was sent, in a file or typed, and what is wrong with it."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        text = request.form.get("text", "").replace("\0", "")
        return text, "" if text.strip() else "Choose a file, or paste what is in it."
    try:
        return sent.read().decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        return "", "The file is not a text in UTF-8."


def _looked_at(text: str, conflict: str = "") -> str:
    """What the file would change now."""
    live = reads.whole(db.session())
    wanted = file.read(text, currency=default_currency())
    changes = difference.between(live, wanted)
    return render_template(
        "admin/catalogue/difference.html",
        text=text,
        conflict=conflict,
        changes=changes,
        lines="\n".join(line for change in changes for line in change.lines()),
        counted=_counted(len(changes)),
        kept=_kept(changes),
        seen=publish.fingerprint(live, changes),
    )


def _kept(changes: list[Change]) -> list[str]:
    """`37 subscribers of Studio keep version 2.`"""
    counts, told = subscribers.per_version(db.session()), []
    plans = {plan.key: plan for plan in reads.offered_plans(db.session())}
    for change in changes:
        plan = plans.get(change.key) if change.kind == "plan" and change.how in ("version", "retired") else None
        for (plan_id, number), count in sorted(counts.items()) if plan else []:
            if plan is not None and plan.id == plan_id:
                who = "1 subscriber of" if count == 1 else f"{count:,} subscribers of"
                told.append(f"{who} {plan.name} {'keeps' if count == 1 else 'keep'} version {number}.")
    return told


def _counted(count: int) -> str:
    return "1 change" if count == 1 else f"{count:,} changes"


def _page(text: str = "", wrong: str = "", mistakes: list[str] | None = None) -> str:
    currency = current_app.extensions["settings"].currency.upper()
    told = {"text": text, "wrong": wrong, "mistakes": mistakes or [], "currency": currency}
    return render_template("admin/catalogue/file.html", may_edit=may_edit_catalogue(), **told)
