"""Money back: of an order or of a subscription's invoice, all or a part; and what is left of a paid period.

There are no idempotency keys and no refunds by name, only how much has gone back so far. Whoever repeats a refund
that was not answered must look first; `refund_unused` does, since it keeps how much had gone back before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.money import Money
from app.providers.billing import RefundedUnused, SubscriptionState, UnusedPart, UnusedValue
from app.providers.bodies import amount, money
from app.providers.errors import InvalidRequest
from app.providers.lemonsqueezy.body import instant, number
from app.providers.lemonsqueezy.connection import Connection, Json
from app.providers.lemonsqueezy.reading import Reader
from app.providers.lemonsqueezy.snapshots import INVOICES
from app.providers.lemonsqueezy.told_orders import payment_id_of, refund_id_of
from app.providers.values import CustomerRef, RefundResult

_KINDS = ("orders", INVOICES)


class GivingBack:
    """The verbs of refunds."""

    _lemon: Connection
    _reader: Reader

    def refund(
        self,
        *,
        payment_id: str,
        amount: Money,
        reason: str,  # noqa: ARG002 - there is no place for it
        our_refund_id: str,
        key: str,  # noqa: ARG002
        invoice_id: str | None = None,  # noqa: ARG002 - the payment says it
    ) -> RefundResult:
        kind, name = _of(payment_id)
        wanted = {"data": {"type": kind, "id": name, "attributes": {"amount": amount.minor}}}
        data = self._lemon.write("POST", f"/{kind}/{name}/refund", wanted)["data"]
        return _result(data, amount, our_refund_id)

    def list_refunds(self, payment_id: str) -> Sequence[RefundResult]:
        """One that stands for all: how much has gone back so far."""
        data = self._reader.of_store(*_of(payment_id))
        so_far = money(data["attributes"].get("refunded_amount") or 0, data["attributes"]["currency"])
        return [replace(_result(data, so_far, None), is_sum=True)] if so_far.minor else []

    def unused_value(self, sub: SubscriptionState, *, at: datetime) -> UnusedValue:
        whole = self._reader.whole(sub.id)
        start, end = whole.state.period_start, whole.state.period_end
        parts: list[UnusedPart] = []
        currency = "usd"
        for invoice in whole.invoices:
            told = invoice["attributes"]
            currency = told["currency"].lower()
            since = _paid_since(told, start)
            if since is not None and end is not None and since < end and told["status"] in ("paid", "partial_refund"):
                parts += _unused(invoice, since=since, until=end, at=at)
        net, tax = sum(part.net for part in parts), sum(part.tax for part in parts)
        return UnusedValue(Money(net, currency), tax, to_card=net + tax, as_of=at, parts=parts)

    def refund_unused(
        self,
        customer: CustomerRef,  # noqa: ARG002 - the invoice says it
        unused: UnusedValue,
        *,
        our_refund_id: str,
        key: str,
    ) -> RefundedUnused:
        made = [self._give_back(part, our_refund_id, key) for part in unused.parts]
        currency = unused.net.currency
        refunded = Money(sum(refund.amount.minor for refund in made), currency)
        return RefundedUnused(made, [], refunded=refunded, credited=Money(0, currency))

    def _give_back(self, part: UnusedPart, our_refund_id: str, key: str) -> RefundResult:
        invoice = self._reader.invoice(part.invoice_id)
        told, due = invoice["attributes"], part.net + part.tax
        gone, before = amount(told.get("refunded_amount") or 0), int(part.line_id)
        wanted = Money(min(due, amount(told["total"]) - before), told["currency"].lower())
        if gone >= before + wanted.minor:  # by an earlier try
            return _result(invoice, wanted, our_refund_id)
        return self.refund(
            payment_id=payment_id_of(invoice), amount=wanted, reason="", our_refund_id=our_refund_id, key=key
        )


def _of(payment_id: str) -> tuple[str, str]:
    kind, _, name = payment_id.partition("/")
    if kind not in _KINDS:
        raise InvalidRequest("This is no payment of Lemon Squeezy's.", code="no_payment")
    return kind, number(name)


def _result(data: Json, of: Money, our_refund_id: str | None) -> RefundResult:
    so_far = amount(data["attributes"].get("refunded_amount") or 0)
    return RefundResult(refund_id_of(payment_id_of(data), so_far), "succeeded", of, our_refund_id)


def _paid_since(told: Json, start: datetime | None) -> datetime | None:
    """From when on this invoice paid for the running period; None for one of an earlier period."""
    created = instant(told["created_at"])
    if start is None or (created - start).total_seconds() < -43_200:
        return None
    return created if told["billing_reason"] == "updated" else start


def _unused(invoice: Json, *, since: datetime, until: datetime, at: datetime) -> list[UnusedPart]:
    """Its share of what is left. `line_id` keeps how much had gone back by then."""
    told = invoice["attributes"]
    gone = amount(told.get("refunded_amount") or 0)
    left = amount(told["total"]) - gone
    span, rest = int((until - since).total_seconds()), int((until - max(at, since)).total_seconds())
    if rest <= 0 or span <= 0 or left <= 0:
        return []
    tax_left = amount(told["tax"]) * left // amount(told["total"])
    net, tax = (left - tax_left) * rest // span, tax_left * rest // span
    return [UnusedPart(number(invoice["id"]), str(gone), net, tax)] if net + tax else []
