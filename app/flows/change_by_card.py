"""Changing the plan of a subscription that a provider runs and a card pays (SPEC P6, P7, P9).

The preview (`preview_by_card`) keeps its instant, and the change is asked for with the same one, so the card is
charged what was shown. First the change is in flight here, then the provider is asked under the change's own key, then
what it says is taken in. Died in between, the same call again, or the sweep, goes on where it was; news from the
provider settles it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.catalogue import publish, reads
from app.db import transaction
from app.errors import PaymentRefused
from app.flows import at_provider, follow, timed_here
from app.flows.at_provider import Providers, Running
from app.flows.preview_by_card import AT_PERIOD_END
from app.money import Money
from app.providers.billing import SubscriptionState
from app.providers.errors import Declined, InvalidRequest, ProviderError
from app.providers.values import Cap, PlanRef
from app.subscriptions import changes, lifecycle, prices
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.periods import Interval


@dataclass(frozen=True, slots=True)
class Asked:
    """A change in flight in plain values: what the provider is asked, the same at every try."""

    id: str
    run: Running
    plan: PlanRef
    at: datetime
    effect: str
    key: str
    before: timed_here.Before | None = None  # where another change waits, of which the provider may know already

    @property
    def is_timed_here(self) -> bool:
        """Whether the provider cannot keep it for later, so that we do."""
        return self.effect == AT_PERIOD_END and Cap.CHANGE_AT_PERIOD_END not in self.run.provider.capabilities


def confirm(
    session: Session, providers: Providers, customer_id: str, change_id: str, *, actor: str
) -> SubscriptionChange:
    """Have the provider do it, and take in what it says. See `change_plan.confirm` for what it answers and raises."""
    try:
        with transaction(session):
            subscription = lifecycle.the_live(session, customer_id)
            change = changes.one(session, customer_id, change_id, lock=True)
            if change.state == "previewed":
                at_provider.changeable(session, customer_id)
                changes.take(session, subscription, change, actor=actor)
                publish.mark_sold(session, change.plan_id, change.version)
            asked = asked_of(session, providers, subscription, change) if _is_to_be_asked(change) else None
    except IntegrityError as second:
        raise changes.conflict(change_id) from second
    if asked is not None:
        carry_out(session, asked, actor=actor)
    return _outcome(session, customer_id, change_id)


def _is_to_be_asked(change: SubscriptionChange) -> bool:
    return change.state == "in_flight" and change.action_url is None


def asked_of(session: Session, providers: Providers, subscription: Subscription, change: SubscriptionChange) -> Asked:
    """What to ask for a change in flight."""
    terms = reads.version_of(session, change.plan_id, change.version)
    price, every = Money(change.price_minor, change.currency), Interval(change.interval)
    plan = PlanRef(terms.key, every.value, price, change.details["provider_price"], change.version)
    run = at_provider.running(providers, subscription)
    key, waits = f"{change.id}:{change.attempt}", timed_here.before(session, change.customer_id)
    return Asked(change.id, run, plan, change.as_of, change.details["effect"], key, waits)


def carry_out(session: Session, asked: Asked, *, actor: str) -> None:
    """Ask the provider and write down how it ended. Again, with the same key, does no harm.

    Raises ProviderDown when nobody knows yet, and then the change stays in flight; Conflict after a definite no.
    """
    run = asked.run
    try:
        url = _ask(asked)
        seen = follow.look_at(session, run.provider, run.provider_id)
    except Declined as no:
        _failed(session, asked, str(no))
        return
    except ProviderError as error:
        if isinstance(error, InvalidRequest):
            _failed(session, asked, "The payment provider did not accept this change. Nothing was charged.")
        raise at_provider.down(error, asked.id) from error
    with transaction(session):
        # It locks order and subscription, in this order, and settles the change where the provider's word does.
        follow.take_in(session, run.provider.name, seen, actor=actor)
        change = changes.one(session, run.customer_id, asked.id, lock=True)
        waits = seen.state.pending if seen.state else None
        if change.state == "in_flight" and asked.effect == AT_PERIOD_END and waits and waits.at:
            changes.schedule(session, change, effective_at=waits.at, actor=actor)
        elif change.state == "in_flight" and asked.is_timed_here and seen.state and seen.state.period_end:
            changes.time_here(session, change, effective_at=seen.state.period_end, actor=actor)
        elif change.state == "in_flight" and url is not None:
            changes.needs_action(session, change, url, until=waits.expires_at if waits else None)


def _ask(asked: Asked) -> str | None:
    """The page where the customer confirms the payment, if their bank wants that."""
    role, state = asked.run.role, timed_here.back(asked.run, asked.run.state(), asked.before)
    if asked.is_timed_here:
        if state.cancel_at_period_end:
            role.resume(state, key=f"{asked.key}:stay")
        return None
    if asked.effect == AT_PERIOD_END:
        role.change_at_period_end(state, asked.plan, key=asked.key)
        return None
    changed, redirect = role.change_now(state, asked.plan, at=asked.at, key=asked.key)
    if redirect is None and changed.cancel_at_period_end:
        role.resume(changed, key=f"{asked.key}:stay")
    return redirect.url if redirect else None


def _failed(session: Session, asked: Asked, reason: str) -> None:
    with transaction(session):
        change = changes.one(session, asked.run.customer_id, asked.id, lock=True)
        changes.fail(session, change, reason)


def _outcome(session: Session, customer_id: str, change_id: str) -> SubscriptionChange:
    with transaction(session):
        change = changes.one(session, customer_id, change_id)
    if change.state == "failed":
        raise PaymentRefused(change.failure or "The payment did not go through.", change_id=change_id)
    if change.state in ("expired", "undone"):
        raise changes.PreviewExpired("This change is over. Look at the price again.", change_id=change_id)
    return change


def undo(session: Session, providers: Providers, customer_id: str, *, actor: str) -> SubscriptionChange | None:
    """Take it back at the provider, then here. Should the customer have paid at this moment, it is applied instead."""
    with transaction(session):
        subscription = lifecycle.the_live(session, customer_id)
        flying, waiting = changes.in_flight(session, customer_id), changes.scheduled(session, customer_id)
        change = flying or waiting
        if change is None:
            return None
        if flying is not None and (flying.action_url is None or flying.kind not in ("upgrade", "downgrade")):
            raise changes.conflict(flying.id)
        change_id, run = change.id, at_provider.running(providers, subscription)
        was = timed_here.before(session, customer_id)
    try:
        run.role.clear_pending_change(timed_here.back(run, run.state(), was), key=f"{change_id}:undo")
        seen = follow.look_at(session, run.provider, run.provider_id)
    except ProviderError as error:
        raise at_provider.down(error, change_id) from error
    with transaction(session):
        follow.lock(session, run.provider.name, seen)
        change = changes.one(session, customer_id, change_id, lock=True)
        if not _came_true(session, run, seen.state, change):
            changes.undo(session, change, actor=actor)
        follow.take_in(session, run.provider.name, seen, actor=actor)
        return change


def _came_true(session: Session, run: Running, state: SubscriptionState | None, change: SubscriptionChange) -> bool:
    if state is None:
        return False
    has = prices.behind(session, run.provider.name, state.provider_price_id, state.plan)
    wanted = prices.Bought(
        change.plan_id, change.version, Interval(change.interval), Money(change.price_minor, change.currency)
    )
    return has == wanted
