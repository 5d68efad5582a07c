"""Refunds read again: which payments to ask about, and taking in what went back of one (SPEC V4, W4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, tuple_, union_all
from sqlalchemy.orm import Session

from app import clock
from app.db import transaction
from app.flows import follow, refund_told
from app.flows.news import Effects, News, Seen
from app.invoices import Invoice
from app.payments.models import Payment
from app.providers import port
from app.providers.errors import NotFound
from app.providers.events import InvoiceChanged, RefundChanged
from app.providers.port import Provider
from app.providers.values import Cap, RefundResult

NEWEST = 100  # payments asked about by every run, where no event tells of refunds
IN_TURN = 100  # and of the others, run after run
_WINDOW = timedelta(days=180)  # older payments are hardly ever paid back; they are not asked about
_FRESH = timedelta(days=2)


def chosen(session: Session, provider: Provider, since: datetime, walked_to: str) -> tuple[Sequence[str], str]:
    """The payments to ask about, and where the next run goes on ("" from the start)."""
    booked = select(Payment.payment_id.label("name"), Payment.at.label("at")).where(Payment.channel == provider.name)
    collected = select(Invoice.payment_id, Invoice.created_at).where(
        Invoice.source == provider.name, Invoice.payment_id.is_not(None), Invoice.order_id.is_(None)
    )
    of_all = union_all(booked, collected).subquery()
    name, at = of_all.c.name, of_all.c.at
    newest: list[str] = []
    if Cap.EVENT_LIST not in provider.capabilities:
        late = select(name).where(at >= since - _FRESH).order_by(at.desc(), name.desc())
        newest = [str(each) for each in session.scalars(late.limit(NEWEST))]
    start, _, last = walked_to.partition(" ")
    oldest = clock.now() - _WINDOW
    place = (max(datetime.fromisoformat(start), oldest), last) if start else (oldest, "")
    walk = select(name, at).where(tuple_(at, name) > place).order_by(at, name)
    rows = session.execute(walk.limit(IN_TURN)).all()
    stopped = f"{rows[-1].at.isoformat()} {rows[-1].name}" if len(rows) == IN_TURN else ""
    return list(dict.fromkeys([*newest, *(str(row.name) for row in rows)])), stopped


def of_payment(session: Session, provider: Provider, payment_id: str, grace_days: int) -> Effects:
    """Ask what went back of it, and take in what is not known; what that did. Raises ProviderError, NotYet."""
    try:
        found = port.refunds_of(provider).list_refunds(payment_id)
    except NotFound:  # removed there with its test data
        return []
    news = News("", provider.name, Seen(clock.now()), grace_days, Cap.IDEMPOTENCY_KEYS in provider.capabilities)
    effects: Effects = []
    for result in found:
        with transaction(session):
            did = refund_told.note(session, _told(provider, payment_id, result), news)
        effects += [each for each in did if each["kind"] != "refund.known"]
    if effects:
        _mirror_again(session, provider, payment_id, grace_days)
    return effects


def _told(provider: Provider, payment_id: str, result: RefundResult) -> RefundChanged:
    """As an event would tell it. A sum is told as one, so that only what is new of it counts."""
    return RefundChanged(
        refund_id=result.refund_id or refund_told.SUM + payment_id,
        payment_id=payment_id,
        status=result.status,
        amount=result.amount,
        cumulative=result.amount.minor if result.is_sum else None,
        our_refund_id=result.our_refund_id,
        **_envelope(provider),
    )


def _mirror_again(session: Session, provider: Provider, payment_id: str, grace_days: int) -> None:
    """The invoice of that payment says now that it was paid back."""
    with transaction(session):
        mine = select(Invoice.provider_id).where(Invoice.source == provider.name, Invoice.payment_id == payment_id)
        invoice_id = session.scalar(mine.limit(1))
    if invoice_id is None or Cap.INVOICES not in provider.capabilities:
        return
    event = InvoiceChanged(invoice_id=invoice_id, invoice=None, hint="credited", **_envelope(provider))
    seen = follow.look(session, provider, event, due_at=clock.now())
    with transaction(session):
        follow.take_in(session, provider.name, seen, grace_days=grace_days)


def _envelope(provider: Provider) -> dict[str, Any]:
    return {
        "provider": provider.name,
        "event_id": "",
        "raw_type": "reconciliation",
        "occurred_at": clock.now(),
        "livemode": provider.livemode,
    }
