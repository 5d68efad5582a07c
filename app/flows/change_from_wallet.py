"""Changing the plan of a subscription that the wallet pays: shown first, then done in one transaction (SPEC P6, P7)."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import clock
from app.catalogue import publish
from app.db import transaction
from app.errors import Conflict
from app.flows import hand_over, pay_by
from app.flows.collect import Providers
from app.money import Money
from app.subscriptions import changes, lifecycle, overrides, sale, wallet_change
from app.subscriptions.changes import PreviewExpired
from app.subscriptions.comparison import limits_that_differ
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.periods import Interval
from app.subscriptions.sale import Move, Sale
from app.subscriptions.wallet_change import Quote


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
    """What the change costs, to the cent, kept for ten minutes; `change_plan.preview` says what is in its details."""
    del providers  # the wallet is ours: nobody is asked
    with transaction(session):
        sub = _changeable(session, customer_id)
        to = sale.offered(session, customer_id, plan_key, Interval(interval), move)
        same = (sub.plan_id, sub.version, sub.interval) == (to.terms.id, to.terms.version, interval)
        if same and sub.price_minor == to.price.minor:
            raise Conflict("You have this plan already.", plan=to.terms.key)
        found = wallet_change.quote(session, sub, to, clock.now(), waits=move is not None and move.waits)
        return changes.note_preview(
            session,
            sub,
            kind="upgrade" if found.is_upgrade else "downgrade",
            plan_id=to.terms.id,
            version=to.terms.version,
            interval=to.interval,
            price=to.price,
            as_of=found.at,
            effective_at=sub.period_end if found.waits else found.at,
            actor=actor,
            charge_minor=found.charge,
            credit_minor=found.credit,
            tax_minor=found.tax,
            due_minor=found.due,
            details=_told(session, sub, to, found) | ({changes.MOVE: move.id} if move else {}),
        )


def confirm(
    session: Session, providers: Providers, customer_id: str, change_id: str, *, actor: str
) -> SubscriptionChange:
    """Do what was shown, at what was shown. The same confirmation again answers how it ended.

    Raises InsufficientFunds with what is missing (nothing has changed, and the preview still holds), PreviewExpired,
    and Conflict while another change is in flight.
    """
    try:
        with transaction(session):
            sub = lifecycle.the_live(session, customer_id)
            change = changes.one(session, customer_id, change_id, lock=True)
            if change.state in ("applied", "scheduled"):
                return change
            _changeable(session, customer_id)
            changes.take(session, sub, change, actor=actor)
            _carry_out(session, sub, change, actor=actor)
            pay_by.plan_changed(session, sub, actor=actor)
    except IntegrityError as second:
        raise changes.conflict(change_id) from second
    hand_over.go_on(session, providers, customer_id)
    return change


def undo(session: Session, providers: Providers, customer_id: str, *, actor: str) -> SubscriptionChange | None:
    """Take back what is scheduled for the period's end; None where nothing is."""
    with transaction(session):
        sub = lifecycle.the_live(session, customer_id)
        undone = changes.unschedule(session, customer_id, actor=actor)
        if undone is not None:
            pay_by.plan_changed(session, sub, actor=actor)
    hand_over.go_on(session, providers, customer_id)
    return undone


def _changeable(session: Session, customer_id: str) -> Subscription:
    """The subscription, locked, if its plan may be changed now. Raises NoSubscription and Conflict."""
    sub = lifecycle.the_live(session, customer_id)
    changes.refuse_while_one_runs(session, customer_id)
    if sub.status != "active":
        raise Conflict("The last payment is still open. Pay it first, then change the plan.", remedy="retry_payment")
    if sub.period_end <= clock.now():
        raise Conflict("The subscription is being renewed at this moment. Try again in a minute.", remedy="retry")
    return sub


def _carry_out(session: Session, sub: Subscription, change: SubscriptionChange, *, actor: str) -> None:
    to = _as_shown(session, change)
    publish.mark_sold(session, change.plan_id, change.version)
    sub.cancel_at_period_end, sub.cancel_reason = False, None  # who changes the plan means to stay
    if change.details["effect"] == "period_end":
        changes.schedule(session, change, effective_at=sub.period_end, actor=actor)
        return
    found = wallet_change.quote(session, sub, to, change.as_of)
    if found.waits or found.due != change.due_minor:
        raise PreviewExpired("The price shown no longer holds. Look at the new one before you confirm.")
    changes.unschedule(session, sub.customer_id, actor=actor, because="A newer change replaced it.")
    wallet_change.carry_out(session, sub, to, found, key=change.id, actor=actor)
    changes.apply(session, change, actor=actor)


def _as_shown(session: Session, change: SubscriptionChange) -> Sale:
    terms = overrides.terms_of(session, change.customer_id, change.plan_id, change.version)
    return Sale(terms, Interval(change.interval), Money(change.price_minor, change.currency), is_list_price=False)


def _told(session: Session, sub: Subscription, to: Sale, found: Quote) -> dict[str, Any]:
    before = overrides.terms_of(session, sub.customer_id, sub.plan_id, sub.version)
    lines = [{"description": line.description, "amount": line.amount_minor} for line in found.lines]
    for part in found.returns:
        words = f"Unused time, from invoice {part.invoice.number}"
        lines.append({"description": words, "amount": -part.net_minor})
    return {
        "lines": lines,
        "taxes": [
            {"name": line.name, "percent": _percent(line.rate_ppm), "amount": line.amount_minor} for line in found.taxes
        ],
        "discount": 0,
        "from_balance": 0,
        "effect": "period_end" if found.waits else "now",
        "next_total": wallet_change.next_invoice(session, sub, to),
        "next_at": clock.timestamp(sub.period_end if found.waits else found.period.end),
        "limits": limits_that_differ(before, to.terms),
    }


def _percent(rate_ppm: int | None) -> str | None:
    """A rate as the law writes it: 82500 is "8.25"."""
    if rate_ppm is None:
        return None
    whole, part = divmod(rate_ppm, 10_000)
    return f"{whole}.{part:04d}".rstrip("0").rstrip(".")
