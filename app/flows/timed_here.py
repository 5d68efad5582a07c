"""Taking back what a provider was told just before its time: a change of plan that it could not schedule (SPEC P7).

Such a change is there at once, to be charged from the renewal on. Whoever wants something else in that last hour, to
cancel, to undo it or to have another plan, must not find the plan that was to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.catalogue import reads
from app.flows.at_provider import Running
from app.money import Money
from app.providers.billing import SubscriptionState
from app.providers.values import PlanRef
from app.subscriptions import changes
from app.subscriptions.models import SubscriptionChange


@dataclass(frozen=True, slots=True)
class Before:
    """The plan there was, and the price the provider may have been told already (`coming`)."""

    change_id: str
    coming: str
    until: datetime
    plan: PlanRef


def before(session: Session, customer_id: str) -> Before | None:
    """Of the change that waits for its time; None where none does."""
    waiting = changes.scheduled(session, customer_id)
    return of(session, waiting) if waiting is not None and changes.is_timed_here(waiting) else None


def of(session: Session, change: SubscriptionChange) -> Before:
    """What to go back to, as it was when the change was shown."""
    was = change.details["from"]
    terms = reads.version_of(session, was["plan_id"], was["version"])
    price = Money(was["price_minor"], change.currency)
    named = change.details["from_provider_price"]
    plan = PlanRef(terms.key, was["interval"], price, named, was["version"])
    return Before(change.id, change.details["provider_price"], change.effective_at, plan)


def back(run: Running, state: SubscriptionState, was: Before | None) -> SubscriptionState:
    """The subscription without what was to come, unless it has come. Again does no harm. Raises ProviderError."""
    if was is None or state.provider_price_id != was.coming or was.coming == was.plan.provider_price_id:
        return state
    if state.period_start is None or state.period_start >= was.until:
        return state
    return run.role.change_for_renewal(state, was.plan, key=f"{was.change_id}:back")
