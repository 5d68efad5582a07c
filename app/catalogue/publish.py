"""Changing what is on offer. A version that has been sold is never edited: the plan gets a new one (SPEC P2)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import activity, clock, digest, ids
from app.catalogue import check_in, reads
from app.catalogue.difference import Change, between, needs_new_version
from app.catalogue.models import Plan, PlanLimit, PlanVersion
from app.catalogue.row_terms import ROWS, kind_of, values
from app.catalogue.terms import Catalogue, CheckInTerms, PlanTerms, Thing
from app.errors import Conflict, NotFound


def apply(session: Session, wanted: Catalogue, *, actor: str, seen: str | None = None) -> list[Change]:
    """Make `wanted` what is on offer, and say what changed: nothing the second time. Subscribers keep theirs.

    With `seen`, what somebody looked at before: raises Conflict where anything else would happen by now.
    """
    if seen is not None:
        _lock(session)
    live = reads.whole(session)
    changes, things = between(live, wanted), wanted.things()
    if seen not in (None, fingerprint(live, changes)):
        sentence = "This is not what you looked at: the catalogue or the file has changed since. Nothing was changed."
        raise Conflict(sentence)
    for change in changes:
        told: dict[str, Any] = {"facts": change.data()["facts"]}
        if change.how == "retired":
            _retire(session, change.kind, change.key, actor)
        else:
            told |= _put(session, things[change.kind, change.key], actor)
        activity.record(session, actor, f"catalogue.{change.how}", f"{change.kind}:{change.key}", **told)
    session.flush()
    return changes


def fingerprint(live: Catalogue, changes: list[Change]) -> str:
    """What somebody who looks at these changes of this catalogue has seen, in short."""
    facts = [[kind, key, thing.facts()] for (kind, key), thing in live.things().items()]
    return digest.of([facts, [change.data() for change in changes]])


def _lock(session: Session) -> None:
    """Nobody edits by hand what is compared until the commit."""
    session.execute(select(Plan.id).order_by(Plan.id).with_for_update())
    for model in ROWS.values():
        session.execute(select(model.key).order_by(model.key).with_for_update())


def publish_plan(session: Session, terms: PlanTerms) -> PlanVersion:
    """Offer the plan with these terms, as a new version where the one on offer has been sold."""
    # The row is locked: a sale between looking at `sold_at` and writing would find its terms changed.
    plan = session.scalars(select(Plan).where(Plan.key == terms.key).with_for_update()).one_or_none()
    if plan is None:
        plan = Plan(
            id=ids.new("plan"),
            key=terms.key,
            rank=terms.rank,
            current_version=0,
            created_at=clock.now(),
            retired_at=None,
        )
        session.add(plan)
        session.flush()
        return _new_version(session, plan, terms)
    plan.rank, plan.retired_at = terms.rank, None
    version = session.get_one(PlanVersion, (plan.id, plan.current_version), populate_existing=True)
    if needs_new_version(reads.version_of(session, plan.id, plan.current_version), terms):
        return _new_version(session, plan, terms)
    for name, value in _columns(terms).items():
        setattr(version, name, value)
    _write_limits(session, version, terms)
    return version


def mark_sold(session: Session, plan_id: str, number: int) -> PlanVersion:
    """Note that somebody buys this version, which freezes it. Raises NotFound for one that does not exist.

    To be called when the purchase begins, not when it is paid: until then the terms shown could still be edited.
    """
    plan = session.scalars(select(Plan).where(Plan.id == plan_id).with_for_update()).one_or_none()
    version = session.get(PlanVersion, (plan_id, number))
    if plan is None or version is None:
        raise NotFound("There is no such plan.")
    version.sold_at = version.sold_at or clock.now()
    return version


def _new_version(session: Session, plan: Plan, terms: PlanTerms) -> PlanVersion:
    plan.current_version += 1
    version = PlanVersion(
        plan_id=plan.id, number=plan.current_version, created_at=clock.now(), sold_at=None, **_columns(terms)
    )
    session.add(version)
    session.flush()
    _write_limits(session, version, terms)
    return version


def _columns(terms: PlanTerms) -> dict[str, Any]:
    return {
        "name": terms.name,
        "description": terms.description,
        "is_custom": terms.is_custom,
        "currency": terms.currency,
        "monthly_minor": terms.monthly_minor,
        "yearly_minor": terms.yearly_minor,
        "included_credits": terms.included_credits,
        "welcome_credits": terms.welcome_credits,
        "downgrade": terms.downgrade,
        "features": list(terms.features),
        "provider_ids": {channel: dict(names) for channel, names in terms.provider_ids.items()},
    }


def _write_limits(session: Session, version: PlanVersion, terms: PlanTerms) -> None:
    of_this = (PlanLimit.plan_id == version.plan_id, PlanLimit.version == version.number)
    session.execute(delete(PlanLimit).where(*of_this))
    session.add_all(
        PlanLimit(
            plan_id=version.plan_id,
            version=version.number,
            kind=limit.kind,
            key=limit.key,
            amount=limit.amount,
            overage_mode=limit.overage_mode,
            overage_micros=limit.overage_micros,
            position=position,
        )
        for position, limit in enumerate(terms.limits)
    )
    session.flush()


def _put(session: Session, thing: Thing, actor: str) -> dict[str, Any]:
    """Offer it, and say what the audit log keeps beside the facts."""
    if isinstance(thing, PlanTerms):
        return {"version": publish_plan(session, thing).number}
    if isinstance(thing, CheckInTerms):
        check_in.write(session, thing, is_on=True, actor=actor)
    else:
        session.merge(ROWS[kind_of(thing)](**values(thing), retired_at=None))
    return {}


def _retire(session: Session, kind: str, key: str, actor: str) -> None:
    if kind == "plan":
        session.scalars(select(Plan).where(Plan.key == key)).one().retired_at = clock.now()
    elif kind == "check-in":
        check_in.switch_off(session, actor=actor)
    else:
        model = ROWS[kind]
        session.execute(update(model).where(model.key == key).values(retired_at=clock.now()))
