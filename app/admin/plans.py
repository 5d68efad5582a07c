"""Staff: the plans. All see what is sold in which version; admins edit, with before and after shown first."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for

from app.admin import meanwhile, plan_about, plan_form, provider_ids, words
from app.admin.meanwhile import Meanwhile
from app.admin.plan_form import PlanForm
from app.admin.roles import actor, may_edit_catalogue, staff_edits_catalogue, staff_reads
from app.catalogue import edit, reads
from app.catalogue.difference import Change
from app.catalogue.edit import Listed, PlanWrong
from app.catalogue.models import DOWNGRADES, OVERAGE_MODES
from app.catalogue.terms import PlanTerms
from app.db import transaction
from app.extensions import db
from app.http import hx, pricing_list
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
    plans = edit.every_plan(db.session())
    offered = reads.with_limits(db.session(), [each for each in plans if each[0].retired_at is None])
    return render_template(
        "admin/plans/index.html",
        plans=plans,
        subscribers=counts,
        lacking=[(plan, provider_ids.lacking(plan, plan_about.providers())) for plan in offered],
        happened=words.of_group(db.session(), "catalogue."),
        may_edit=may_edit_catalogue(),
    )


@pages.get("/admin/plans/new")
@staff_edits_catalogue
def new() -> Response | str:
    """The empty form."""
    return _editor(None, plan_form.of_terms(_blank(), list(plan_about.providers())))


@pages.get("/admin/plans/<plan_id>")
@staff_reads
def show(plan_id: str) -> Response | str:
    """One plan: the form for those who may edit, its terms for the others, and its versions."""
    found = edit.one_plan(db.session(), plan_id)
    if may_edit_catalogue() and found.retired_at is None:
        return _editor(found, _form_of(found))
    return render_template("admin/plans/terms.html", terms=found.terms, **plan_about.shown(found))


@pages.get("/admin/plans/<plan_id>/versions/<int:number>")
@staff_reads
def version(plan_id: str, number: int) -> str:
    """The terms of one version, as those who bought it have them."""
    found = edit.one_plan(db.session(), plan_id)
    terms = reads.version_of(db.session(), plan_id, number)
    return render_template("admin/plans/terms.html", terms=terms, **plan_about.shown(found))


@pages.post("/admin/plans/<plan_id>/changes")
@staff_edits_catalogue
def changes(plan_id: str) -> Response:
    """What saving would change, for what is typed so far."""
    found, form = _asked(plan_id)
    other = _other(found, form)
    change, terms = (None, None) if other else _read(found, form)
    told = _told(found, change, terms, other)
    return hx.answer(render_template("admin/plans/_changes.html", form=form, whole=False, **told))


@pages.post("/admin/plans/<plan_id>")
@staff_edits_catalogue
def save(plan_id: str) -> Response | str:
    """Save what was shown; else show it. A button of the form may also add a row to it or take one away."""
    found, form = _asked(plan_id)
    if _rows_changed(form, request.form.get("do", "")):
        return _editor(found, form, keep_base=True)
    other = _other(found, form)
    if other is not None:
        form = plan_form.of_flat(other.values)
    change, terms = _read(found, form)
    if other is not None:
        return _editor(found, form, change, terms, other=other, status=409)
    if form.errors:
        return _editor(found, form, status=422)
    if change is None or request.form.get("confirmed") != _digest(change):
        return _editor(found, form, change, terms)
    with transaction(db.session):
        saved = edit.save_plan(db.session(), terms, actor=actor())
    return _saved(terms, saved)


@pages.post("/admin/plans/<plan_id>/preview")
@staff_edits_catalogue
def preview(plan_id: str) -> Response | str:
    """The pricing page as it would be with what is typed; saves nothing."""
    found, form = _asked(plan_id)
    _, terms = _read(found, form)
    if form.errors:
        template = "admin/plans/_form.html" if hx.is_partial() else "admin/plans/edit.html"
        return hx.answer(_page(found, form, template=template), 422, retarget="#plan", reswap="outerHTML")
    live = reads.live(db.session())
    plans = [plan for plan in live.plans if plan.key != terms.key] + [terms]
    wanted = replace(live, plans=tuple(sorted(plans, key=lambda plan: (plan.rank, plan.key))))
    sent = {name: value for name, value in request.form.items() if name not in ("csrf_token", "do", "confirmed")}
    settings, yearly = current_app.extensions["settings"], request.form.get("do") == "yearly"
    return hx.answer(
        render_template(
            "admin/plans/_preview.html" if hx.is_partial() else "admin/plans/preview.html",
            plan_id=plan_id,
            name=terms.name,
            sent=sent,
            **pricing_list.shown(wanted, settings, yearly=yearly, preview=True),
        )
    )


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


def _form_of(found: Listed) -> PlanForm:
    return plan_form.of_terms(found.terms, list(plan_about.providers()))


def _other(found: Listed | None, form: PlanForm) -> Meanwhile | None:
    """What somebody else changed since the form was opened."""
    if found is None:
        return None
    return meanwhile.look(request.form.get(meanwhile.BASE), _base_of(found), plan_form.flat(form))


def _base_of(found: Listed) -> dict[str, str]:
    told = plan_form.flat(_form_of(found))
    return told | ({"withdrawn": "yes"} if found.retired_at else {})


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


def _editor(
    found: Listed | None,
    form: PlanForm,
    change: Change | None = None,
    terms: PlanTerms | None = None,
    *,
    other: Meanwhile | None = None,
    keep_base: bool = False,
    status: int = 200,
) -> Response:
    """The form with what is beside it. `keep_base`: nobody has compared it yet with what somebody else did."""
    template = "admin/plans/_form.html" if hx.is_partial() else "admin/plans/edit.html"
    base = request.form.get(meanwhile.BASE, "") if keep_base else None
    return hx.answer(_page(found, form, change, terms, other=other, base=base, template=template), status)


def _page(
    found: Listed | None,
    form: PlanForm,
    change: Change | None = None,
    terms: PlanTerms | None = None,
    *,
    other: Meanwhile | None = None,
    base: str | None = None,
    template: str = "admin/plans/edit.html",
) -> str:
    fresh = meanwhile.opened(_base_of(found)) if found else ""
    shown: dict[str, Any] = {
        "form": form,
        "base": fresh if base is None else base,
        "whole": True,
        "meters": [(meter.key, meter.name) for meter in edit.meters(db.session())],
        "modes": [(mode, _MODES[mode]) for mode in OVERAGE_MODES],
        "downgrades": [(choice, _DOWNGRADES[choice]) for choice in DOWNGRADES],
        "flags": plan_form.FLAG_WORDS,
        "channels": [(name, provider.title) for name, provider in plan_about.providers().items()],
        **plan_about.shown(found),
        **_told(found, change, terms, other),
    }
    return render_template(template, **shown)


def _told(
    found: Listed | None, change: Change | None, terms: PlanTerms | None, other: Meanwhile | None
) -> dict[str, Any]:
    warnings = []
    if change is not None and terms is not None:
        before = found.terms if found else None
        warnings = provider_ids.stale(before, terms) + provider_ids.lacking(terms, plan_about.providers())
    return {
        "plan_id": found.terms.id if found else NEW,
        "change": change,
        "confirmed": _digest(change) if change else "",
        "next_version": found.terms.version + 1 if found else 1,
        "counts": plan_about.counts_of(found.terms.id) if found else {},
        "warnings": warnings,
        "other": other,
        "is_ended": found is not None and found.retired_at is not None,
    }


def _digest(change: Change) -> str:
    """The before and after a person has seen: saving anything else shows it first."""
    return hashlib.sha256(json.dumps(change.data(), sort_keys=True).encode()).hexdigest()


def _blank() -> PlanTerms:
    rank = max((plan.rank for plan, _ in edit.every_plan(db.session())), default=-1) + 1
    return PlanTerms(key="", rank=rank, name="", description="", currency=default_currency())
