"""Staff: meters, packs and actions, a list and a form each. All see them; admins edit, after a look at what changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for

from app import activity, clock
from app.admin import row_form, words
from app.admin.roles import actor, may_edit_catalogue, staff_edits_catalogue, staff_reads
from app.admin.typed import Typed
from app.catalogue import edit_rows
from app.catalogue.difference import Change
from app.catalogue.edit_rows import Listed, RowTerms, RowWrong
from app.catalogue.packs import each_in_hundredths
from app.catalogue.terms import PackTerms
from app.db import transaction
from app.extensions import db
from app.http import hx
from app.http.filters import MONTH_NAMES, small_price
from app.payments import reads

pages = Blueprint("admin_rows", __name__)

LIST = "/admin/<any(packs,meters,actions):plural>"
ONE = f"{LIST}/<key>"
NEW = "new-one"  # stands for the key of one that is being made; no key has a hyphen


@dataclass(frozen=True)
class Kind:
    """A kind of row and the words for it: what goes on after one is retired, and whom a change concerns."""

    name: str
    title: str
    keeps: str
    changed: str


KINDS = {
    "packs": Kind(
        "pack",
        "Credit packs",
        "Who is on its payment page can still pay.",
        "Who is on a payment page already pays what it said.",
    ),
    "meters": Kind(
        "meter",
        "Meters",
        "What was counted stays.",
        "What was counted stays. How much is included is said by each plan.",
    ),
    "actions": Kind(
        "action",
        "Actions",
        "What was spent on it stays spent.",
        "It costs this from the next time on; what was spent stays spent.",
    ),
}


@pages.get(LIST)
@staff_reads
def index(plural: str) -> str:
    """Every one of a kind."""
    rows = edit_rows.every(db.session(), KINDS[plural].name)
    told: dict[str, Any] = {"plans": edit_rows.plans_by_meter(db.session())} if plural == "meters" else {}
    if plural == "packs":
        told = _sales(rows)
    return render_template(f"admin/rows/{plural}.html", rows=rows, may_edit=may_edit_catalogue(), new=NEW, **told)


@pages.get(f"{LIST}/{NEW}")
@staff_edits_catalogue
def new(plural: str) -> Response:
    """The empty form."""
    return _editor(plural, None, row_form.blank(edit_rows.next_place(db.session(), KINDS[plural].name)))


@pages.get(ONE)
@staff_reads
def show(plural: str, key: str) -> Response:
    """One: the form for those who may edit, what it says for the others."""
    found = edit_rows.one(db.session(), KINDS[plural].name, key)
    return _editor(plural, found, row_form.of_terms(found.terms))


@pages.post(f"{ONE}/changes")
@staff_edits_catalogue
def changes(plural: str, key: str) -> Response:
    """What saving would change, for what is typed so far."""
    found, typed = _asked(plural, key)
    change, _ = _read(plural, found, typed)
    return hx.answer(render_template("admin/rows/_changes.html", **_told(plural, found, typed, change)))


@pages.post(ONE)
@staff_edits_catalogue
def save(plural: str, key: str) -> Response:
    """Save what was shown; else show it."""
    found, typed = _asked(plural, key)
    change, terms = _read(plural, found, typed)
    if typed.errors:
        return _editor(plural, found, typed, status=422)
    if change is None or request.form.get("confirmed") != row_form.digest(change):
        return _editor(plural, found, typed, change)
    try:
        with transaction(db.session):
            edit_rows.save(db.session(), terms, is_new=found is None, actor=actor())
    except RowWrong as wrong:
        row_form.refuse(typed, wrong)
        return _editor(plural, found, typed, status=422)
    flash(f"{terms.name} is {'saved' if found else 'on offer'}", "pos")
    return hx.go(url_for(".index", plural=plural))


@pages.post(f"{ONE}/retire")
@staff_edits_catalogue
def retire(plural: str, key: str) -> Response:
    """Offer it no longer."""
    kind = KINDS[plural]
    with transaction(db.session):
        found = edit_rows.retire(db.session(), kind.name, key, actor=actor())
    flash(f"{found.terms.name} is offered no longer. {kind.keeps}", "pos")
    return hx.go(url_for(".index", plural=plural))


@pages.post(f"{ONE}/offer")
@staff_edits_catalogue
def offer(plural: str, key: str) -> Response:
    """Offer a retired one again."""
    with transaction(db.session):
        found = edit_rows.offer_again(db.session(), KINDS[plural].name, key, actor=actor())
    flash(f"{found.terms.name} is on offer again", "pos")
    return hx.go(url_for(".index", plural=plural))


def _sales(rows: list[Listed]) -> dict[str, Any]:
    """What one credit of each pack costs, and what was sold of it this month, in UTC."""
    now = clock.now()
    sold = reads.packs_sold(db.session(), now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
    packs = [row.terms for row in rows if isinstance(row.terms, PackTerms)]
    each = {pack.key: small_price(each_in_hundredths(pack.price_minor, pack.credits), pack.currency) for pack in packs}
    return {
        "each": each,
        "sold": sold,
        "sold_in_all": sum(count for count, _ in sold.values()),
        "billed_in_all": sum(minor for _, minor in sold.values()),
        "month": MONTH_NAMES[now.month - 1],
    }


def _asked(plural: str, key: str) -> tuple[Listed | None, Typed]:
    found = None if key == NEW else edit_rows.one(db.session(), KINDS[plural].name, key)
    return found, Typed(request.form)


def _read(plural: str, found: Listed | None, typed: Typed) -> tuple[Change | None, RowTerms]:
    """What was typed, and how it differs from what is on offer; mistakes are left in the form."""
    name = KINDS[plural].name
    place = edit_rows.next_place(db.session(), name)
    terms = row_form.terms_of(name, typed, found.terms if found else None, place=place)
    try:
        change = edit_rows.difference(db.session(), terms, is_new=found is None)
    except RowWrong as wrong:
        row_form.refuse(typed, wrong)
        change = None
    return (None if typed.errors else change), terms


def _editor(
    plural: str, found: Listed | None, typed: Typed, change: Change | None = None, *, status: int = 200
) -> Response:
    template = "admin/rows/_form.html" if hx.is_partial() else "admin/rows/edit.html"
    happened: list[words.Told] = []
    if found is not None:
        subject = f"{KINDS[plural].name}:{found.terms.key}"
        lines = activity.of_everyone(db.session(), action="catalogue.", subject=subject, limit=8).lines
        happened = words.told(db.session(), lines)
    told = _told(plural, found, typed, change)
    return hx.answer(render_template(template, happened=happened, **told), status)


def _told(plural: str, found: Listed | None, typed: Typed, change: Change | None) -> dict[str, Any]:
    return {
        "plural": plural,
        "kind": KINDS[plural],
        "row": found,
        "key": found.terms.key if found else NEW,
        "typed": typed,
        "change": change,
        "confirmed": row_form.digest(change),
        "may_edit": may_edit_catalogue(),
        "may_type": may_edit_catalogue() and (found is None or found.retired_at is None),
    }
