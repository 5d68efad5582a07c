"""Cancelling a subscription that a provider runs and a card pays (SPEC P8).

To cancel now is three steps of one row: what is unused is read while the subscription still runs, and kept; it is
ended; what was kept is paid back. Each has a key of its own, so it is taken up where it broke off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import activity, clock
from app.credits import included
from app.db import transaction
from app.flows import at_provider, follow, timed_here
from app.flows.at_provider import Providers, Running
from app.flows.kept_unused import as_kept, from_kept
from app.flows.news import Seen
from app.payments import customers
from app.providers import port
from app.providers.billing import CancelReason, SubscriptionState, UnusedValue
from app.providers.errors import ProviderError
from app.providers.values import Cap, CustomerRef
from app.subscriptions import changes, lifecycle
from app.subscriptions.models import Subscription, SubscriptionChange

_AT_ONCE = "end a subscription before its period does"


def at_period_end(
    session: Session,
    providers: Providers,
    customer_id: str,
    *,
    reason: str | None,
    actor: str,
    comment: str | None = None,
) -> Subscription:
    """Have the provider end it with the period. What was scheduled is dropped, there and here."""
    run = _running(session, providers, customer_id)
    why = cast("CancelReason | None", reason)
    with transaction(session):
        was = timed_here.before(session, customer_id)
    try:
        state = timed_here.back(run, run.state(), was)
        run.role.cancel_at_period_end(state, reason=why, comment=comment, key=f"{run.id}:end:{run.seen}")
        seen = follow.look_at(session, run.provider, run.provider_id)
    except ProviderError as error:
        raise at_provider.down(error, run.id) from error
    with transaction(session):
        subscription = _locked(session, run, seen)
        changes.unschedule(session, customer_id, actor=actor, because="The subscription was cancelled.")
        if subscription.pays_next_by is not None:  # there will be no next period
            subscription.pays_next_by = subscription.due_at = None
        follow.take_in(session, run.provider.name, seen, actor=actor)
        told = {"reason": reason, "ends_at": clock.timestamp(subscription.period_end)}
        activity.record(session, actor, "subscription.cancelled", run.id, customer_id=customer_id, **told)
        return subscription


def resume(session: Session, providers: Providers, customer_id: str, *, actor: str) -> Subscription:
    """Have the provider go on after all."""
    run = _running(session, providers, customer_id)
    try:
        run.role.resume(run.state(), key=f"{run.id}:stay:{run.seen}")
        seen = follow.look_at(session, run.provider, run.provider_id)
    except ProviderError as error:
        raise at_provider.down(error, run.id) from error
    with transaction(session):
        subscription = _locked(session, run, seen)
        follow.take_in(session, run.provider.name, seen, actor=actor)
        activity.record(session, actor, "subscription.resumed", run.id, customer_id=customer_id)
        return subscription


def preview_now(session: Session, providers: Providers, customer_id: str) -> tuple[int, str]:
    """What would go back to the card at this moment, in minor units with tax."""
    with transaction(session):
        run = at_provider.running(providers, lifecycle.the_live(session, customer_id))
    port.can(run.provider, Cap.CANCEL_NOW, _AT_ONCE)
    try:
        unused = run.role.unused_value(run.state(), at=clock.now().replace(microsecond=0))
    except ProviderError as error:
        raise at_provider.down(error, run.id) from error
    return unused.to_card, "card" if unused.to_card else "nowhere"


def now(
    session: Session, providers: Providers, customer_id: str, *, reason: str | None, actor: str
) -> SubscriptionChange:
    """End it and pay back what is unused. Asked again while it is under way, it goes on."""
    try:
        with transaction(session):
            change = changes.in_flight(session, customer_id)
            if change is None or change.kind != "cancel_now":
                live = lifecycle.the_live(session, customer_id)
                port.can(at_provider.running(providers, live).provider, Cap.CANCEL_NOW, _AT_ONCE)
                change = changes.end_now(session, live, actor=actor, reason=reason, returned_to="nowhere")
            asked = asked_of(session, providers, change)
    except IntegrityError as second:
        raise changes.conflict() from second
    carry_out(session, asked, actor=actor)
    with transaction(session):
        return changes.one(session, customer_id, asked.id)


@dataclass(frozen=True, slots=True)
class Asked:
    """A cancellation in flight in plain values. `unused` is None until it was read."""

    id: str
    run: Running
    customer: CustomerRef
    at: datetime
    unused: UnusedValue | None


def asked_of(session: Session, providers: Providers, change: SubscriptionChange) -> Asked:
    """How far it has come. The subscription may have ended by now, and the money still be owed."""
    subscription = session.get_one(Subscription, (change.customer_id, change.subscription_id))
    run = at_provider.running(providers, subscription)
    known = customers.known_as(session, subscription.customer_id, run.provider.name)
    assert known is not None, "whoever has a subscription there is known there"
    return Asked(change.id, run, known, change.as_of, from_kept(change.details.get("unused")))


def carry_out(session: Session, asked: Asked, *, actor: str) -> None:
    """Read, end, pay back, write down. Again from the start does no harm. Raises ProviderDown while nobody knows."""
    run = asked.run
    try:
        unused = asked.unused or _read(session, asked)
        ended = run.role.cancel_now(run.state(), key=f"{asked.id}:end")
        if unused.parts:
            key = f"{asked.id}:back"
            run.role.refund_unused(asked.customer, unused, our_refund_id=asked.id, key=key)
        seen = _seen(asked, ended, unused)
    except ProviderError as error:
        raise at_provider.down(error, asked.id) from error
    with transaction(session):
        follow.take_in(session, run.provider.name, seen, actor=actor)
        change = changes.one(session, run.customer_id, asked.id, lock=True)
        if changes.apply(session, change, actor=actor, returned_minor=unused.to_card) and unused.to_card:
            ended_one = session.get_one(Subscription, (run.customer_id, run.id))
            included.end(session, ended_one, asked.at, actor=actor)


def _read(session: Session, asked: Asked) -> UnusedValue:
    """What is unused, kept with the change before anything ends: afterwards nobody could tell."""
    unused = asked.run.role.unused_value(asked.run.state(), at=asked.at)
    with transaction(session):
        change = changes.one(session, asked.run.customer_id, asked.id, lock=True)
        change.credit_minor, change.tax_minor, change.due_minor = unused.net.minor, unused.tax, -unused.to_card
        returned_to = "card" if unused.to_card else "nowhere"
        change.details = {**change.details, "unused": as_kept(unused), "returned_to": returned_to}
    return unused


def _seen(asked: Asked, ended: SubscriptionState, unused: UnusedValue) -> Seen:
    """The subscription and the invoices it touched, with their credit notes. One that nobody will pay now is void."""
    run, at = asked.run, clock.now()
    role = port.invoices_of(run.provider)
    collects = Cap.RETRY_PAYMENT in run.provider.capabilities  # else it gives up by itself what it no longer collects
    if collects and ended.latest_invoice_id is not None and role.get_invoice(ended.latest_invoice_id).status == "open":
        role.void_invoice(ended.latest_invoice_id, key=f"{asked.id}:void")
    names = dict.fromkeys([part.invoice_id for part in unused.parts] + [ended.latest_invoice_id])
    return Seen(at, run.state(), tuple(role.get_invoice(name) for name in names if name is not None))


def _running(session: Session, providers: Providers, customer_id: str) -> Running:
    with transaction(session):
        subscription = lifecycle.the_live(session, customer_id)
        changes.refuse_while_one_runs(session, customer_id)
        return at_provider.running(providers, subscription)


def _locked(session: Session, run: Running, seen: Seen) -> Subscription:
    """The subscription after its order: everybody locks them like this."""
    follow.lock(session, run.provider.name, seen)
    return session.get_one(Subscription, (run.customer_id, run.id), with_for_update=True, populate_existing=True)
