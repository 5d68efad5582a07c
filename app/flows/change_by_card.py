"""Changing the plan of a subscription that a provider runs and a card pays (SPEC P6, P7, P9).

The preview keeps its instant, and the change is asked for with the same one, so the card is charged what was shown.
First the change is in flight here, then the provider is asked under the change's own key, then what it says is taken
in. Died in between, the same call again, or the sweep, goes on where it was; news from the provider settles it too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import clock
from app.catalogue import publish, reads
from app.db import transaction
from app.errors import Conflict, PaymentRefused, UnsupportedByChannel
from app.flows import at_provider, estimated, follow, priced, sold_by, timed_here
from app.flows.at_provider import Providers, Running
from app.money import Money
from app.providers import port
from app.providers.billing import ChangePreview, SubscriptionState
from app.providers.errors import Declined, InvalidRequest, ProviderError
from app.providers.port import Provider
from app.providers.values import Cap, PlanRef
from app.subscriptions import changes, lifecycle, overrides, prices, proration, sale
from app.subscriptions.comparison import limits_that_differ
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.periods import Interval
from app.subscriptions.sale import Move, Sale

NOW, AT_PERIOD_END = "now", "period_end"
ESTIMATED = "estimated"  # in a change's details: the provider's own figure counts, and nobody knows it before


def preview(
    session: Session,
    providers: Providers,
    customer_id: str,
    plan_key: str,
    interval: str,
    *,
    actor: str,
    move: Move | None = None,
) -> SubscriptionChange:
    """What the provider would charge for the change at this instant, kept for ten minutes; see `change_plan`."""
    with transaction(session):
        subscription = at_provider.changeable(session, customer_id)
        to = sale.offered(session, customer_id, plan_key, Interval(interval), move)
        _refuse_the_same(subscription, to)
        at, effect = clock.now().replace(microsecond=0), _effect(session, subscription, to, move)
        run, was = at_provider.running(providers, subscription), changes.as_it_is(subscription)
        old = reads.version_of(session, subscription.plan_id, subscription.version)
        has = estimated.has(subscription, old.name)
    _refuse_the_impossible(run.provider, effect, same_interval=to.interval is has.interval)
    tells = Cap.PREVIEW in run.provider.capabilities
    try:
        plan = priced.plan_at(session, run.provider, to, instead_of=(customer_id, run.id))
        state = replace(run.state(), cancel_at_period_end=False)  # who changes the plan means to stay
        shown = run.role.preview_change(state, plan, at=at) if tells else estimated.preview(has, to, at=at)
    except ProviderError as error:
        no = sold_by.not_configured(session, run.provider, error, sold_by.plan(to), customer_id=customer_id)
        raise no or at_provider.down(error, run.id) from error
    with transaction(session):
        subscription = at_provider.changeable(session, customer_id)
        if changes.as_it_is(subscription) != was:
            raise Conflict("The subscription has changed meanwhile. Open the page again.")
        more = {"from_provider_price": state.provider_price_id, ESTIMATED: not tells}
        more |= {changes.MOVE: move.id} if move else {}
        return _keep(session, subscription, to, plan, shown, effect=effect, actor=actor, more=more)


def _refuse_the_impossible(provider: Provider, effect: str, *, same_interval: bool) -> None:
    """Raises UnsupportedByChannel for what can neither be asked of the provider nor timed by us."""
    if effect == NOW:
        port.can(provider, Cap.CHANGE_NOW, "change a plan at once")
    elif Cap.CHANGE_AT_PERIOD_END not in provider.capabilities:
        port.can(provider, Cap.CHANGE_FOR_RENEWAL, "change a plan when its period ends")
        if not same_interval:
            sentence = f"{provider.title} cannot change how often you pay when the period ends. Cancel the plan, and"
            raise UnsupportedByChannel(f"{sentence} choose the other one once it has ended.", channel=provider.name)


def _refuse_the_same(subscription: Subscription, to: Sale) -> None:
    has = (subscription.plan_id, subscription.version, subscription.interval, subscription.price_minor)
    if has == (to.terms.id, to.terms.version, to.interval.value, to.price.minor):
        raise Conflict("You have this plan already.", plan=to.terms.key)


def _effect(session: Session, subscription: Subscription, to: Sale, move: Move | None) -> str:
    if move is not None and move.waits:
        return AT_PERIOD_END
    old = reads.version_of(session, subscription.plan_id, subscription.version)
    now = proration.takes_effect_now(
        subscription.price_minor, Interval(subscription.interval), old.rank, to.price.minor, to.interval, to.terms.rank
    )
    return NOW if now or old.downgrade == "immediate" else AT_PERIOD_END


def _keep(
    session: Session,
    subscription: Subscription,
    to: Sale,
    plan: PlanRef,
    shown: ChangePreview,
    *,
    effect: str,
    actor: str,
    more: dict[str, Any],
) -> SubscriptionChange:
    now = effect == NOW
    is_upgrade = now and shown.charge >= shown.credit
    paid = {"charge_minor": shown.charge, "credit_minor": shown.credit, "tax_minor": shown.tax}
    amounts = {**paid, "due_minor": shown.due_now.minor} if now else {}
    return changes.note_preview(
        session,
        subscription,
        kind="upgrade" if is_upgrade else "downgrade",
        plan_id=to.terms.id,
        version=to.terms.version,
        interval=to.interval,
        price=to.price,
        as_of=shown.as_of,
        effective_at=shown.as_of if now else subscription.period_end,
        actor=actor,
        details=_details(session, subscription, to, plan, shown, effect) | more,
        **amounts,
    )


def _details(
    session: Session, subscription: Subscription, to: Sale, plan: PlanRef, shown: ChangePreview, effect: str
) -> dict[str, Any]:
    now = effect == NOW
    before = overrides.terms_of(session, subscription.customer_id, subscription.plan_id, subscription.version)
    next_at = shown.next_at if now else subscription.period_end
    return {
        "effect": effect,
        "lines": [{"description": line.description, "amount": line.amount} for line in shown.lines] if now else [],
        "taxes": [{"name": t.name, "percent": t.percent, "amount": t.amount} for t in shown.taxes] if now else [],
        "discount": shown.discount if now else 0,
        "from_balance": shown.from_balance if now else 0,
        "next_total": shown.next_total.minor if shown.next_total else None,
        "next_at": clock.timestamp(next_at) if next_at else None,
        "limits": limits_that_differ(before, to.terms),
        "provider_price": plan.provider_price_id,
    }


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
