"""What each kind of news causes: one table. A reaction takes the event and its surroundings and says what it did.

By the kind of its order, a payment is a top-up, a subscription, a pack or an invoice of ours. Each ends in the same
state however often, late or out of order it is told, because orders only move forward and a payment counts once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from app import activity, coupons
from app.flows import auto_top_up_outcome, buy_pack, cards, charge_card, disputed, dunning, follow, refund_told
from app.flows.news import Effects, News, NotYet
from app.payments import card_pages, customers, known_cards, orders, settling
from app.payments.models import Order
from app.providers.events import (
    CardChanged,
    CheckoutCompleted,
    CheckoutExpired,
    DisputeChanged,
    Event,
    Ignored,
    InvoiceChanged,
    PaidByCard,
    PaymentFailed,
    PaymentSucceeded,
    RefundChanged,
    SubscriptionChanged,
)
from app.wallet import auto_top_up, topups

Reaction = Callable[[Session, Any, News], Effects]


def react(session: Session, event: Event, news: News) -> Effects:
    """Apply one event. Belongs in the transaction in which it is marked as handled."""
    reaction = REACTIONS.get(type(event))
    if reaction is None or unused(event):
        return []
    if card_pages.is_card_page(getattr(event, "order_id", None)) and not isinstance(event, CardChanged):
        return cards.note(session, event, news.inbox_id)
    return reaction(session, event, news)


def unused(event: Event) -> str | None:
    """Why nothing is done about this event; None when something is."""
    if isinstance(event, Ignored):
        return event.why
    if type(event) not in REACTIONS:
        return "Purser does nothing with this kind of event yet."
    if isinstance(event, InvoiceChanged) and event.hint == "upcoming":
        return "An invoice that is not made yet changes nothing."
    by_order = isinstance(event, CheckoutCompleted | CheckoutExpired | PaymentSucceeded | PaymentFailed)
    if by_order and getattr(event, "order_id", None) is None:
        return "It names no order of ours."
    return None


def credit_payment(session: Session, paid: PaymentSucceeded, news: News) -> Effects:
    """Take the payment once, after every check, and do what its order is for."""
    order = _order(session, paid.order_id)
    settling.check(session, order, paid)
    if not settling.take(session, order, paid, inbox_id=news.inbox_id):
        return [_did("payment.already_credited", order, payment=paid.payment_id)]
    if order.kind == charge_card.KIND:
        return charge_card.paid(session, order, paid, news.inbox_id)
    if order.kind == buy_pack.KIND:
        return buy_pack.paid(session, order, paid, news.inbox_id)
    if order.kind == auto_top_up.KIND:
        return auto_top_up_outcome.paid(session, order, paid, news.inbox_id)
    return _credit_wallet(session, order, paid)


def _credit_wallet(session: Session, order: Order, paid: PaymentSucceeded) -> Effects:
    """Into the wallet; a second payment of one order too. Then the wallet pays what has been waiting for it."""
    dunning.lock(session, order.customer_id)
    extra = order.payment_id is not None
    how = {"description": "Top-up, less a code used on the payment page"} if paid.discount else {}
    entry = topups.credit(
        session, order, payment_id=paid.payment_id, channel=paid.provider, paid_minor=paid.net.minor, **how
    )
    if extra:
        # The customer paid twice: the money is theirs, and staff should know (it may have to go back).
        told = {"payment": paid.payment_id, "first_payment": order.payment_id}
        activity.record(session, paid.provider, "order.paid_twice", order.id, customer_id=order.customer_id, **told)
    else:
        orders.pay(session, order, paid.payment_id, at=paid.occurred_at)
        coupons.redeem(session, order.customer_id, order.id, paid_minor=paid.net.minor)
    did = _did("wallet.credited", order, payment=paid.payment_id, entry=entry.id, amount_minor=paid.net.minor)
    if dunning.wallet_filled(session, order.customer_id):
        return [did, _did("invoice.paid", order)]
    return [did]


def note_completed(session: Session, told: CheckoutCompleted, news: News) -> Effects:
    """The page was filled in; the money is on its way, or was told of with it, or the subscription has begun."""
    return _move(session, told.order_id, "processing") + _take_in(session, news)


def note_failed(session: Session, told: PaymentFailed, news: News) -> Effects:
    """The money did not come. The person is told why; nothing was ever credited."""
    order = _order(session, told.order_id)
    if order.kind == charge_card.KIND:
        return charge_card.failed(session, order, told, news.inbox_id)
    if order.kind == auto_top_up.KIND:
        return auto_top_up_outcome.failed(session, order, told, news.inbox_id)
    return follow.give_up(session, order, told.message or "The payment did not go through.")


def note_expired(session: Session, told: CheckoutExpired, _news: News) -> Effects:
    """Nobody paid in time."""
    return follow.give_up(session, _order(session, told.order_id), "Nobody paid in time.", state="expired")


def note_subscription(session: Session, _told: SubscriptionChanged, news: News) -> Effects:
    """It changed at the provider: what was read of it is taken in whole."""
    return _take_in(session, news)


def note_invoice(session: Session, _told: InvoiceChanged, news: News) -> Effects:
    """The same for an invoice, with the subscription it is for."""
    return _take_in(session, news)


def note_card(session: Session, told: CardChanged, news: News) -> Effects:
    """A card was saved or replaced: a payment that failed is tried again (SPEC P11)."""
    effects = cards.note(session, told, news.inbox_id) if card_pages.is_card_page(told.order_id) else []
    owner = customers.customer_behind(session, told.provider, told.customer_id) if told.customer_id else None
    if owner is not None and told.card_id is not None:
        known_cards.keep(session, owner, news.channel, told.card_id, kind="saved", brand=told.brand, last4=told.last4)
    useful = told.hint in ("attached", "updated", "default_changed", "setup_succeeded")
    if owner is not None and useful and dunning.card_changed(session, owner):
        effects = [*effects, {"kind": "payment.to_be_retried", "customer": owner}]
    return effects


def note_paying_card(session: Session, told: PaidByCard, news: News) -> Effects:
    """Which card paid, for staff who look for its owner by the last four digits."""
    owner = customers.customer_behind(session, news.channel, told.customer_id) if told.customer_id else None
    if owner is not None:
        known_cards.keep(session, owner, news.channel, told.payment_id, kind="paid", brand=told.brand, last4=told.last4)
    return []


def _take_in(session: Session, news: News) -> Effects:
    return follow.take_in(session, news.channel, news.seen, grace_days=news.grace_days)


def _move(session: Session, order_id: str | None, state: str) -> Effects:
    order = _order(session, order_id)
    if not orders.move(session, order, state):
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
    PaidByCard: note_paying_card,
    SubscriptionChanged: note_subscription,
    InvoiceChanged: note_invoice,
    CardChanged: note_card,
    RefundChanged: refund_told.note,
    DisputeChanged: disputed.note,
}
