"""Staff: drafts of plans. Admins put a form by, mistakes and all, and go on later; nothing of it is on offer."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, flash, request, url_for

from app.admin import meanwhile, plan_editor, plan_form
from app.admin.roles import actor, staff_edits_catalogue
from app.catalogue import drafts, edit
from app.catalogue.models import PlanDraft
from app.db import transaction
from app.extensions import db
from app.http import hx

pages = Blueprint("admin_plan_drafts", __name__)


@pages.post("/admin/plans/<plan_id>/draft")
@staff_edits_catalogue
def save(plan_id: str) -> Response:
    """Put by what is typed; who goes on with a draft saves it again."""
    found, form = plan_editor.asked(plan_id)
    kept = {name: text for name, text in plan_form.flat(form).items() if name not in _CONTROLS}
    name = form.values.get("name", "").strip()[:60] or "A plan without a name"
    seen = (request.form.get("draft", ""), _instant(request.form.get("draft_saved", "")))
    with transaction(db.session):
        draft = drafts.save(
            db.session(),
            plan_id=found.terms.id if found else None,
            name=name,
            form=kept,
            base=request.form.get(meanwhile.BASE, ""),
            seen=seen,
            actor=actor(),
        )
    if seen[0] and draft.id != seen[0]:
        flash("Somebody saved that draft meanwhile: yours is kept beside it", "warn")
    else:
        flash(f"The draft of {name} is saved. Nothing of it is on offer.", "pos")
    return hx.go(url_for(".show", draft_id=draft.id))


@pages.get("/admin/plans/drafts/<draft_id>")
@staff_edits_catalogue
def show(draft_id: str) -> Response:
    """The form as it was put by, with what was changed of the plan since."""
    draft = drafts.one(db.session(), draft_id)
    found = edit.one_plan(db.session(), draft.plan_id) if draft.plan_id else None
    form = plan_form.of_flat(draft.form)
    other = meanwhile.look(draft.base, plan_editor.base_of(found), plan_form.flat(form)) if found else None
    if other is not None:
        form = plan_form.of_flat(other.values)
    change, terms = plan_editor.read(found, form)
    return plan_editor.answer(found, form, change, terms, other=other, draft=(draft.id, _stamp(draft)))


@pages.post("/admin/plans/drafts/<draft_id>/discard")
@staff_edits_catalogue
def discard(draft_id: str) -> Response:
    """Throw it away."""
    with transaction(db.session):
        draft = drafts.discard(db.session(), draft_id, actor=actor())
    flash(f"The draft of {draft.name} is thrown away", "pos")
    return hx.go(url_for("admin_plans.index"))


_CONTROLS = (*plan_form.CONTROLS, meanwhile.BASE, "draft", "draft_saved", "withdrawn")


def _stamp(draft: PlanDraft) -> str:
    return draft.saved_at.isoformat()


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
