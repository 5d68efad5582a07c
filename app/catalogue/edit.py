"""Changing one plan by hand, with what differs told first, and the versions there were (SPEC P2, P3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app import activity, clock
from app.catalogue import plan_rules, publish, reads
from app.catalogue.difference import Change, between
from app.catalogue.models import Meter, Plan, PlanVersion
from app.catalogue.terms import Catalogue, PlanTerms
from app.errors import Conflict, Invalid, NotFound


class PlanWrong(Invalid):
    """A plan that makes no sense. Details: field, and mistakes, each with field and message."""


class ChangedMeanwhile(Conflict):
    """The plan is not what it was when somebody looked at it. Details: plan."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A plan as staff see it: on offer, or retired since `retired_at`."""

    terms: PlanTerms
    retired_at: datetime | None
    published_at: datetime


def every_plan(session: Session) -> list[tuple[Plan, PlanVersion]]:
    """All plans by rank with the version on offer; those that were retired come last. One SELECT."""
    current = and_(PlanVersion.plan_id == Plan.id, PlanVersion.number == Plan.current_version)
    found = select(Plan, PlanVersion).join(PlanVersion, current)
    rows = session.execute(found.order_by(Plan.retired_at.is_not(None), Plan.rank, Plan.key)).all()
    return [(plan, version) for plan, version in rows]


def one_plan(session: Session, plan_id: str) -> Listed:
    """One of them. Raises NotFound."""
    plan = session.get(Plan, plan_id)
    version = session.get(PlanVersion, (plan_id, plan.current_version)) if plan else None
    if plan is None or version is None:
        raise NotFound("There is no such plan.")
    return Listed(reads.version_of(session, plan.id, version.number), plan.retired_at, version.created_at)


def difference(session: Session, wanted: PlanTerms) -> Change | None:
    """What saving these terms would change; None for nothing. Raises PlanWrong with every mistake."""
    _check(session, wanted)
    plan = session.scalars(select(Plan).where(Plan.key == wanted.key)).one_or_none()
    before = () if plan is None else (reads.version_of(session, plan.id, plan.current_version),)
    changes = between(Catalogue(plans=before), Catalogue(plans=(wanted,)))
    return changes[0] if changes else None


def save_plan(session: Session, wanted: PlanTerms, *, actor: str) -> Change | None:
    """Offer the plan with these terms: a new one, in place, or as a new version where the old one was sold.

    None where nothing would change. Raises PlanWrong with every mistake.
    """
    # Locked before it is compared: a sale in between turns a change in place into a new version.
    session.execute(select(Plan.id).where(Plan.key == wanted.key).with_for_update())
    change = difference(session, wanted)
    if change is not None:
        version = publish.publish_plan(session, wanted).number
        _record(session, actor, change.how, wanted.key, facts=change.data()["facts"], version=version)
    return change


def save_seen(session: Session, wanted: PlanTerms, seen: Listed | None, *, actor: str) -> Change | None:
    """The same for somebody who looked at `seen` before, None for no such plan.

    Raises ChangedMeanwhile where somebody else published, retired or made the plan since; nothing is saved then.
    """
    locked = select(Plan).where(Plan.key == wanted.key).with_for_update().execution_options(populate_existing=True)
    plan = session.scalars(locked).one_or_none()
    now = None if plan is None else one_plan(session, plan.id)
    if _looks(now) != _looks(seen):
        raise ChangedMeanwhile("Somebody else has changed this plan at this moment.", plan=wanted.key)
    return save_plan(session, wanted, actor=actor)


def _looks(listed: Listed | None) -> object:
    """What two looks at a plan have in common if nothing happened between them. That it was sold since is no change."""
    return listed and (listed.terms.version, listed.terms.facts(), listed.retired_at)


def retire_plan(session: Session, plan_id: str, *, actor: str) -> Plan:
    """Offer it no longer; who has it keeps it. Raises NotFound."""
    plan = _locked(session, plan_id)
    if plan.retired_at is None:
        plan.retired_at = clock.now()
        _record(session, actor, "retired", plan.key)
    return plan


def offer_again(session: Session, plan_id: str, *, actor: str) -> Plan:
    """Offer a retired plan again, as it was. Raises NotFound."""
    plan = _locked(session, plan_id)
    if plan.retired_at is not None:
        plan.retired_at = None
        _record(session, actor, "offered_again", plan.key)
    return plan


def meters(session: Session) -> list[Meter]:
    """The meters a plan can speak of, in their order."""
    return list(session.scalars(select(Meter).where(Meter.retired_at.is_(None)).order_by(Meter.position, Meter.key)))


def _check(session: Session, wanted: PlanTerms) -> None:
    wrong = plan_rules.mistakes(wanted, meters=[meter.key for meter in meters(session)])
    alike = set(session.scalars(select(Plan.key).where(func.lower(Plan.key) == wanted.key.lower())))
    if alike and wanted.key not in alike:  # only a new plan: one there is may stand beside a retired one
        wrong.append(plan_rules.Wrong("key", "A plan with this key exists, but for capitals."))
    if wrong:
        told = [{"field": each.field, "message": each.sentence} for each in wrong]
        raise PlanWrong(wrong[0].sentence, field=wrong[0].field, mistakes=told)


def _locked(session: Session, plan_id: str) -> Plan:
    found = select(Plan).where(Plan.id == plan_id).with_for_update().execution_options(populate_existing=True)
    plan = session.scalars(found).one_or_none()
    if plan is None:
        raise NotFound("There is no such plan.")
    return plan


def _record(session: Session, actor: str, how: str, key: str, **details: Any) -> None:
    activity.record(session, actor, f"catalogue.{how}", f"plan:{key}", **details)
    session.flush()
