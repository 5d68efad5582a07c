"""Applying what providers tell: one table from event to reaction; effect and "handled" are one transaction (R3, V2).

An event is claimed, read without a transaction, and applied in one. Whatever is late, twice or out of order ends in
the same state, because orders only move forward and a payment is credited under its own id.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import activity
from app.db import transaction
from app.payments import inbox, orders, settling
from app.payments.models import Order
from app.providers.errors import BadPayload, ProviderError
from app.providers.events import CheckoutCompleted, CheckoutExpired, Event, Ignored, PaymentFailed, PaymentSucceeded
from app.providers.port import Provider
from app.wallet import topups

log = logging.getLogger(__name__)

Effects = list[dict[str, Any]]
Reaction = Callable[[Session, Any, str], Effects]


class NotYet(Exception):
    """What the event is about has not been written here yet: it waits, and is dead only after hours."""


class LeaseLost(Exception):
    """Another worker took the event over: what this one did must not stay."""


def apply_pending(session_factory: Callable[[], Session], providers: Mapping[str, Provider], limit: int = 20) -> int:
    """Claim and apply up to `limit` due events; how many were claimed. Never raises for what one event does."""
    with session_factory() as session:
        if not inbox.is_due(session):  # a look alone takes no write lock, and this is asked every second
            return 0
        with transaction(session):
            claims = inbox.claim(session, limit=limit)
        for claim in claims:
            apply(session, providers, claim)
        return len(claims)


def apply(session: Session, providers: Mapping[str, Provider], claim: inbox.Claim) -> None:
    """Bring one claimed event to its end: done, ignored, dead, or another try later."""
    try:
        _apply(session, providers, claim)
    except NotYet as waiting:
        _end(session, inbox.retry, claim, str(waiting))
    except (settling.Mismatch, BadPayload) as wrong:
        log.warning("webhook event %s is dead: %s", claim.id, wrong)
        _end(session, inbox.dead, claim, str(wrong))
    except LeaseLost:
        log.warning("webhook event %s was taken over by another worker", claim.id)
    except (ProviderError, OperationalError) as away:
        # The provider or the database was away, busy or locked: that says nothing about the event.
        log.warning("webhook event %s is put off: %s", claim.id, away)
        _end(session, inbox.retry, claim, type(away).__name__, counts=False)
    except Exception as fault:
        log.exception("webhook event %s breaks its reaction", claim.id)
        why = f"{type(fault).__name__}: {fault}"
        _end(session, inbox.retry, claim, why, most=inbox.ATTEMPTS_FOR_A_FAULT)


def _apply(session: Session, providers: Mapping[str, Provider], claim: inbox.Claim) -> None:
    provider = providers.get(claim.provider)
    if provider is None:
        raise NotYet(f"The channel {claim.provider} is not configured here.")
    if claim.livemode != provider.livemode:
        _end(session, inbox.unused, claim, "It is of the other mode (test or live) than the configured key.")
        return
    told = provider.normalize(claim.body)
    with transaction(session):
        reasons = [reason for event in told if (reason := _unused(event))]
        effects = [effect for event in told for effect in _react(session, event, claim.id)]
        if len(reasons) == len(told):
            kept = inbox.unused(session, claim, " ".join(reasons) or "It says nothing for us.")
        else:
            kept = inbox.done(session, claim, effects)
        if not kept:
            raise LeaseLost


def _react(session: Session, event: Event, inbox_id: str) -> Effects:
    reaction = REACTIONS.get(type(event))
    return reaction(session, event, inbox_id) if reaction and not _unused(event) else []


def _unused(event: Event) -> str | None:
    """Why nothing is done about this event; None when something is."""
    if isinstance(event, Ignored):
        return event.why
    if type(event) not in REACTIONS:
        return "Purser does nothing with this kind of event yet."
    if getattr(event, "order_id", None) is None:
        return "It names no order of ours."
    return None


def _end(session: Session, verb: Callable[..., bool], claim: inbox.Claim, why: str, **how: Any) -> None:
    with transaction(session):
        verb(session, claim, why, **how)


# The reactions. Each takes the event and the inbox row's id, and says what it did, for staff.


def credit_payment(session: Session, paid: PaymentSucceeded, inbox_id: str) -> Effects:
    """Credit the wallet once for this payment, after every check; a second payment of one order is credited too."""
    order = _order(session, paid.order_id)
    settling.check(session, order, paid)
    if not settling.take(session, order, paid, inbox_id=inbox_id):
        return [_did("payment.already_credited", order, payment=paid.payment_id)]
    extra = order.payment_id is not None
    entry = topups.credit(session, order, payment_id=paid.payment_id, channel=paid.provider)
    if extra:
        # The customer paid twice: the money is theirs, and staff should know (it may have to go back).
        told = {"payment": paid.payment_id, "first_payment": order.payment_id}
        activity.record(session, paid.provider, "order.paid_twice", order.id, customer_id=order.customer_id, **told)
    else:
        orders.pay(session, order, paid.payment_id, at=paid.occurred_at)
    return [_did("wallet.credited", order, payment=paid.payment_id, entry=entry.id, amount_minor=order.amount_minor)]


def note_completed(session: Session, told: CheckoutCompleted, _inbox_id: str) -> Effects:
    """The page was filled in; the money is on its way (or told of right after this, in the same event)."""
    return _move(session, told.order_id, "processing")


def note_failed(session: Session, told: PaymentFailed, _inbox_id: str) -> Effects:
    """The money did not come. The person is told why; nothing was ever credited."""
    return _move(session, told.order_id, "failed", failure=told.message or "The payment did not go through.")


def note_expired(session: Session, told: CheckoutExpired, _inbox_id: str) -> Effects:
    """Nobody paid in time."""
    return _move(session, told.order_id, "expired")


def _move(session: Session, order_id: str | None, state: str, *, failure: str | None = None) -> Effects:
    order = _order(session, order_id)
    if not orders.move(session, order, state, failure=failure):
        return []
    activity.record(session, order.channel, f"order.{state}", order.id, customer_id=order.customer_id)
    return [_did(f"order.{state}", order)]


def _order(session: Session, order_id: str | None) -> Order:
    """The order, locked until the commit. Raises NotYet for one we do not have: it may be a moment away."""
    order = orders.find(session, order_id, lock=True) if order_id else None
    if order is None:
        raise NotYet(f"There is no order {order_id} here.")
    return order


def _did(kind: str, order: Order, **details: Any) -> dict[str, Any]:
    return {"kind": kind, "order": order.id, "customer": order.customer_id, **details}


REACTIONS: Mapping[type[Event], Reaction] = {
    CheckoutCompleted: note_completed,
    CheckoutExpired: note_expired,
    PaymentSucceeded: credit_payment,
    PaymentFailed: note_failed,
}
