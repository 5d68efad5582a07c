"""Charging a saved card for an invoice of ours that the wallet could not pay (SPEC P10, R4).

The money goes to the invoice and not through the wallet: there it would buy the customer's promotional money free, and
look like a top-up that can be refunded. The intent is an order of the kind "invoice", written before the provider is
asked and named to it as the idempotency key; so a charge whose answer was lost is asked for again, and is the same one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, clock, invoices
from app.db import transaction
from app.flows import owed
from app.invoices import Invoice
from app.money import Money
from app.payments import customers, inbox, orders, settling
from app.payments.models import Order
from app.providers import port
from app.providers.errors import Declined, InvalidRequest
from app.providers.events import PaymentFailed, PaymentSucceeded
from app.providers.port import Provider
from app.providers.values import Cap, Card, ChargeResult, CustomerRef
from app.subscriptions import arrears, lifecycle
from app.wallet import topups
from app.wallet.pay_invoice import paid_by_card

log = logging.getLogger(__name__)

KIND = "invoice"
SURE_FOR = timedelta(hours=23)  # providers forget idempotency keys after a day: no key is sent again later than this
LEASE = timedelta(minutes=2)  # for the network; afterwards another worker takes the step again, under the same key
AWAY = timedelta(minutes=5)  # a provider that did not answer about cards is asked again
STOPS = ("never", "new_card")  # the same card would be declined again
NO_REASON = "The card was declined."
NEEDED = frozenset({Cap.OFF_SESSION, Cap.SAVED_CARDS})  # of a provider, to charge cards without the customer
_PROCESSING = timedelta(hours=6)  # a payment that takes days is told of by event; this is only in case it is not

Effects = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Charge:
    """An order in plain values: reading the row after a commit would open a transaction around the network call."""

    order_id: str
    customer: CustomerRef
    amount: Money
    card_id: str
    invoice_id: str
    description: str


def under_way(session: Session, invoice: Invoice) -> Order | None:
    """The charge for this invoice whose outcome is not known yet."""
    return next((order for order in _of(session, invoice) if not order.is_final), None)


def begin(session: Session, invoice: Invoice, provider: Provider, card: Card, *, actor: str, grace_days: int) -> Order:
    """Write down that this card is to be charged the invoice's total. At most one charge is under way per invoice."""
    before = _of(session, invoice)
    assert all(order.is_final for order in before), "one charge at a time"
    order = orders.open_order(
        session,
        customer_id=invoice.customer_id,
        kind=KIND,
        amount_minor=invoice.total_minor,
        currency=invoice.currency,
        channel=provider.name,
        form_key=f"{_prefix(invoice)}{len(before) + 1}",
        created_by=actor,
    )
    order.next_poll_at = None  # it has no page to ask about; the worker asks for the charge again
    words = f"{card.brand.capitalize()} ending in {card.last4}"
    asked = {"invoice": invoice.id, "number": invoice.number, "card": card.id, "words": words, "grace_days": grace_days}
    orders.freeze(session, order, asked)
    return order


def charge_of(session: Session, order: Order) -> Charge:
    """What the provider is asked, the same each time. Raises LookupError for a customer the provider does not know."""
    known = customers.known_as(session, order.customer_id, order.channel)
    if known is None:
        raise LookupError(order.customer_id)
    amount, asked = Money(order.amount_minor, order.currency), order.request
    return Charge(order.id, known, amount, asked["card"], asked["invoice"], f"Invoice {asked['number']}")


def channel_for(
    session: Session, providers: Mapping[str, Provider], customer_id: str
) -> tuple[str, CustomerRef] | None:
    """The first channel that can charge cards without the customer and knows them."""
    for channel, provider in providers.items():
        known = customers.known_as(session, customer_id, channel)
        if known is not None and provider.capabilities >= NEEDED:
            return channel, known
    return None


def patience(order: Order) -> timedelta:
    """How long a charge whose outcome is not known is left to others before it is looked at again."""
    return _PROCESSING if order.state == "processing" else LEASE


def again(session: Session, providers: Mapping[str, Provider], order: Order) -> Charge | None:
    """The same charge, to be asked for once more, as long as its key is good; afterwards it is given up."""
    if order.state == "processing":
        return None
    if clock.now() - order.created_at > SURE_FOR:
        if not inbox.is_due(session):  # what the provider told meanwhile comes first
            give_up(session, order)
        return None
    return charge_of(session, order) if order.channel in providers else None


def ask(provider: Provider, charge: Charge) -> ChargeResult:
    """Charge the card. A definite no is a result; raises ProviderError when nobody knows."""
    metadata = {"intent_id": charge.order_id, "kind": KIND, "invoice_id": charge.invoice_id}
    return ask_for(
        provider, charge.customer, charge.amount, card_id=charge.card_id, words=charge.description, metadata=metadata
    )


def ask_for(
    provider: Provider, customer: CustomerRef, amount: Money, *, card_id: str, words: str, metadata: dict[str, str]
) -> ChargeResult:
    """The same for any order: its id is `intent_id` of the metadata, and the key."""
    order_id = metadata["intent_id"]
    try:
        return port.off_session_of(provider).charge_saved_card(
            customer, amount, card_id=card_id, description=words, key=order_id, metadata=metadata
        )
    except Declined as no:
        return ChargeResult(None, "failed", message=str(no))
    except InvalidRequest as wrong:
        log.warning("%s refuses to charge order %s: %s", provider.name, order_id, wrong)
        return ChargeResult(None, "failed", retry_advice="new_card", message="The card could not be charged.")


def record(session: Session, order_id: str, result: ChargeResult) -> None:
    """Write down what came of it. Whoever comes second, this or the provider's event, changes nothing."""
    with transaction(session):
        order = orders.find(session, order_id, lock=True)
        assert order is not None, "orders are never deleted"
        if result.status == "succeeded" and result.payment_id is not None:
            settling.answered(session, order, result.payment_id)
            _pay(session, order, result.payment_id, at=clock.now())
        elif result.status == "processing":
            orders.move(session, order, "processing")
        else:
            # Nobody is there to confirm a payment: to us it is a card that does not work for now.
            stops = result.status == "requires_action" or result.retry_advice in STOPS
            _fail(session, order, result.message or NO_REASON, stops=stops)


def give_up(session: Session, order: Order) -> None:
    """No answer and no event in all the time in which the key was good: the next try is a new charge."""
    _fail(session, order, "The bank did not answer.", stops=False)


def stopped_cards(session: Session, invoice: Invoice) -> set[str]:
    """The cards that were declined for good for this invoice: not to be charged again by ourselves (P11)."""
    return {order.request["card"] for order in _of(session, invoice) if order.request.get("stops")}


def choose(cards: Sequence[Card], without: set[str]) -> Card | None:
    """The card to charge: the customer's default one; where that was declined for good, none."""
    first = next((card for card in cards if card.is_default), next(iter(cards), None))
    return first if first is not None and first.id not in without else None


# What the provider tells later. The order is locked and the payment taken by `settle`.


def paid(session: Session, order: Order, told: PaymentSucceeded, _inbox_id: str) -> Effects:
    return [_pay(session, order, told.payment_id, at=told.occurred_at)]


def failed(session: Session, order: Order, told: PaymentFailed, _inbox_id: str) -> Effects:
    if order.is_final:
        return []
    _fail(session, order, told.message or NO_REASON, stops=False)
    return [{"kind": "order.failed", "order": order.id, "customer": order.customer_id}]


def _pay(session: Session, order: Order, payment_id: str, *, at: datetime) -> dict[str, Any]:
    # Locked in this order everywhere: the order, the subscription, the invoice.
    sub = lifecycle.live(session, order.customer_id, lock=True)
    invoice = _invoice(session, order)
    told = {"order": order.id, "customer": order.customer_id, "payment": payment_id, "invoice": invoice.id}
    first = order.payment_id is None
    if first:
        orders.pay(session, order, payment_id, at=at)
    if invoice.payment_id == payment_id:
        return {"kind": "payment.already_taken", **told}
    if invoice.status == "open":
        paid_by_card(session, invoice, channel=order.channel, payment_id=payment_id)
        invoices.mark_paid(
            session, invoice, paid_with=order.request["words"], payment_id=payment_id, at=at, actor=order.channel
        )
        if sub is not None and sub.id == invoice.subscription_id:
            arrears.paid(session, sub)
        return {"kind": "invoice.paid", **told}
    # Paid otherwise, or given up, while the money was on its way: it is the customer's.
    topups.credit(session, order, payment_id=payment_id, channel=order.channel)
    activity.record(session, order.channel, "invoice.paid_twice", invoice.id, customer_id=order.customer_id, **told)
    return {"kind": "wallet.credited", **told}


def _fail(session: Session, order: Order, why: str, *, stops: bool) -> None:
    if not orders.move(session, order, "failed", failure=why):
        return
    order.request = {**order.request, "stops": stops}
    sub = lifecycle.live(session, order.customer_id, lock=True)
    invoice = _invoice(session, order)
    if sub is not None and sub.id == invoice.subscription_id and invoice.status == "open":
        arrears.failed(session, sub, invoice, why=why, grace_days=order.request["grace_days"])
    elif owed.is_owed(session, invoice):
        owed.not_by_card(session, invoice, why)


def _of(session: Session, invoice: Invoice) -> list[Order]:
    mine = select(Order).where(
        Order.customer_id == invoice.customer_id,
        Order.kind == KIND,
        Order.form_key.startswith(_prefix(invoice), autoescape=True),
    )
    return list(session.scalars(mine.order_by(Order.created_at, Order.id)))


def _prefix(invoice: Invoice) -> str:
    return f"invoice:{invoice.id}:"


def _invoice(session: Session, order: Order) -> Invoice:
    key = (order.customer_id, order.request["invoice"])
    return session.get_one(Invoice, key, with_for_update=True, populate_existing=True)
