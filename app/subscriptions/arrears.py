"""Arrears: what becomes of a subscription whose invoice of ours is not paid, and of one paid at last (P10, P11).

past_due with full access while the grace period lasts, then restricted; after the last retry the invoice is void and
the customer is on the free plan. Wallet and credits are left alone throughout (SPEC R7).
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import clock, invoices, notices
from app.catalogue import reads
from app.invoices import Invoice
from app.money import minor_to_micros
from app.notices import phrases
from app.subscriptions import bills, lifecycle
from app.subscriptions.dunning import GRACE_DAYS, next_retry
from app.subscriptions.models import Subscription


def failed(
    session: Session,
    sub: Subscription,
    invoice: Invoice,
    *,
    why: str,
    grace_days: int = GRACE_DAYS,
    actor: str = "system",
) -> None:
    """A try to collect the invoice failed, for the reason `why`, a sentence. After the last retry the plan ends."""
    now = clock.now()
    assert invoice.due_at is not None, "only a finalised invoice is collected"
    next_at = next_retry(invoice.due_at, now)
    invoices.mark_failed(session, invoice, failure=why, next_attempt_at=next_at, actor=actor)
    sub.attempts += 1
    if next_at is None:
        give_up(session, sub, invoice)
        return
    first_time, was = sub.past_due_since is None, sub.status
    if sub.past_due_since is not None and sub.grace_ends_at is not None:
        grace_days = (sub.grace_ends_at - sub.past_due_since).days  # as it was promised at the first failure
    lifecycle.become_past_due(session, sub, since=now, grace_days=grace_days, next_attempt_at=next_at)
    look_again(sub)
    if first_time:
        assert sub.grace_ends_at is not None, "it was just set"
        _tell(session, "payment_failed", sub, invoice, why=why, next=_next(sub), grace=phrases.day(sub.grace_ends_at))
    elif was == "past_due" and sub.status == "restricted":  # the retry came on the day the grace period ended
        _tell(session, "access_restricted", sub, invoice, next=_next(sub))


def paid(session: Session, sub: Subscription, *, actor: str = "system") -> None:
    """The invoice is paid: everything is back."""
    lifecycle.recover(session, sub, actor=actor)
    settled(session, sub)


def settled(session: Session, sub: Subscription) -> None:
    """Nothing is owed for what was just looked at: next is another open invoice, of usage, or the period's end."""
    sub.due_at = clock.now() if bills.open_one(session, sub) is not None else sub.period_end
    session.flush()


def grace_is_over(session: Session, sub: Subscription, invoice: Invoice) -> None:
    """Access is restricted from now on; the retries go on."""
    if sub.status != "past_due":
        return
    lifecycle.restrict(session, sub)
    look_again(sub)
    _tell(session, "access_restricted", sub, invoice, next=_next(sub))


def give_up(session: Session, sub: Subscription, invoice: Invoice) -> None:
    """Every retry failed: the invoice is void and the subscription over, from now or from the end of its period."""
    _tell(session, "plan_ended_unpaid", sub, invoice)
    invoices.void(session, invoice)
    bills.void_open(session, sub)
    lifecycle.end(session, sub, at=min(clock.now(), sub.period_end), actor="system", reason="not_paid")


def look_again(sub: Subscription) -> None:
    """Have the worker look when the next thing happens: a retry, or the end of the grace period."""
    times = [sub.next_attempt_at, sub.grace_ends_at if sub.status == "past_due" else None]
    sub.due_at = min((time for time in times if time is not None), default=None)


def _next(sub: Subscription) -> str:
    if sub.next_attempt_at is None:
        return "We will not try again by ourselves."
    return f"We will try again on {phrases.day(sub.next_attempt_at)}."


def _tell(session: Session, kind: str, sub: Subscription, invoice: Invoice, **words: str) -> None:
    """On the page of notices and by mail, once for each invoice."""
    currency = invoice.currency
    notices.tell(
        session,
        sub.customer_id,
        kind,
        key=f"{kind}:{invoice.id}",
        plan=reads.version_of(session, sub.plan_id, sub.version).name,
        number=invoice.number or "",
        amount=phrases.money(minor_to_micros(invoice.total_minor, currency), currency),
        **words,
    )
