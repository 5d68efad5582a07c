"""What Lemon Squeezy tells about orders: top-ups and packs paid on a checkout page, and what of them went back.

A subscription's first payment is an order too; its invoice tells the same, so here it is nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.providers.bodies import amount, money
from app.providers.events import (
    CheckoutCompleted,
    CheckoutExpired,
    Event,
    Ignored,
    PaymentFailed,
    PaymentSucceeded,
    RefundChanged,
)
from app.providers.lemonsqueezy.body import custom_of, number
from app.providers.lemonsqueezy.connection import Json
from app.providers.lemonsqueezy.shop import Shop
from app.providers.values import CheckoutSession

REFERENCE = "intent_id"  # our order's id under the name it travels by
OURS = ("wallet_topup", "credit_pack")  # the kinds whose money the order itself tells
_PAID = ("paid", "partial_refund", "refunded")
_ELSEWHERE = "Its subscription tells the same, or it is of no order of ours."


def order_created(event: Json, told: dict[str, Any], shop: Shop) -> Sequence[Event]:
    if custom_of(event).get("kind") not in OURS:
        return [Ignored(why=_ELSEWHERE, **told)]
    order, reference = event["data"]["attributes"], custom_of(event).get(REFERENCE)
    if order["status"] in ("failed", "fraudulent"):
        return [_failed(event, reference, told)]
    done = CheckoutCompleted(session=_session(event, reference), order_id=reference, **told)
    if order["status"] not in _PAID:
        return [done]
    returned = [refund_of(event, told)] if order.get("refunded_amount") else []
    return [done, _paid(event, reference, told, shop), *returned]


def order_refunded(event: Json, told: dict[str, Any], _shop: Shop) -> Sequence[Event]:
    if custom_of(event).get("kind") not in OURS:
        return [Ignored(why=_ELSEWHERE, **told)]
    return [refund_of(event, told)]


def checkout_expired(event: Json, told: dict[str, Any], _shop: Shop) -> Sequence[Event]:
    """Never sent: what we read ourselves of a page that nobody paid on in time."""
    return [CheckoutExpired(session_id=event["data"]["id"], order_id=custom_of(event).get(REFERENCE), **told)]


def _other_goods(order: Json, shop: Shop) -> str | None:
    """What was bought, where it is not what amounts of one's choice are sold as.

    Whoever opens a link to something else in the same store chooses what the link carries, our order's id too: they
    would get what they bought there, and be credited here for the same money.
    """
    bought = number((order.get("first_order_item") or {})["variant_id"])
    return None if bought == shop.variant_id else bought


def _session(event: Json, reference: str | None) -> CheckoutSession:
    """The page is not named in what follows from it: the order stands for it."""
    name, is_paid = payment_id_of(event["data"]), event["data"]["attributes"]["status"] in _PAID
    return CheckoutSession(name, None, "complete", is_paid, reference, name, None, None)


def _paid(event: Json, reference: str | None, told: dict[str, Any], shop: Shop) -> PaymentSucceeded:
    order = event["data"]["attributes"]
    # Where the store's prices include the tax, what was asked for is the total, and nothing is on top of it.
    on_top = 0 if order.get("tax_inclusive") else amount(order["tax"])
    return PaymentSucceeded(
        payment_id=payment_id_of(event["data"]),
        order_id=reference,
        net=money(amount(order["total"]) - on_top, order["currency"]),
        tax=on_top,
        customer_id=custom_of(event).get("customer_id") or number(order["customer_id"]),
        invoice_id=None,
        product_id=_other_goods(order, shop),
        **told,
    )


def _failed(event: Json, reference: str | None, told: dict[str, Any]) -> PaymentFailed:
    order = event["data"]["attributes"]
    return PaymentFailed(
        payment_id=payment_id_of(event["data"]),
        order_id=reference,
        amount=money(order["total"], order["currency"]),
        code=order["status"],
        message=None,
        invoice_id=None,
        **told,
    )


def refund_of(event: Json, told: dict[str, Any]) -> RefundChanged:
    """How much has gone back of an order or an invoice so far, tax included: what each refund was, nobody tells."""
    data = event["data"]
    paid, so_far = payment_id_of(data), amount(data["attributes"]["refunded_amount"])
    return RefundChanged(
        refund_id=refund_id_of(paid, so_far),
        payment_id=paid,
        status="succeeded",
        amount=money(so_far, data["attributes"]["currency"]),
        cumulative=so_far,
        our_refund_id=None,
        **told,
    )


def payment_id_of(data: Json) -> str:
    """`orders/7`, `subscription-invoices/7`: both are counted from one, so a number alone would name two payments."""
    return f"{data['type']}/{number(data['id'])}"


def refund_id_of(payment_id: str, so_far: int) -> str:
    """A refund has no name there: it is known by how much had gone back after it."""
    return f"{payment_id}:{so_far}"
