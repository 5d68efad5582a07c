"""What a customer has more of than another plan allows: told before they move to it, and never taken away (SPEC U5)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.catalogue.terms import PlanTerms
from app.customers.models import ApiKey
from app.entitlements import plan_now, resources
from app.entitlements.plan_now import PlanNow
from app.entitlements.refusals import PRODUCTION
from app.subscriptions import overrides


@dataclass(frozen=True, slots=True)
class Excess:
    """`in_use` of a count limit's `feature`, of which the plan allows `limit`; or live API keys without the flag."""

    feature: str
    in_use: int
    limit: int


def over(session: Session, customer_id: str, after: PlanTerms) -> list[Excess]:
    """What would be too much on the plan `after`, with the terms negotiated for it. Nothing where all fits."""
    now = plan_now.of(session, customer_id)
    terms = overrides.laid_over(after, overrides.live(session, customer_id))
    held = resources.held(session, now)
    counted = [(key, held.get(key, 0), _allowed(terms, "count", key)) for key in now.keys("count")]
    found = [Excess(key, used, limit) for key, used, limit in counted if limit is not None and used > limit]
    return found + _keys(session, now, customer_id, terms)


def _keys(session: Session, now: PlanNow, customer_id: str, terms: PlanTerms) -> list[Excess]:
    if not now.speaks_of("flag", PRODUCTION) or _allowed(terms, "flag", PRODUCTION) != 0:
        return []
    live = (ApiKey.customer_id == customer_id, ApiKey.revoked_at.is_(None), ApiKey.prefix == "pur_live_")
    count = session.scalar(select(func.count()).select_from(ApiKey).where(*live)) or 0
    return [Excess(PRODUCTION, count, 0)] if count else []


def _allowed(terms: PlanTerms, kind: str, key: str) -> int | None:
    limit = terms.limit(kind, key)
    return limit.amount if limit else 0
