"""What an exact name leads to: our ids, the providers', invoice numbers. Each by an index, nearly all in one SELECT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, literal, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.customers.models import Customer, Membership
from app.invoices.models import CreditNote, Invoice
from app.payments.models import Dispute, KnownCard, Order, Payment, ProviderCustomer, Refund
from app.people.models import User
from app.providers.registry import ADAPTERS
from app.subscriptions.models import Subscription

CHANNELS = tuple(ADAPTERS)  # the indexes of what providers name begin with the channel
SHORTEST, LONGEST = 4, 255
_CARDS = ("pm_", "card_", "src_")
MOST = 50  # of one kind: an exact name is one thing, or a few at different providers

Found = dict[str, list[str]]


def customers(session: Session, text: str) -> Found:
    """The customers that this very name leads to, each with why, in words. No row of a large table is scanned."""
    if not SHORTEST <= len(text) <= LONGEST or any(letter.isspace() for letter in text):
        return {}
    found: Found = {}
    for row in session.execute(union_all(*_ways(text))):
        reasons = found.setdefault(str(row[0]), [])
        if (reason := f"{row[1]} {text}") not in reasons:
            reasons.append(reason)
    return found or _of_cards(session, text)


def _of_cards(session: Session, text: str) -> Found:
    """Whose saved card this is, as Stripe names it. Nobody needs this often, so the cards have no index for it."""
    if not text.startswith(_CARDS):
        return {}
    owners = select(KnownCard.customer_id).where(KnownCard.reference == text, KnownCard.kind == "saved").limit(MOST)
    return {owner: [f"payment method {text}"] for owner in session.scalars(owners)}


def _ways(text: str) -> list[Select[Any]]:
    numbers = [text, text.upper()]
    return [
        _way(Customer.id, "customer", Customer.id == text),
        _way(Customer.id, "external ID", Customer.external_id == text),
        _way(Membership.customer_id, "member", Membership.user_id == text),
        *_of_addresses(text),
        *_of_payments(text),
        _way(Subscription.customer_id, "subscription", Subscription.id == text),
        _there(Subscription.customer_id, "subscription", Subscription.channel, Subscription.provider_id, text),
        _way(Invoice.customer_id, "invoice", Invoice.id == text),
        _way(Invoice.customer_id, "invoice", Invoice.number.in_(numbers)),
        _there(Invoice.customer_id, "invoice", Invoice.source, Invoice.provider_id, text),
        _there(Invoice.customer_id, "payment", Invoice.source, Invoice.payment_id, text, "purser"),
        _way(CreditNote.customer_id, "credit note", CreditNote.source == "purser", CreditNote.number.in_(numbers)),
    ]


def _of_addresses(text: str) -> list[Select[Any]]:
    """A whole mail address, of the customer or of a member; a part of one is looked through elsewhere."""
    if "@" not in text:
        return []
    theirs = select(Membership.customer_id).join(User, User.id == Membership.user_id)
    members = theirs.where(User.email_key == text.lower()).limit(MOST).subquery()
    return [
        _way(Customer.id, "mail", Customer.email.in_([text, text.lower()])),
        select(members.c.customer_id, literal("member")),
    ]


def _of_payments(text: str) -> list[Select[Any]]:
    there = _there
    return [
        _way(Order.customer_id, "order", Order.id == text),
        _way(Order.customer_id, "checkout", Order.provider_ref == text),
        _way(Order.customer_id, "payment", Order.payment_id == text, Order.kind != "subscription"),
        there(Payment.customer_id, "payment", Payment.channel, Payment.payment_id, text),
        _way(Payment.customer_id, "invoice", Payment.invoice_id == text),
        there(ProviderCustomer.customer_id, "customer", ProviderCustomer.channel, ProviderCustomer.provider_id, text),
        _way(Refund.customer_id, "refund", Refund.id == text),
        there(Refund.customer_id, "refund", Refund.channel, Refund.provider_refund_id, text),
        _way(Dispute.customer_id, "dispute", Dispute.id == text),
        there(Dispute.customer_id, "dispute", Dispute.channel, Dispute.provider_dispute_id, text),
        there(Dispute.customer_id, "disputed payment", Dispute.channel, Dispute.payment_id, text),
    ]


def _way(customer: InstrumentedAttribute[str], what: str, *matches: ColumnElement[bool]) -> Select[Any]:
    # SQLite takes no LIMIT within a union unless it is a table of its own.
    few = select(customer.label("customer_id")).where(*matches).limit(MOST).subquery()
    return select(few.c.customer_id, literal(what))


def _there(
    customer: InstrumentedAttribute[str],
    what: str,
    channel: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
    name: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
    text: str,
    *others: str,
) -> Select[Any]:
    """What a provider calls so, whichever it is."""
    places: Sequence[str] = (*CHANNELS, *others)
    return _way(customer, what, channel.in_(places), name == text)
