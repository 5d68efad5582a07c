"""Plans that are not on offer yet, or not so: forms put by, to be gone on with and published later (DESIGN: Draft)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.catalogue.models import Plan, PlanDraft
from app.errors import Conflict, NotFound

MOST_DRAFTS = 200


def every(session: Session) -> list[PlanDraft]:
    """All of them, the newest first. One SELECT."""
    return list(session.scalars(select(PlanDraft).order_by(PlanDraft.saved_at.desc(), PlanDraft.id.desc())))


def of_plan(session: Session, plan_id: str) -> list[PlanDraft]:
    """Those of one plan, the newest first."""
    return [draft for draft in every(session) if draft.plan_id == plan_id]


def one(session: Session, draft_id: str) -> PlanDraft:
    """One of them. Raises NotFound."""
    draft = session.get(PlanDraft, draft_id)
    if draft is None:
        raise NotFound("There is no such draft. It was published or thrown away.")
    return draft


def save(
    session: Session,
    *,
    plan_id: str | None,
    name: str,
    form: Mapping[str, str],
    base: str,
    seen: tuple[str, datetime | None],
    actor: str,
) -> PlanDraft:
    """Put a form by: over the draft it was taken from, `seen` by its id and when it was saved, else as another one.

    A draft that somebody else saved since, or threw away, is left alone. Raises Conflict where there are too many.
    """
    found = select(PlanDraft).where(PlanDraft.id == seen[0]).with_for_update()
    draft = session.scalars(found.execution_options(populate_existing=True)).one_or_none() if seen[0] else None
    if draft is None or draft.saved_at != seen[1]:
        if len(every(session)) >= MOST_DRAFTS:
            raise Conflict(f"There are {MOST_DRAFTS} drafts: publish one or throw it away first.")
        draft = PlanDraft(id=ids.new("draft"), plan_id=plan_id)
        session.add(draft)
    draft.name, draft.form, draft.base = name, dict(form), base
    draft.saved_at, draft.saved_by = clock.now(), actor
    activity.record(session, actor, "catalogue.drafted", _subject(session, draft), draft=draft.id, name=name)
    session.flush()
    return draft


def discard(session: Session, draft_id: str, *, actor: str) -> PlanDraft:
    """Throw it away. Raises NotFound."""
    draft = one(session, draft_id)
    activity.record(
        session, actor, "catalogue.draft_discarded", _subject(session, draft), draft=draft.id, name=draft.name
    )
    session.delete(draft)
    session.flush()
    return draft


def drop(session: Session, draft_id: str) -> None:
    """It was published: what it was is in the plan now."""
    if draft_id:
        session.execute(delete(PlanDraft).where(PlanDraft.id == draft_id))


def _subject(session: Session, draft: PlanDraft) -> str:
    plan = session.get(Plan, draft.plan_id) if draft.plan_id else None
    return f"plan:{plan.key}" if plan else draft.id
