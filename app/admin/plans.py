"""Staff: the plans. All see what is sold in which version; admins edit, with before and after shown first."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for

from app import activity
from app.admin import plan_form, words
from app.admin.plan_form import PlanForm
from app.admin.roles import actor, may_edit_catalogue, staff_edits_catalogue, staff_reads
from app.catalogue import edit, reads, versions
from app.catalogue.difference import Change
from app.catalogue.edit import Listed, PlanWrong
from app.catalogue.models import DOWNGRADES, OVERAGE_MODES
from app.catalogue.terms import PlanTerms
from app.db import transaction
from app.extensions import db
from app.http import hx
from app.http.filters import default_currency
from app.subscriptions import subscribers

pages = Blueprint("admin_plans", __name__)

NEW = "new"  # stands for the id of a plan that is being made
_MODES = {"wallet": "Charge the wallet", "invoice": "Add to the invoice", "block": "Stop"}
_DOWNGRADES = {"period_end": "At period end", "immediate": "At once, credited"}


@pages.get("/admin/plans")
@staff_reads
def index() -> str:
    """Every plan with its version, who is on it, and what was changed last."""
    counts: dict[str, int] = {}
    for (plan_id, _), count in subscribers.per_version(db.session()).items():
        counts[plan_id] = counts.get(plan_id, 0) + count
    lines = activity.of_everyone(db.session(), action="catalogue.", limit=8).lines
    return render_template(
        "admin/plans/index.html",
        plans=edit.every_plan(db.session()),
        subscribers=counts,
        happened=words.told(db.session(), lines),
        may_edit=may_edit_catalogue(),
    )


@pages.get("/admin/plans/new")
@staff_edits_catalogue
def new() -> Response | str:
    """The empty form."""
    return _editor(None, plan_form.of_terms(_blank()))


@pages.get("/admin/plans/<plan_id>")
@staff_reads
def show(plan_id: str) -> Response | str:
    """One plan: the form for those who may edit, its terms for the others, and its versions."""
    found = edit.one_plan(db.session(), plan_id)
    if may_edit_catalogue() and found.retired_at is None:
        return _editor(found, plan_form.of_terms(found.terms))
    return render_template("admin/plans/terms.html", terms=found.terms, **_about(found))


@pages.get("/admin/plans/<plan_id>/versions/<int:number>")
@staff_reads
def version(plan_id: str, number: int) -> str:
    """The terms of one version, as those who bought it have them."""
    found = edit.one_plan(db.session(), plan_id)
    return render_template(
        "admin/plans/terms.html", terms=reads.version_of(db.session(), plan_id, number), **_about(found)
    )


@pages.post("/admin/plans/<plan_id>/changes")
@staff_edits_catalogue
def changes(plan_id: str) -> Response:
    """What saving would change, for what is typed so far."""
    found, form = _asked(plan_id)
    change, _ = _read(found, form)
    return hx.answer(render_template("admin/plans/_changes.html", form=form, **_told(found, change)))


@pages.post("/admin/plans/<plan_id>")
@staff_edits_catalogue
def save(plan_id: str) -> Response | str:
    """Save what was shown; else show it. A button of the form may also add a row to it or take one away."""
    found, form = _asked(plan_id)
    if _rows_changed(form, request.form.get("do", "")):
        return _editor(found, form)
    change, terms = _read(found, form)
    if form.errors:
        return _editor(found, form, status=422)
    if change is None or request.form.get("confirmed") != _digest(change):
        return _editor(found, form, change)
    with transaction(db.session):
        saved = edit.save_plan(db.session(), terms, actor=actor())
    return _saved(terms, saved)


@pages.post("/admin/plans/<plan_id>/retire")
@staff_edits_catalogue
def retire(plan_id: str) -> Response:
    """Offer it no longer."""
    with transaction(db.session):
        plan = edit.retire_plan(db.session(), plan_id, actor=actor())
    flash(f"{plan.key} is offered no longer. Who has it keeps it.", "pos")
    return hx.go(url_for(".show", plan_id=plan.id))


@pages.post("/admin/plans/<plan_id>/offer")
@staff_edits_catalogue
def offer(plan_id: str) -> Response:
    """Offer a retired plan again."""
    with transaction(db.session):
        plan = edit.offer_again(db.session(), plan_id, actor=actor())
    flash(f"{plan.key} is on offer again", "pos")
    return hx.go(url_for(".show", plan_id=plan.id))


def _asked(plan_id: str) -> tuple[Listed | None, PlanForm]:
    found = None if plan_id == NEW else edit.one_plan(db.session(), plan_id)
    return found, plan_form.of_typed(request.form)


def _read(found: Listed | None, form: PlanForm) -> tuple[Change | None, PlanTerms]:
    """What was typed, and how it differs from what is on offer; mistakes are left in the form."""
    before = found.terms if found else None
    terms = plan_form.terms_of(form, key=before.key if before else "", limits_before=before.limits if before else ())
    try:
        change = edit.difference(db.session(), terms)
    except PlanWrong as wrong:
        plan_form.refuse(form, wrong)
        change = None
    if found is None and change is not None and change.how != "new":
        form.errors.setdefault("key", "A plan with this key exists already.")
    return (None if form.errors else change), terms


def _rows_changed(form: PlanForm, do: str) -> bool:
    verb, _, rest = do.partition("-")
    kind, _, place = rest.partition("-")
    if verb == "add":
        form.add(kind)
    elif verb == "remove" and place.isascii() and place.isdigit():
        form.remove(kind, int(place))
    else:
        return False
    return True


def _saved(terms: PlanTerms, saved: Change | None) -> Response:
    how = {"new": "is on offer", "version": "is on offer in a new version"}.get(saved.how if saved else "", "is saved")
    flash(f"{terms.name} {how}", "pos")
    plan_id = next((plan.id for plan, _ in edit.every_plan(db.session()) if plan.key == terms.key), "")
    return hx.go(url_for(".show", plan_id=plan_id))


def _editor(found: Listed | None, form: PlanForm, change: Change | None = None, *, status: int = 200) -> Response | str:
    template = "admin/plans/_form.html" if hx.is_partial() else "admin/plans/edit.html"
    shown: dict[str, Any] = {
        "form": form,
        "meters": [(meter.key, meter.name) for meter in edit.meters(db.session())],
        "modes": [(mode, _MODES[mode]) for mode in OVERAGE_MODES],
        "downgrades": [(choice, _DOWNGRADES[choice]) for choice in DOWNGRADES],
        "flags": plan_form.FLAG_WORDS,
        **_about(found),
        **_told(found, change),
    }
    return hx.answer(render_template(template, **shown), status)


def _told(found: Listed | None, change: Change | None) -> dict[str, Any]:
    return {
        "plan_id": found.terms.id if found else NEW,
        "change": change,
        "confirmed": _digest(change) if change else "",
        "next_version": found.terms.version + 1 if found else 1,
    }


def _about(found: Listed | None) -> dict[str, Any]:
    """What the pages of one plan say beside its terms."""
    if found is None:
        return {"plan": None, "versions": [], "counts": {}, "happened": [], "may_edit": True}
    counts = {
        number: count
        for (plan_id, number), count in subscribers.per_version(db.session()).items()
        if plan_id == found.terms.id
    }
    lines = activity.of_everyone(db.session(), action="catalogue.", subject=f"plan:{found.terms.key}", limit=8).lines
    return {
        "plan": found,
        "versions": versions.of_plan(db.session(), found.terms.id),
        "counts": counts,
        "happened": words.told(db.session(), lines),
        "may_edit": may_edit_catalogue(),
    }


def _digest(change: Change) -> str:
    """The before and after a person has seen: saving anything else shows it first."""
    return hashlib.sha256(json.dumps(change.data(), sort_keys=True).encode()).hexdigest()


def _blank() -> PlanTerms:
    rank = max((plan.rank for plan, _ in edit.every_plan(db.session())), default=-1) + 1
    return PlanTerms(key="", rank=rank, name="", description="", currency=default_currency())
