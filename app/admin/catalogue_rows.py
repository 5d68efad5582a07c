"""Staff: meters, packs, actions, services and prices of models, a list and a form each.

All staff see them; admins edit, after a look at what changes.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for

from app import clock, digest
from app.admin import meanwhile, row_columns, row_form, words
from app.admin.meanwhile import Meanwhile
from app.admin.provider_ids import packs_lacking
from app.admin.roles import actor, may_edit_catalogue, staff_edits_catalogue, staff_reads
from app.admin.row_kinds import KINDS, NEW, PLURALS, in_address, key_in
from app.admin.typed import Typed
from app.catalogue import edit_rows
from app.catalogue.difference import Change
from app.catalogue.edit_rows import RowWrong
from app.catalogue.packs import each_in_hundredths
from app.catalogue.row_terms import Listed, RowTerms, name_of
from app.catalogue.terms import PackTerms
from app.db import transaction
from app.errors import Conflict
from app.extensions import db
from app.http import csv_file, hx
from app.http.filters import MONTH_NAMES, small_price
from app.payments import reads

pages = Blueprint("admin_rows", __name__)

_PRICINGS = {"list_price": "At list price, less a commission", "cost_plus": "At cost, plus a markup"}

LIST = f"/admin/<{PLURALS}:plural>"
ONE = f"{LIST}/<key>"


@pages.get(LIST)
@staff_reads
def index(plural: str) -> str:
    """Every one of a kind."""
    rows = edit_rows.every(db.session(), KINDS[plural].name)
    told: dict[str, Any] = {"plans": edit_rows.plans_by_meter(db.session())} if plural == "meters" else {}
    if plural == "packs":
        told = _sales(rows)
    return render_template(
        "admin/rows/index.html",
        plural=plural,
        kind=KINDS[plural],
        rows=rows,
        csv=url_for(".index_csv", plural=plural),
        addresses={row.terms.key: url_for(".show", plural=plural, key=in_address(row.terms)) for row in rows},
        may_edit=may_edit_catalogue(),
        **{"lacking": [], **told},
    )


@pages.get(f"{LIST}.csv")
@staff_reads
def index_csv(plural: str) -> Response:
    """The same as a file."""
    session, name = db.session(), KINDS[plural].name
    return csv_file.of_list(
        session, plural, row_columns.columns(plural), lambda _: (edit_rows.every(session, name), None)
    )


@pages.get(f"{LIST}/{NEW}")
@staff_edits_catalogue
def new(plural: str) -> Response:
    """The empty form."""
    name = KINDS[plural].name
    return _editor(plural, None, row_form.blank(name, edit_rows.next_place(db.session(), name)))


@pages.get(ONE)
@staff_reads
def show(plural: str, key: str) -> Response:
    """One: the form for those who may edit, what it says for the others."""
    found = edit_rows.one(db.session(), KINDS[plural].name, key_in(key))
    return _editor(plural, found, row_form.of_terms(found.terms))


@pages.post(f"{ONE}/changes")
@staff_edits_catalogue
def changes(plural: str, key: str) -> Response:
    """What saving would change, for what is typed so far."""
    found, typed = _asked(plural, key)
    other = _other(found, typed)
    change = None if other else _read(plural, found, typed)[0]
    return hx.answer(
        render_template("admin/rows/_changes.html", whole=False, **_told(plural, found, typed, change, other))
    )


@pages.post(ONE)
@staff_edits_catalogue
def save(plural: str, key: str) -> Response:
    """Save what was shown; else show it."""
    found, typed = _asked(plural, key)
    other = _other(found, typed)
    if other is not None:  # what it is about to say is compared with what is there now
        typed = row_form.of_typed(other.values)
    change, terms = _read(plural, found, typed)
    if other is not None:
        return _editor(plural, found, typed, change, other, status=409)
    if typed.errors:
        return _editor(plural, found, typed, status=422)
    if change is None or request.form.get("confirmed") != digest.of(change.data()):
        return _editor(plural, found, typed, change)
    try:
        with transaction(db.session):
            edit_rows.save(db.session(), terms, is_new=found is None, actor=actor())
    except RowWrong as wrong:
        row_form.refuse(typed, wrong)
        return _editor(plural, found, typed, status=422)
    flash(f"{name_of(terms)} is {'saved' if found else 'on offer'}", "pos")
    return hx.go(url_for(".index", plural=plural))


@pages.post(f"{ONE}/retire")
@staff_edits_catalogue
def retire(plural: str, key: str) -> Response:
    """Offer it no longer."""
    kind = KINDS[plural]
    with transaction(db.session):
        found = edit_rows.retire(db.session(), kind.name, key_in(key), actor=actor())
    flash(f"{name_of(found.terms)} is offered no longer. {kind.keeps}", "pos")
    return hx.go(url_for(".index", plural=plural))


@pages.post(f"{ONE}/offer")
@staff_edits_catalogue
def offer(plural: str, key: str) -> Response:
    """Offer a retired one again."""
    with transaction(db.session):
        found = edit_rows.offer_again(db.session(), KINDS[plural].name, key_in(key), actor=actor())
    flash(f"{name_of(found.terms)} is on offer again", "pos")
    return hx.go(url_for(".index", plural=plural))


def _sales(rows: list[Listed]) -> dict[str, Any]:
    """What one credit of each pack costs, and what was sold of it this month, in UTC."""
    now = clock.now()
    sold = reads.packs_sold(db.session(), now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
    packs = [row.terms for row in rows if isinstance(row.terms, PackTerms)]
    on_offer = [row.terms for row in rows if isinstance(row.terms, PackTerms) and row.retired_at is None]
    each = {pack.key: small_price(each_in_hundredths(pack.price_minor, pack.credits), pack.currency) for pack in packs}
    return {
        "each": each,
        "sold": sold,
        "sold_in_all": sum(count for count, _ in sold.values()),
        "billed_in_all": sum(minor for _, minor in sold.values()),
        "month": MONTH_NAMES[now.month - 1],
        "lacking": packs_lacking(on_offer, current_app.extensions["providers"]),
    }


def _asked(plural: str, key: str) -> tuple[Listed | None, Typed]:
    found = None if key == NEW else edit_rows.one(db.session(), KINDS[plural].name, key_in(key))
    return found, row_form.of_typed(request.form)


def _other(found: Listed | None, typed: Typed) -> Meanwhile | None:
    """What somebody else changed since the form was opened."""
    if found is None:
        return None
    return meanwhile.look(request.form.get(meanwhile.BASE), row_form.of_terms(found.terms).values, typed.values)


def _read(plural: str, found: Listed | None, typed: Typed) -> tuple[Change | None, RowTerms]:
    """What was typed, and how it differs from what is on offer; mistakes are left in the form."""
    name = KINDS[plural].name
    place = edit_rows.next_place(db.session(), name)
    terms = row_form.terms_of(name, typed, found.terms if found else None, place=place)
    change = None
    try:
        change = edit_rows.difference(db.session(), terms, is_new=found is None)
    except RowWrong as wrong:
        row_form.refuse(typed, wrong)
    except Conflict as gone:  # retired while the form was open: what was typed stays
        typed.wrong("name", gone.sentence)
    return (None if typed.errors else change), terms


def _editor(
    plural: str,
    found: Listed | None,
    typed: Typed,
    change: Change | None = None,
    other: Meanwhile | None = None,
    *,
    status: int = 200,
) -> Response:
    template = "admin/rows/_form.html" if hx.is_partial() else "admin/rows/edit.html"
    happened: list[words.Told] = []
    if found is not None:
        happened = words.of_subject(db.session(), f"{KINDS[plural].name}:{found.terms.key}")
    told = _told(plural, found, typed, change, other)
    shown: dict[str, Any] = {
        "whole": True,
        "happened": happened,
        "steps": row_form.steps_shown(typed),
        "pricings": list(_PRICINGS.items()),
    }
    return hx.answer(render_template(template, **shown, **told), status)


def _told(
    plural: str, found: Listed | None, typed: Typed, change: Change | None, other: Meanwhile | None
) -> dict[str, Any]:
    now = row_form.of_terms(found.terms).values if found else {}
    return {
        "plural": plural,
        "kind": KINDS[plural],
        "row": found,
        "name": name_of(found.terms) if found else "",
        "key": in_address(found.terms) if found else NEW,
        "typed": typed,
        "base": meanwhile.opened(now) if found else "",
        "other": other,
        "change": change,
        "confirmed": digest.of(change.data()) if change else "",
        "may_edit": may_edit_catalogue(),
        "may_type": may_edit_catalogue() and (found is None or found.retired_at is None or bool(typed.errors)),
    }
