"""Stripe subscriptions from their beginning to their end: start, read, whose card pays, cancel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from app import clock
from app.money import Money
from app.providers.billing import CancelReason, SubscriptionState
from app.providers.errors import Declined, InvalidRequest
from app.providers.stripe import cards, pending, prices, reading
from app.providers.stripe.checkout import discount_of, plan_metadata
from app.providers.stripe.connection import Connection, Json
from app.providers.stripe.snapshots import is_whole, subscription_of
from app.providers.values import CustomerRef, DiscountRef, Interval, PlanRef, Redirect


class Subscribing:
    """The verbs of a subscription's life."""

    _stripe: Connection
    _tax: bool

    def ensure_price(self, *, plan: str, version: int, interval: Interval, price: Money, name: str, key: str) -> str:
        return prices.ensure_price(
            self._stripe, plan=plan, version=version, interval=interval, price=price, name=name, key=key
        )

    def start_subscription(
        self,
        customer: CustomerRef,
        plan: PlanRef,
        *,
        card_id: str | None,
        starts_paid_at: datetime | None,
        metadata: Mapping[str, str],
        discount: DiscountRef | None,
        key: str,
    ) -> tuple[SubscriptionState, Redirect | None]:
        if card_id is not None:
            cards.assert_own(self._stripe, customer.id, card_id)
        told = {"customer_id": customer.customer_id, **plan_metadata(plan), **metadata}
        wanted = {
            "customer": customer.id,
            "items": [{"price": plan.provider_price_id}],
            # Not `error_if_incomplete`: that refuses a card that only needs its holder to confirm.
            "payment_behavior": "allow_incomplete",
            "payment_settings": {"save_default_payment_method": "on_subscription"},
            "default_payment_method": card_id,
            "trial_end": int(starts_paid_at.timestamp()) if starts_paid_at else None,
            "discounts": [discount_of(discount)] if discount else None,
            "automatic_tax": {"enabled": True} if self._tax else None,
            "metadata": told,
        }
        made = self._stripe.call(lambda v1: v1.subscriptions.create(wanted, {"idempotency_key": key}))
        return self._begun(made["id"])

    def _begun(self, subscription_id: str) -> tuple[SubscriptionState, Redirect | None]:
        """How a start ended, as often as it is asked. Read anew: a replayed answer is of the first time."""
        state = reading.fetch(self._stripe, subscription_id)
        if state.status not in ("incomplete", "canceled") or state.latest_invoice_id is None:
            return state, None
        invoice = reading.fetch_invoice(self._stripe, state.latest_invoice_id)
        try:
            return state, reading.page_to_pay(self._stripe, invoice)
        except Declined:
            self._end(state)
            raise

    def get_subscription(self, subscription_id: str) -> SubscriptionState:
        return reading.fetch(self._stripe, subscription_id)

    def list_subscriptions(self, customer: CustomerRef) -> Sequence[SubscriptionState]:
        seen_at = clock.now()
        wanted = {"customer": customer.id, "status": "all"}
        found = self._stripe.pages(lambda v1, page: v1.subscriptions.list({**wanted, **page}))
        return [
            subscription_of(sub, version=seen_at) if is_whole(sub) else reading.fetch(self._stripe, sub["id"])
            for sub in found
        ]

    def set_subscription_card(self, sub: SubscriptionState, card_id: str | None, *, key: str) -> SubscriptionState:
        if card_id is not None:
            cards.assert_own(self._stripe, sub.customer_id, card_id)
        return self._update(sub.id, {"default_payment_method": card_id or ""}, key=key)

    def cancel_at_period_end(
        self, sub: SubscriptionState, *, reason: CancelReason | None, comment: str | None, key: str
    ) -> SubscriptionState:
        pending.clear(self._stripe, sub.id, key=key)  # a schedule would decide how it ends
        details = {"feedback": reason, "comment": comment}
        told = {"cancellation_details": {name: said for name, said in details.items() if said}}
        return self._update(sub.id, {"cancel_at_period_end": True, **(told if reason or comment else {})}, key=key)

    def resume(self, sub: SubscriptionState, *, key: str) -> SubscriptionState:
        state, raw = reading.fetch_both(self._stripe, sub.id)
        if raw["cancel_at_period_end"]:
            return self._update(sub.id, {"cancel_at_period_end": False}, key=key)
        if raw.get("cancel_at"):  # the portal's way of saying the same
            return self._update(sub.id, {"cancel_at": ""}, key=key)
        if reading.is_over(state):
            raise InvalidRequest("The subscription has ended.", code="subscription_ended")
        return state

    def cancel_now(self, sub: SubscriptionState, *, key: str) -> SubscriptionState:
        pending.clear(self._stripe, sub.id, key=key)
        return self._end(reading.fetch(self._stripe, sub.id))

    def _end(self, state: SubscriptionState) -> SubscriptionState:
        """Ends it unless it has ended. Said out loud: no credit, no last invoice, whatever the account's defaults."""
        if reading.is_over(state):
            return state
        plainly = {"prorate": False, "invoice_now": False}
        try:
            self._stripe.call(lambda v1: v1.subscriptions.cancel(state.id, plainly))
        except InvalidRequest:
            ended = reading.fetch(self._stripe, state.id)  # by somebody else, a moment ago
            if not reading.is_over(ended):
                raise
            return ended
        return reading.fetch(self._stripe, state.id)

    def _update(self, subscription_id: str, wanted: Json, *, key: str) -> SubscriptionState:
        self._stripe.call(lambda v1: v1.subscriptions.update(subscription_id, wanted, {"idempotency_key": key}))
        return reading.fetch(self._stripe, subscription_id)
