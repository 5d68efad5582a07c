"""Changes of plan that a provider cannot schedule: kept here, and asked for just before the period ends (SPEC P7).

The row says what is wanted and when. In the last hour the provider is told to charge the other price from the renewal
on; the plan changes here when the period does. Died in between, or unanswered, it is looked at again: what is done
already is not asked for twice. Renewed before that, which takes an hour without us, a cheaper plan is changed to at
once, and what was paid beyond its price goes to the wallet. Any other change waits for the next period's end.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, clock
from app.db import transaction
from app.flows import change_by_card, follow
from app.flows.at_provider import Providers
from app.flows.change_by_card import Asked
from app.flows.news import Seen
from app.providers.billing import SubscriptionState
from app.providers.errors import InvalidRequest
from app.subscriptions import changes, late
from app.subscriptions.models import Subscription, SubscriptionChange

log = logging.getLogger(__name__)

_AGAIN = timedelta(minutes=10)
_LEAVING = "The subscription ends, so nothing follows."
_NOT_ACCEPTED = "The payment provider did not accept this change. The plan stays as it is."


def due(session: Session, limit: int) -> list[tuple[str, str]]:
    """Those whose time has come. They are put off first, so that nobody else takes them too."""
    now = clock.now()
    mine = (
        select(SubscriptionChange)
        .where(
            SubscriptionChange.state == "scheduled",
            SubscriptionChange.expires_at <= now,
            SubscriptionChange.details["timed_here"].as_boolean(),
        )
        .order_by(SubscriptionChange.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = list(session.scalars(mine))
    for change in found:
        change.expires_at = now + _AGAIN
    return [(change.customer_id, change.id) for change in found]


def go_on(session: Session, providers: Providers, name: tuple[str, str]) -> None:
    """Tell the provider, or find out what became of it. Raises ProviderError, and then it is looked at again."""
    with transaction(session):
        change = session.get_one(SubscriptionChange, name)
        subscription = session.get_one(Subscription, (change.customer_id, change.subscription_id))
        if change.state != "scheduled" or subscription.paid_by != "card":
            return
        asked, effective_at = change_by_card.asked_of(session, providers, subscription, change), change.effective_at
    state = asked.run.state()
    if state.status == "canceled" or state.cancel_at_period_end:
        _end(session, asked, _LEAVING)
        return
    in_time = state.period_start is not None and state.period_start < effective_at
    if in_time or _is_owed(session, asked):
        try:
            asked.run.role.change_for_renewal(state, asked.plan, key=f"{asked.id}:{'renewal' if in_time else 'late'}")
        except InvalidRequest as no:
            log.warning("%s does not accept the change %s: %s", asked.run.provider.name, asked.id, no)
            _end(session, asked, _NOT_ACCEPTED)
            return
    _write_down(session, asked, follow.look_at(session, asked.run.provider, asked.run.provider_id))


def _is_owed(session: Session, asked: Asked) -> bool:
    """Whether it comes too late and can be made right; then that is written down before anybody is asked."""
    seen = follow.look_at(session, asked.run.provider, asked.run.provider_id)
    with transaction(session):
        follow.take_in(session, asked.run.provider.name, seen)
        change = changes.one(session, asked.run.customer_id, asked.id, lock=True)
        if change.state != "scheduled" or seen.state is None or not _was_renewed(seen.state, change):
            return False
        subscription = session.get_one(Subscription, (change.customer_id, change.subscription_id))
        return late.owe(session, subscription, change, seen.state)


def _write_down(session: Session, asked: Asked, seen: Seen) -> None:
    """What the provider says now, and when to look at it next."""
    with transaction(session):
        follow.take_in(session, asked.run.provider.name, seen)
        change = changes.one(session, asked.run.customer_id, asked.id, lock=True)
        if change.state != "scheduled" or seen.state is None or seen.state.period_end is None:
            return
        if _was_renewed(seen.state, change):
            _wait_for_the_next(session, change, seen.state)
        else:
            change.expires_at = max(change.effective_at, clock.now()) + _AGAIN


def _was_renewed(state: SubscriptionState, change: SubscriptionChange) -> bool:
    """Whether the next period began, and what began is not the plan that was to."""
    return state.period_start is not None and state.period_start >= change.effective_at


def _wait_for_the_next(session: Session, change: SubscriptionChange, state: SubscriptionState) -> None:
    assert state.period_end is not None, "it was looked at"
    change.effective_at, change.expires_at = state.period_end, state.period_end - changes.ASKED_BEFORE
    told = {"until": clock.timestamp(state.period_end)}
    activity.record(session, "system", "change.late", change.id, customer_id=change.customer_id, **told)


def _end(session: Session, asked: Asked, because: str) -> None:
    with transaction(session):
        change = changes.one(session, asked.run.customer_id, asked.id, lock=True)
        if change.state == "scheduled":
            changes.undo(session, change, actor="system", because=because)
