"""Trying a failed payment again, by hand or because there is a new card: the oldest open invoice first (SPEC P11)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, clock, ids
from app.db import transaction
from app.errors import ProviderDown
from app.flows import charge_card, collect, collect_usage, follow
from app.flows.collect import Providers
from app.flows.news import Seen
from app.invoices import Invoice
from app.money import Money
from app.providers import port
from app.providers.errors import Declined, InvalidRequest, ProviderError
from app.providers.port import Provider
from app.providers.values import Cap, ChargeResult
from app.subscriptions import bills, lifecycle
from app.subscriptions.dunning import GRACE_DAYS

log = logging.getLogger(__name__)

State = Literal["paid", "failed", "processing", "action_required", "nothing_due"]

_SENTENCES: dict[State, str] = {
    "paid": "Invoice {number} is paid. Everything is as it was.",
    "failed": "Invoice {number} could not be paid.",
    "processing": "Invoice {number} is being paid. We tell you as soon as we know.",
    "action_required": "Your bank wants you to confirm the payment of invoice {number}.",
    "nothing_due": "There is nothing to pay.",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: `sentence` for people, `reason` why it failed, `url` where the customer confirms a payment."""

    state: State
    sentence: str
    invoice_id: str | None = None
    amount: Money | None = None
    reason: str | None = None
    url: str | None = None


def retry(session: Session, providers: Providers, customer_id: str, *, actor: str) -> Outcome:
    """Try to collect the oldest invoice whose payment failed: from the wallet, or from the default card.

    A decline is an outcome. Raises ProviderDown when nobody answers: whatever happened then is found out by itself.
    """
    with transaction(session):
        invoice = _oldest(session, customer_id)
        if invoice is None:
            return Outcome("nothing_due", _SENTENCES["nothing_due"])
        source, invoice_id = invoice.source, invoice.id
    if source == "purser":
        return _of_ours(session, providers, customer_id, invoice_id, actor=actor)
    return of_providers(session, providers, customer_id, invoice_id, actor=actor)


def _oldest(session: Session, customer_id: str) -> Invoice | None:
    failed = select(Invoice).where(
        Invoice.customer_id == customer_id, Invoice.status == "open", Invoice.attempts > 0, Invoice.total_minor > 0
    )
    return session.scalars(failed.order_by(Invoice.created_at, Invoice.id).limit(1)).one_or_none()


def _of_ours(session: Session, providers: Providers, customer_id: str, invoice_id: str, *, actor: str) -> Outcome:
    collect_usage.collect_now(session, providers, customer_id, invoice_id)
    with transaction(session):
        sub = lifecycle.live(session, customer_id, lock=True)
        invoice = bills.open_one(session, sub) if sub is not None else None
        then = None
        if sub is not None and invoice is not None and invoice.id == invoice_id:
            then = collect.attempt(session, providers, sub, invoice, grace_days=GRACE_DAYS, actor=actor, by_hand=True)
    if then is not None:
        then(session, providers)
    with transaction(session):
        invoice = session.get_one(Invoice, (customer_id, invoice_id))
        waits = invoice.status == "open" and charge_card.under_way(session, invoice) is not None
        state: State = "paid" if invoice.status == "paid" else "processing" if waits else "failed"
        return _outcome(invoice, state, reason=invoice.failure if state == "failed" else None)


def of_providers(session: Session, providers: Providers, customer_id: str, invoice_id: str, *, actor: str) -> Outcome:
    """Have the provider try its own invoice once more, and take in what became of it."""
    with transaction(session):
        invoice = session.get_one(Invoice, (customer_id, invoice_id))
        key, channel, named = ids.new("try"), invoice.source, invoice.provider_id
        provider = providers.get(channel)
        if provider is None or named is None:
            raise ProviderDown("This payment provider is not configured any more.", channel=channel)
        port.can(provider, Cap.RETRY_PAYMENT, "try a payment again when asked: it does so by itself")
        activity.record(session, actor, "invoice.retried", invoice_id, customer_id=customer_id, key=key)
    try:
        result = _try(provider, named, key)
        seen = _seen(provider, named)
    except ProviderError as away:
        log.warning("%s did not answer about invoice %s: %s", channel, named, away)
        raise ProviderDown("The payment provider did not answer. Look again in a minute.", channel=channel) from away
    with transaction(session):
        follow.take_in(session, channel, seen, actor=actor)
        invoice = session.get_one(Invoice, (customer_id, invoice_id))
        if invoice.status in ("paid", "refunded"):
            return _outcome(invoice, "paid")
        url = result.redirect.url if result.redirect else invoice.hosted_url
        states: dict[str, State] = {"requires_action": "action_required", "processing": "processing"}
        state = states.get(result.status, "failed")
        return _outcome(invoice, state, reason=result.message, url=url if state == "action_required" else None)


def _try(provider: Provider, named: str, key: str) -> ChargeResult:
    try:
        return port.invoices_of(provider).retry_invoice(named, card_id=None, key=key)
    except Declined as no:
        return ChargeResult(None, "failed", message=str(no))
    except InvalidRequest as wrong:  # void by now, or paid in another way: what is read next says so
        log.info("invoice %s was not retried: %s", named, wrong)
        return ChargeResult(None, "failed", message="This invoice cannot be paid any more.")


def _seen(provider: Provider, named: str) -> Seen:
    at = clock.now()
    doc = port.invoices_of(provider).get_invoice(named)
    if doc.subscription_id is None:
        return Seen(at, None, (doc,))
    return Seen(at, port.subscriptions_of(provider).get_subscription(doc.subscription_id), (doc,))


def _outcome(invoice: Invoice, state: State, *, reason: str | None = None, url: str | None = None) -> Outcome:
    sentence = _SENTENCES[state].format(number=invoice.number or "")
    if reason:
        sentence = f"{sentence} {reason}"
    amount = Money(invoice.total_minor, invoice.currency)
    return Outcome(state, sentence, invoice.id, amount, reason, url)
