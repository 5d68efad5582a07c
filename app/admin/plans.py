"""Staff: the plans. All see what is sold in which version; admins edit, with before and after shown first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flask import Blueprint, Response, current_app, flash, render_template, request, url_for
from sqlalchemy.exc import IntegrityError

from app import digest
from app.admin import plan_about, plan_editor, plan_form, plan_words, provider_ids, words
from app.admin.plan_form import PlanForm
from app.admin.roles import actor, may_edit_catalogue, staff_edits_catalogue, staff_reads
from app.catalogue import drafts, edit, reads
from app.catalogue.difference import Change
from app.catalogue.edit import Listed
from app.catalogue.models import Plan, PlanVersion
from app.catalogue.terms import PlanTerms
from app.db import transaction
from app.extensions import db
from app.http import csv_file, hx, pricing_list
from app.http.filters import default_currency
from app.subscriptions import subscribers

pages = Blueprint("admin_plans", __name__)

_COLUMNS: dict[str, Callable[[tuple[Plan, PlanVersion, int]], object]] = {
    "id": lambda row: row[0].id,
    "key": lambda row: row[0].key,
    "name": lambda row: row[1].name,
    "description": lambda row: row[1].description,
    "rank": lambda row: row[0].rank,
    "version": lambda row: row[1].number,
    "version_since": lambda row: csv_file.instant(row[1].created_at),
    "by_contract": lambda row: "yes" if row[1].is_custom else "no",
    "monthly": lambda row: csv_file.price(row[1].monthly_minor, row[1].currency),
    "yearly": lambda row: csv_file.price(row[1].yearly_minor, row[1].currency),
    "currency": lambda row: row[1].currency.upper(),
    "included_credits": lambda row: row[1].included_credits,
    "welcome_credits": lambda row: row[1].welcome_credits,
    "customers": lambda row: row[2],
    "retired_at": lambda row: csv_file.instant(row[0].retired_at),
}


@pages.get("/admin/plans")
@staff_reads
def index() -> str:
    """Every plan with its version, who is on it, and what was changed last."""
    plans = edit.every_plan(db.session())
    offered = reads.with_limits(db.session(), [each for each in plans if each[0].retired_at is None])
    return render_template(
        "admin/plans/index.html",
        plans=plans,
        drafts=plan_about.drafts_told(drafts.every(db.session())),
        subscribers=_counts(),
        lacking=[(plan, provider_ids.lacking(db.session(), plan, plan_about.providers())) for plan in offered],
        happened=words.of_group(db.session(), "catalogue."),
        may_edit=may_edit_catalogue(),
    )


@pages.get("/admin/plans.csv")
@staff_reads
def index_csv() -> Response:
    """The same plans as a file, without the drafts."""
    session, counts = db.session(), _counts()
    rows = [(plan, terms, counts.get(plan.id, 0)) for plan, terms in edit.every_plan(session)]
    return csv_file.of_list(session, "plans", _COLUMNS, lambda _: (rows, None))


@pages.get("/admin/plans/new")
@staff_edits_catalogue
def new() -> Response | str:
    """The empty form."""
    return plan_editor.answer(None, plan_form.of_terms(_blank(), list(plan_about.providers())))


@pages.get("/admin/plans/<plan_id>")
@staff_reads
def show(plan_id: str) -> Response | str:
    """One plan: the form for those who may edit, its terms for the others, and its versions."""
    found = edit.one_plan(db.session(), plan_id)
    if may_edit_catalogue() and found.retired_at is None:
        return plan_editor.answer(found, plan_editor.form_of(found))
    return _terms(found, found.terms)


@pages.get("/admin/plans/<plan_id>/versions/<int:number>")
@staff_reads
def version(plan_id: str, number: int) -> str:
    """The terms of one version, as those who bought it have them."""
    found = edit.one_plan(db.session(), plan_id)
    terms = reads.version_of(db.session(), plan_id, number)
    return _terms(found, terms)


@pages.post("/admin/plans/<plan_id>/changes")
@staff_edits_catalogue
def changes(plan_id: str) -> Response:
    """What saving would change, for what is typed so far."""
    found, form = plan_editor.asked(plan_id)
    other = plan_editor.other_of(found, form)
    change, terms = (None, None) if other else plan_editor.read(found, form)
    told = plan_editor.told(found, change, terms, other)
    return hx.answer(render_template("admin/plans/_changes.html", form=form, whole=False, **told))


@pages.post("/admin/plans/<plan_id>")
@staff_edits_catalogue
def save(plan_id: str) -> Response | str:
    """Save what was shown; else show it. A button of the form may also add a row to it or take one away."""
    found, form = plan_editor.asked(plan_id)
    if _rows_changed(form, request.form.get("do", "")):
        return plan_editor.answer(found, form, keep_base=True)
    other = plan_editor.other_of(found, form)
    if other is not None:
        form = plan_form.of_flat(other.values)
    change, terms = plan_editor.read(found, form)
    if other is not None:
        return plan_editor.answer(found, form, change, terms, other=other, status=409)
    if form.errors:
        return plan_editor.answer(found, form, status=422)
    if change is None or request.form.get("confirmed") != digest.of(change.data()):
        return plan_editor.answer(found, form, change, terms)
    try:
        with transaction(db.session):
            saved = edit.save_seen(db.session(), terms, found, actor=actor())
            drafts.drop(db.session(), request.form.get("draft", ""))
    except (edit.ChangedMeanwhile, IntegrityError):  # at the very same instant: else `other` had shown it
        return _second(plan_id)
    return _saved(terms, saved)


def _second(plan_id: str) -> Response:
    """Nothing was saved: what was typed, with what the first of two who confirmed at once has changed."""
    found, form = plan_editor.asked(plan_id)
    other = plan_editor.other_of(found, form)
    if other is not None:
        form = plan_form.of_flat(other.values)
    change, terms = plan_editor.read(found, form)
    return plan_editor.answer(found, form, change, terms, other=other, status=409)


@pages.post("/admin/plans/<plan_id>/preview")
@staff_edits_catalogue
def preview(plan_id: str) -> Response | str:
    """The pricing page as it would be with what is typed; saves nothing."""
    found, form = plan_editor.asked(plan_id)
    _, terms = plan_editor.read(found, form)
    if form.errors:
        return hx.answer(plan_editor.page(found, form), 422, retarget="#plan", reswap="outerHTML")
    live = reads.live(db.session())
    plans = [plan for plan in live.plans if plan.key != terms.key] + [terms]
    wanted = replace(live, plans=tuple(sorted(plans, key=lambda plan: (plan.rank, plan.key))))
    sent = {name: value for name, value in request.form.items() if name not in plan_form.CONTROLS}
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


def _terms(found: Listed, terms: PlanTerms) -> str:
    """A version in words, beside the one before it."""
    shown = plan_about.shown(found)
    before = next((each.terms for each in shown["versions"] if each.terms.version == terms.version - 1), None)
    groups = plan_words.of(db.session(), terms, before)
    return render_template("admin/plans/terms.html", terms=terms, before=before, groups=groups, **shown)


def _counts() -> dict[str, int]:
    """Plan id to how many customers are on any version of it."""
    counts: dict[str, int] = {}
    for (plan_id, _), count in subscribers.per_version(db.session()).items():
        counts[plan_id] = counts.get(plan_id, 0) + count
    return counts


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


def _blank() -> PlanTerms:
    rank = max((plan.rank for plan, _ in edit.every_plan(db.session())), default=-1) + 1
    return PlanTerms(key="", rank=rank, name="", description="", currency=default_currency())
