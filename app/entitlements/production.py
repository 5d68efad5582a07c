"""Production: live API keys come with plans that have production access, and write only while they do (SPEC P4).

A test key does what a live one does here; the host product's own doors tell them apart. Where no plan speaks of
production access, there is nothing to tell apart, and every key may be live.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from app.customers import api_keys
from app.customers.models import ApiKey
from app.entitlements import plan_now, refusals
from app.entitlements.plan_now import PlanNow
from app.entitlements.refusals import PRODUCTION
from app.errors import Refusal


def create_customer_key(
    session: Session,
    customer_id: str,
    *,
    name: str,
    permissions: Collection[str],
    environment: str,
    made_by: str | None,
) -> tuple[ApiKey, str]:
    """A key for the customer's programs, as `api_keys.create_customer_key`. Raises as `need` for a live one."""
    if environment == "live":
        need(session, customer_id)
    return api_keys.create_customer_key(
        session, customer_id, name=name, permissions=permissions, environment=environment, made_by=made_by
    )


def need(session: Session, customer_id: str) -> None:
    """Raises LimitReached unless the plan has production access, SubscriptionRestricted while it is not paid."""
    refused = refusal(plan_now.of(session, customer_id))
    if refused:
        raise refused


def refusal(now: PlanNow) -> Refusal | None:
    """Why this customer may have no live key, or None."""
    if not now.speaks_of("flag", PRODUCTION):
        return None
    limit = now.amount("flag", PRODUCTION)
    if limit == 0:
        return refusals.without(now, PRODUCTION, "Make a test key")
    return refusals.restricted(now, feature=PRODUCTION, limit=limit, used=0) if now.is_restricted else None
