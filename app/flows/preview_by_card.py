"""What changing the plan of a subscription that a card pays would cost at this instant, kept to be confirmed (P6, P9).

The figures are the provider's own where it tells them before, and estimated where it does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from app import clock
from app.catalogue import reads
from app.db import transaction
from app.errors import Conflict, UnsupportedByChannel
from app.flows import at_provider, estimated, priced, sold_by
from app.flows.at_provider import Providers
from app.providers import port
from app.providers.billing import ChangePreview
from app.providers.errors import ProviderError
from app.providers.port import Provider
from app.providers.values import Cap, PlanRef
from app.subscriptions import changes, overrides, proration, sale
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
