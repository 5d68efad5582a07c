"""The plan editor: the form that was sent, what somebody else changed meanwhile, what it would change, and its page."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template, request

from app import digest
from app.admin import meanwhile, plan_about, plan_form, plan_words, provider_ids
from app.admin.meanwhile import Meanwhile
from app.admin.plan_form import PlanForm
from app.catalogue import edit
from app.catalogue.difference import Change
from app.catalogue.edit import Listed, PlanWrong
from app.catalogue.models import DOWNGRADES, OVERAGE_MODES
from app.catalogue.terms import PlanTerms
from app.extensions import db
from app.http import hx

NEW = "new"  # stands for the id of a plan that is being made
_MODES = {"wallet": "Charge the wallet", "invoice": "Add to the invoice", "block": "Stop"}


def asked(plan_id: str) -> tuple[Listed | None, PlanForm]:
    """The plan, None for one that is being made, and the form as it was sent. Raises NotFound."""
    found = None if plan_id == NEW else edit.one_plan(db.session(), plan_id)
    return found, plan_form.of_typed(request.form)


def form_of(found: Listed) -> PlanForm:
    """The form as it is before anybody has typed."""
    return plan_form.of_terms(found.terms, list(plan_about.providers()))


def other_of(found: Listed | None, form: PlanForm) -> Meanwhile | None:
    """What somebody else changed since the form was opened."""
    if found is None:
        return None
    return meanwhile.look(request.form.get(meanwhile.BASE), base_of(found), plan_form.flat(form))


def base_of(found: Listed) -> dict[str, str]:
    """What two editors' forms are compared by."""
    told = plan_form.flat(form_of(found))
    return told | ({"withdrawn": "yes"} if found.retired_at else {})


def read(found: Listed | None, form: PlanForm) -> tuple[Change | None, PlanTerms]:
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


def answer(
    found: Listed | None,
    form: PlanForm,
    change: Change | None = None,
    terms: PlanTerms | None = None,
    *,
    other: Meanwhile | None = None,
    keep_base: bool = False,
    draft: tuple[str, str] | None = None,
    status: int = 200,
) -> Response:
    """The form with what is beside it. `keep_base`: nobody has compared it yet with what somebody else did."""
    base = request.form.get(meanwhile.BASE, "") if keep_base else None
    return hx.answer(page(found, form, change, terms, other=other, base=base, draft=draft), status)


def page(
    found: Listed | None,
    form: PlanForm,
    change: Change | None = None,
    terms: PlanTerms | None = None,
    *,
    other: Meanwhile | None = None,
    base: str | None = None,
    draft: tuple[str, str] | None = None,
) -> str:
    """As a page, or for htmx the form alone. `draft`: the id of the draft it is, and when that was saved."""
    template = "admin/plans/_form.html" if hx.is_partial() else "admin/plans/edit.html"
    draft_id, draft_saved = draft or (request.form.get("draft", ""), request.form.get("draft_saved", ""))
    fresh = meanwhile.opened(base_of(found)) if found else ""
    shown: dict[str, Any] = {
        "form": form,
        "base": fresh if base is None else base,
        "draft_id": draft_id,
        "draft_saved": draft_saved,
        "whole": True,
        "meters": [(meter.key, meter.name) for meter in edit.meters(db.session())],
        "modes": [(mode, _MODES[mode]) for mode in OVERAGE_MODES],
        "downgrades": [(choice, plan_words.DOWNGRADES[choice]) for choice in DOWNGRADES],
        "flags": plan_form.FLAG_WORDS,
        "channels": [(name, provider.title) for name, provider in plan_about.providers().items()],
        **plan_about.shown(found),
        **told(found, change, terms, other),
    }
    return render_template(template, **shown)


def told(
    found: Listed | None, change: Change | None, terms: PlanTerms | None, other: Meanwhile | None
) -> dict[str, Any]:
    """What the panel of changes says."""
    warnings = []
    if change is not None and terms is not None:
        before = found.terms if found else None
        channels = plan_about.providers()
        warnings = provider_ids.stale(before, terms, channels) + provider_ids.lacking(db.session(), terms, channels)
    return {
        "plan_id": found.terms.id if found else NEW,
        "change": change,
        "confirmed": digest.of(change.data()) if change else "",
        "next_version": found.terms.version + 1 if found else 1,
        "counts": plan_about.counts_of(found.terms.id) if found else {},
        "warnings": warnings,
        "other": other,
        "is_ended": found is not None and found.retired_at is not None,
    }
