"""Creem's subscriptions: read, changed at once, ended with the period or now; and what they were paid with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app import clock
from app.money import Money
from app.providers.billing import (
    CancelReason,
    InvoiceDoc,
    RefundedUnused,
    SubscriptionState,
    UnusedPart,
    UnusedValue,
)
from app.providers.bodies import amount, money
from app.providers.creem.body import id_of
from app.providers.creem.connection import Connection, Json
from app.providers.creem.snapshots import invoice_of, subscription_of
from app.providers.errors import InvalidRequest, NotConfigured
from app.providers.values import CustomerRef, Interval, PlanRef, Redirect, RefundResult


class Subscribing:
    """The verbs of a subscription's life. Each looks first how things stand, for Creem knows no idempotency keys."""

    _creem: Connection

    def ensure_price(self, *, plan: str, version: int, interval: Interval, price: Money, name: str, key: str) -> str:  # noqa: ARG002 - a product is made by hand
        named = f"provider_ids.creem.{interval}ly"
        raise NotConfigured(
            f"The plan {plan} has no creem_product_id: make a product for {name} at {price.minor} {price.currency} "
            f"(minor units) a {interval} at Creem, and name it in the catalogue as {named} of {plan}.",
            code="creem_product_id_missing",
        )

    def _sub(self, subscription_id: str) -> Json:
        return self._creem.get("/v1/subscriptions", subscription_id=subscription_id)

    def get_subscription(self, subscription_id: str) -> SubscriptionState:
        seen_at = clock.now()  # before asking: what changes meanwhile is newer than this
        return subscription_of(self._sub(subscription_id), version=seen_at)

    def change_now(
        self,
        sub: SubscriptionState,
        to: PlanRef,
        *,
        at: datetime,  # noqa: ARG002 - Creem prorates by the instant at which it is asked
        key: str,  # noqa: ARG002
    ) -> tuple[SubscriptionState, Redirect | None]:
        return self._change(sub.id, to, "proration-charge-immediately"), None

    def change_for_renewal(self, sub: SubscriptionState, to: PlanRef, *, key: str) -> SubscriptionState:  # noqa: ARG002
        return self._change(sub.id, to, "proration-none")

    def _change(self, subscription_id: str, to: PlanRef, how: str) -> SubscriptionState:
        if id_of(self._sub(subscription_id)["product"]) != to.provider_price_id:
            wanted = {"product_id": to.provider_price_id, "update_behavior": how}
            self._creem.post(f"/v1/subscriptions/{subscription_id}/upgrade", wanted)
        return self.get_subscription(subscription_id)

    def clear_pending_change(self, sub: SubscriptionState, *, key: str) -> SubscriptionState:  # noqa: ARG002
        return self.get_subscription(sub.id)  # nothing is ever pending there

    def cancel_at_period_end(
        self,
        sub: SubscriptionState,
        *,
        reason: CancelReason | None,  # noqa: ARG002 - there is no place for it
        comment: str | None,  # noqa: ARG002
        key: str,  # noqa: ARG002
    ) -> SubscriptionState:
        return self._cancel(sub.id, "scheduled", but=("scheduled_cancel", "canceled"))

    def cancel_now(self, sub: SubscriptionState, *, key: str) -> SubscriptionState:  # noqa: ARG002
        return self._cancel(sub.id, "immediate", but=("canceled",))

    def _cancel(self, subscription_id: str, mode: str, *, but: tuple[str, ...]) -> SubscriptionState:
        """The mode is said out loud: what it is without is a setting of the store's."""
        if self._sub(subscription_id)["status"] not in but:
            self._creem.post(f"/v1/subscriptions/{subscription_id}/cancel", {"mode": mode, "onExecute": "cancel"})
        return self.get_subscription(subscription_id)

    def resume(self, sub: SubscriptionState, *, key: str) -> SubscriptionState:  # noqa: ARG002
        status = self._sub(sub.id)["status"]
        if status == "canceled":
            raise InvalidRequest("The subscription has ended.", code="subscription_ended")
        if status == "scheduled_cancel":
            self._creem.post(f"/v1/subscriptions/{sub.id}/resume", {})
        return self.get_subscription(sub.id)

    # What it was paid with.

    def list_invoices(
        self,
        customer: CustomerRef,  # noqa: ARG002 - Creem knows them by its own id, which the subscription tells
        *,
        cursor: str | None,  # noqa: ARG002 - one page holds them all
        limit: int,
        subscription_id: str | None = None,
    ) -> tuple[Sequence[InvoiceDoc], str | None]:
        if subscription_id is None:
            raise InvalidRequest("Creem's payments are listed by subscription.", code="no_subscription")
        sub = self._sub(subscription_id)
        paid = self._creem.transactions(customer_id=id_of(sub["customer"]))
        mine = [each for each in paid if each.get("subscription") and id_of(each["subscription"]) == subscription_id]
        return [invoice_of(each, sub=sub) for each in mine[:limit]], None

    def get_invoice(self, invoice_id: str) -> InvoiceDoc:
        paid = self._transaction(invoice_id)
        sub = self._sub(id_of(paid["subscription"])) if paid.get("subscription") else None
        return invoice_of(paid, sub=sub)

    def _transaction(self, name: str) -> Json:
        return self._creem.get("/v1/transactions", transaction_id=name)

    # Money back: all of a payment or nothing.

    def refund(
        self,
        *,
        payment_id: str,
        amount: Money,
        reason: str,  # noqa: ARG002 - there is no place for it
        our_refund_id: str,
        key: str,  # noqa: ARG002
        invoice_id: str | None = None,  # noqa: ARG002
    ) -> RefundResult:
        left = _left(self._transaction(payment_id))
        if amount != left:
            raise InvalidRequest("Creem pays a payment back as a whole or not at all.", code="full_refunds_only")
        told = self._creem.post("/v1/refunds", {"transaction_id": payment_id})
        status = told.get("status")
        return RefundResult(
            None, status if status in ("succeeded", "failed", "canceled") else "pending", amount, our_refund_id
        )

    def list_refunds(self, payment_id: str) -> Sequence[RefundResult]:
        """One that stands for all: how much has gone back so far."""
        paid = self._transaction(payment_id)
        back = amount(paid.get("refunded_amount") or 0)
        if not back or paid["status"] in ("chargeback", "chargedBack"):
            return []
        return [RefundResult(None, "succeeded", money(back, paid["currency"]), is_sum=True)]

    def unused_value(self, sub: SubscriptionState, *, at: datetime) -> UnusedValue:
        """All of the last payment where its period has not begun to be used; else nothing, for no part goes back."""
        currency, parts = "usd", []
        if sub.latest_invoice_id is not None and sub.period_start is not None:
            paid = self._transaction(sub.latest_invoice_id)
            left, tax = _left(paid), amount(paid.get("tax_amount") or 0)
            currency = left.currency
            whole = left.minor == amount(paid.get("amount_paid") or paid["amount"])
            if at <= sub.period_start and whole and left.minor:
                parts = [UnusedPart(paid["id"], paid["id"], left.minor - tax, tax)]
        net, tax = sum(part.net for part in parts), sum(part.tax for part in parts)
        return UnusedValue(Money(net, currency), tax, to_card=net + tax, as_of=at, parts=parts)

    def refund_unused(
        self,
        customer: CustomerRef,  # noqa: ARG002
        unused: UnusedValue,
        *,
        our_refund_id: str,
        key: str,
    ) -> RefundedUnused:
        made: list[RefundResult] = []
        currency = unused.net.currency
        for part in unused.parts:
            due = Money(part.net + part.tax, currency)
            before = self.list_refunds(part.invoice_id)  # by an earlier try
            made += before or [
                self.refund(payment_id=part.invoice_id, amount=due, reason="", our_refund_id=our_refund_id, key=key)
            ]
        refunded = sum(each.amount.minor for each in made)
        return RefundedUnused(made, [], refunded=Money(refunded, currency), credited=Money(0, currency))


def _left(paid: Json) -> Money:
    whole, back = amount(paid.get("amount_paid") or paid["amount"]), amount(paid.get("refunded_amount") or 0)
    return money(max(0, whole - back), paid["currency"])
