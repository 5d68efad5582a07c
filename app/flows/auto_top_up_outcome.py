"""What comes of an automatic top-up: paid, declined, to be confirmed, stopped. Told by the answer or by an event.

Locked in this order: the order, the subscription, the ledger, the customer's row. Whoever comes second changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app import activity, clock, notices
from app.flows import dunning
from app.flows.charge_card import NO_REASON, STOPS
from app.flows.news import Effects
from app.payments import orders, settling
from app.payments.models import Order
from app.providers.events import PaymentFailed, PaymentSucceeded
from app.providers.values import ChargeResult
from app.wallet import auto_top_up, topups
from app.wallet.auto_top_up import AFTER_A_DECLINE, COOL_OFF, KIND, MOST_DECLINES, WHY
from app.wallet.models import AutoTopUp


def record(session: Session, order_id: str, result: ChargeResult, *, base_url: str) -> None:
    """Write down the provider's answer."""
    order = orders.find(session, order_id, lock=True)
    assert order is not None, "orders are never deleted"
    if result.status == "succeeded" and result.payment_id is not None:
        settling.answered(session, order, result.payment_id)
        _pay(session, order, result.payment_id, at=clock.now())
    elif result.status == "processing":
        orders.move(session, order, "processing")
    elif result.status == "requires_action":
        _to_confirm(session, order, base_url)
    else:
        _fail(session, order, result.message or NO_REASON, stops=result.retry_advice in STOPS)


def paid(session: Session, order: Order, told: PaymentSucceeded, _inbox_id: str) -> Effects:
    """The provider tells that the money came. The order is locked and the payment taken by `settle`."""
    return _pay(session, order, told.payment_id, at=told.occurred_at)


def failed(session: Session, order: Order, told: PaymentFailed, _inbox_id: str) -> Effects:
    """The provider tells that it did not."""
    if order.is_final:
        return []
    _fail(session, order, told.message or NO_REASON, stops=False)
    return [{"kind": "order.failed", "order": order.id, "customer": order.customer_id}]


def give_up(session: Session, order_id: str) -> None:
    """No answer and no event in all the time in which the key was good: the next try is a new charge."""
    order = orders.find(session, order_id, lock=True)
    assert order is not None, "orders are never deleted"
    _fail(session, order, "The bank did not answer.", stops=False)


def stop(session: Session, row: AutoTopUp, why: str, *, key: str) -> None:
    """We end it, and tell the customer once. Needs the row locked."""
    if auto_top_up.stop(session, row, why):
        kind = "auto_topup_off" if row.state == "off" else "auto_topup_paused"
        notices.tell(session, row.customer_id, kind, key=f"{KIND}:{why}:{key}", why=WHY[why])


def suspend(session: Session, customer_id: str, why: str, *, key: str) -> None:
    """For a refund or a frozen wallet (`why`): no charge may follow from it. In that transaction, once per `key`."""
    row = auto_top_up.of(session, customer_id, lock=True)
    if row is not None:
        stop(session, row, why, key=key)


def _pay(session: Session, order: Order, payment_id: str, *, at: datetime) -> Effects:
    dunning.lock(session, order.customer_id)
    told = {"order": order.id, "customer": order.customer_id, "payment": payment_id}
    if order.payment_id == payment_id:
        return [{"kind": "payment.already_credited", **told}]
    words = "Automatic top-up"
    entry = topups.credit(session, order, payment_id=payment_id, channel=order.channel, description=words)
    if order.payment_id is not None:
        more = {"payment": payment_id, "first_payment": order.payment_id}
        activity.record(session, order.channel, "order.paid_twice", order.id, customer_id=order.customer_id, **more)
    else:
        orders.pay(session, order, payment_id, at=at)
    _well(session, order)
    did: list[dict[str, Any]] = [{"kind": "wallet.credited", **told, "entry": entry.id}]
    if dunning.wallet_filled(session, order.customer_id):
        did.append({"kind": "invoice.paid", **told})
    return did


def _well(session: Session, order: Order) -> None:
    row = _row(session, order)
    row.declines = 0
    if row.order_id in (None, order.id):
        row.order_id, row.not_before = None, clock.now() + COOL_OFF
    facts: dict[str, Any] = {"amount_minor": order.amount_minor, "currency": order.currency}
    card = order.request["words"]
    notices.tell(session, order.customer_id, "auto_topup_charged", key=f"{KIND}:{order.id}", card=card, **facts)


def _fail(session: Session, order: Order, why: str, *, stops: bool) -> None:
    if orders.move(session, order, "failed", failure=why):
        _declined(session, order, _row(session, order), why, stops=stops)


def _declined(session: Session, order: Order, row: AutoTopUp, why: str, *, stops: bool) -> None:
    """Wait an hour; after three in a row, or where the bank forbids it, switch it off."""
    row.declines += 1
    if row.order_id in (None, order.id):
        row.order_id, row.not_before = None, clock.now() + AFTER_A_DECLINE
    if stops or row.declines >= MOST_DECLINES:
        stop(session, row, "declined_for_good" if stops else "declined", key=order.id)
        return
    again = "We try once more in an hour." if row.state == "on" else "We do not try again by ourselves."
    facts: dict[str, Any] = {"amount_minor": order.amount_minor, "currency": order.currency, "why": why}
    notices.tell(session, row.customer_id, "topup_declined", key=f"{KIND}:{order.id}:declined", again=again, **facts)


def _to_confirm(session: Session, order: Order, base_url: str) -> None:
    """Nobody is there to confirm it: paused, with a link to where a person can, and no try without them."""
    if order.state == "paid":
        return
    # An event may have called it declined already; it is this all the same.
    orders.move(session, order, "failed", failure=WHY["confirm"])
    row = _row(session, order)
    if row.order_id == order.id:
        row.order_id = None
    auto_top_up.stop(session, row, "confirm")
    facts: dict[str, Any] = {"amount_minor": order.amount_minor, "currency": order.currency}
    link = f"{base_url.rstrip('/')}/wallet"
    notices.tell(session, row.customer_id, "topup_to_confirm", key=f"{KIND}:{order.id}:confirm", link=link, **facts)


def _row(session: Session, order: Order) -> AutoTopUp:
    row = auto_top_up.of(session, order.customer_id, lock=True)
    assert row is not None, "only who switched it on is charged"
    return row
