"""Reading Polar's orders, and what has gone back of them: the verbs of invoices and refunds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.money import Money, round_half_away
from app.providers.billing import InvoiceDoc, RefundedUnused, SubscriptionState, UnusedPart, UnusedValue
from app.providers.bodies import amount
from app.providers.polar import documents
from app.providers.polar.body import instant
from app.providers.polar.connection import Connection, Json
from app.providers.polar.told_returns import refund_of
from app.providers.values import CustomerRef, RefundResult

_REASONS = {"duplicate": "duplicate", "fraudulent": "fraudulent"}  # ours that Polar has a word for
_REFUND = "refund_id"
_SECOND = timedelta(seconds=1)
_WRITTEN_BEFORE = timedelta(minutes=10)  # an order may be a moment older than the period it is for


class Invoicing:
    """The verbs of orders as invoices."""

    _polar: Connection

    def list_invoices(
        self, customer: CustomerRef, *, cursor: str | None, limit: int, subscription_id: str | None = None
    ) -> tuple[Sequence[InvoiceDoc], str | None]:
        page = int(cursor or "1")
        of: Json = {"subscription_id": subscription_id} if subscription_id else {"customer_id": customer.id}
        told = self._polar.get("/v1/orders/", sorting="-created_at", page=page, limit=limit, **of)
        more = page < told["pagination"]["max_page"]
        return [documents.invoice_of(order) for order in told["items"]], str(page + 1) if more else None

    def get_invoice(self, invoice_id: str) -> InvoiceDoc:
        order = self._polar.get(f"/v1/orders/{invoice_id}")
        back = self._refunds(invoice_id) if order["refunded_amount"] else []
        notes = [documents.credit_note_of(refund) for refund in back if refund["status"] == "succeeded"]
        return documents.invoice_of(order, credit_notes=notes)

    def _refunds(self, payment_id: str) -> list[Json]:
        return self._polar.pages("/v1/refunds/", order_id=payment_id)


class GivingBack:
    """The verbs of money going back. Ours are with tax; Polar's are before it, and it gives the tax back on top."""

    _polar: Connection

    def refund(
        self,
        *,
        payment_id: str,
        amount: Money,
        reason: str,
        our_refund_id: str,
        key: str,  # noqa: ARG002 - Polar knows no keys: what was done is found by our id for it
        invoice_id: str | None = None,  # noqa: ARG002 - the order is both
    ) -> RefundResult:
        made = self._made(payment_id, our_refund_id)
        if made is None:
            net = before_tax(self._polar.get(f"/v1/orders/{payment_id}"), amount.minor)
            made = self._give(payment_id, net, reason, our_refund_id)
        return refund_of(made)

    def _made(self, order_id: str, our_refund_id: str) -> Json | None:
        """The refund under our id, if there is one."""
        made = self._polar.pages("/v1/refunds/", order_id=order_id)
        return next((each for each in made if (each.get("metadata") or {}).get(_REFUND) == our_refund_id), None)

    def _give(self, order_id: str, net: int, reason: str, our_refund_id: str) -> Json:
        wanted = {
            "order_id": order_id,
            "amount": net,
            "reason": _REASONS.get(reason, "customer_request"),
            "revoke_benefits": False,
            "metadata": {_REFUND: our_refund_id},
        }
        return self._polar.post("/v1/refunds/", wanted)

    def list_refunds(self, payment_id: str) -> Sequence[RefundResult]:
        return [refund_of(each) for each in self._polar.pages("/v1/refunds/", order_id=payment_id)]

    def unused_value(self, sub: SubscriptionState, *, at: datetime) -> UnusedValue:
        """The share of the current period's orders that lies ahead, second by second, rounded down."""
        orders = self._polar.pages("/v1/orders/", subscription_id=sub.id, sorting="-created_at", most=100)
        parts = [part for order in orders if (part := _unused(order, sub, at)) is not None]
        net, tax = sum(part.net for part in parts), sum(part.tax for part in parts)
        currency = orders[0]["currency"].lower() if orders else "usd"
        return UnusedValue(net=Money(net, currency), tax=tax, to_card=net + tax, as_of=at, parts=parts)

    def refund_unused(
        self,
        customer: CustomerRef,  # noqa: ARG002 - the order knows whose it is
        unused: UnusedValue,
        *,
        our_refund_id: str,
        key: str,  # noqa: ARG002
    ) -> RefundedUnused:
        made = [
            self._made(part.invoice_id, our_refund_id) or self._give(part.invoice_id, part.net, "", our_refund_id)
            for part in unused.parts
        ]
        back = sum(amount(each["amount"]) + amount(each["tax_amount"]) for each in made)
        return RefundedUnused(
            refunds=[refund_of(each) for each in made],
            credit_notes=[],
            refunded=Money(back, unused.net.currency),
            credited=Money(0, unused.net.currency),
        )


def before_tax(order: Json, gross: int) -> int:
    """What to ask for so that `gross` goes back: all that is left where it is that, else its share of the price."""
    left = amount(order["refundable_amount"])
    if gross == left + amount(order["refundable_tax_amount"]):
        return left
    tax, whole = amount(order["tax_amount"]), amount(order["net_amount"]) + amount(order["tax_amount"])
    return gross - round_half_away(gross * tax, whole) if whole else gross


def _unused(order: Json, sub: SubscriptionState, at: datetime) -> UnusedPart | None:
    """What one order of the current period gives back, never more than is left of it.

    An order for a change covers the time from the change on; its credit for the old plan is in its net already.
    """
    begun, end = sub.period_start, sub.period_end
    made, net = instant(order["created_at"]), amount(order["net_amount"])
    if not order["paid"] or begun is None or end is None or not net or at >= end:
        return None
    if made < begun - _WRITTEN_BEFORE:
        return None  # of an earlier period
    since = max(made, begun) if order["billing_reason"] == "subscription_update" else begun
    whole, ahead = (end - since) // _SECOND, (end - max(at, since)) // _SECOND
    left = min(net * ahead // whole if whole else 0, amount(order["refundable_amount"]))
    if left <= 0:
        return None
    tax = min(amount(order["tax_amount"]) * left // net, amount(order["refundable_tax_amount"]))
    return UnusedPart(order["id"], order["id"], net=left, tax=tax)
