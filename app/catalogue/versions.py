"""The versions of a plan: what each changed of the one before, and who made it by the audit log (SPEC P2, R10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.activity.models import Activity
from app.catalogue import reads
from app.catalogue.difference import Differing, of_facts
from app.catalogue.models import Meter, Plan, PlanVersion
from app.catalogue.terms import MeterTerms, PlanTerms
from app.ledger import HOUSE

_PUBLISHED = ("catalogue.new", "catalogue.version")


@dataclass(frozen=True, slots=True)
class Version:
    """One of them. `changed` are (what, before, after) against the one before it; empty for the first.

    `actor` made it, "" where the audit log does not say (it has said so since versions are numbered there).
    """

    terms: PlanTerms
    created_at: datetime
    sold_at: datetime | None
    changed: Differing
    actor: str


def of_plan(session: Session, plan_id: str) -> list[Version]:
    """All versions of a plan, newest first. Three SELECTs."""
    rows = session.execute(
        select(Plan, PlanVersion)
        .join(PlanVersion, PlanVersion.plan_id == Plan.id)
        .where(Plan.id == plan_id)
        .order_by(PlanVersion.number)
    ).all()
    terms = reads.with_limits(session, [(plan, version) for plan, version in rows])
    changed = [(), *(of_facts(before.facts(), after.facts()) for before, after in pairwise(terms))]
    makers = _makers(session, rows[0][0].key) if rows else {}
    made = [
        Version(each, version.created_at, version.sold_at, facts, makers.get(version.number, ""))
        for each, (_, version), facts in zip(terms, rows, changed, strict=True)
    ]
    return made[::-1]


def meters(session: Session) -> tuple[MeterTerms, ...]:
    """Every meter, also those no longer offered, which old versions speak of. One SELECT."""
    rows = session.scalars(select(Meter).order_by(Meter.position, Meter.key))
    return tuple(MeterTerms(row.key, row.name, row.unit, row.position) for row in rows)


def _makers(session: Session, key: str) -> dict[int, str]:
    """Who made each version. A plan offered again is noted as new, with the version it had: the first line counts."""
    lines = session.execute(
        select(Activity.actor, Activity.details)
        .where(Activity.customer_id == HOUSE, Activity.subject == f"plan:{key}", Activity.action.in_(_PUBLISHED))
        .order_by(Activity.at.desc(), Activity.id.desc())
    )
    return {details["version"]: actor for actor, details in lines if "version" in details}
