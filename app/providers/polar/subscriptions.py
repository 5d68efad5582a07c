"""Polar subscriptions from their beginning to their end: read, change of plan, cancel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app import clock
from app.money import Money
from app.providers.billing import CancelReason, SubscriptionState
from app.providers.errors import Declined, InvalidRequest
from app.providers.polar import products
from app.providers.polar.connection import Connection, Json
from app.providers.polar.snapshots import subscription_of
from app.providers.values import CustomerRef, Interval, PlanRef, Redirect


class Subscribing:
    """The verbs of a subscription's life. Each looks first how things stand, for Polar knows no idempotency keys."""

    _polar: Connection

    def ensure_price(self, *, plan: str, version: int, interval: Interval, price: Money, name: str, key: str) -> str:  # noqa: ARG002
        return products.for_plan(self._polar, plan=plan, version=version, interval=interval, price=price, name=name)

    def get_subscription(self, subscription_id: str) -> SubscriptionState:
        seen_at = clock.now()  # before asking: what changes meanwhile is newer than this
        sub = self._polar.get(_path(subscription_id))
        return subscription_of(sub, version=seen_at, latest_order=self._latest_order(subscription_id))

    def _latest_order(self, subscription_id: str) -> str | None:
        found = self._polar.get("/v1/orders/", subscription_id=subscription_id, sorting="-created_at", limit=1)
        return str(found["items"][0]["id"]) if found["items"] else None

    def list_subscriptions(self, customer: CustomerRef) -> Sequence[SubscriptionState]:
        seen_at = clock.now()
        found = self._polar.pages("/v1/subscriptions/", customer_id=customer.id, sorting="-started_at")
        return [subscription_of(sub, version=seen_at) for sub in found]

    def change_now(
        self,
        sub: SubscriptionState,
        to: PlanRef,
        *,
        at: datetime,  # noqa: ARG002 - Polar prorates by the instant at which it is asked
        key: str,  # noqa: ARG002
    ) -> tuple[SubscriptionState, Redirect | None]:
        now = self._polar.get(_path(sub.id))
        if now["product_id"] == to.provider_price_id:
            return self.get_subscription(sub.id), None
        self._clear(now)
        leaving = bool(now["cancel_at_period_end"])
        if leaving:
            self._stay(now["id"])
        try:
            self._change(now["id"], to, "invoice")
        except Declined:
            if leaving:  # it is to end as it was going to
                self._polar.patch(_path(sub.id), {"cancel_at_period_end": True})
            raise
        return self.get_subscription(sub.id), None

    def change_at_period_end(self, sub: SubscriptionState, to: PlanRef, *, key: str) -> SubscriptionState:  # noqa: ARG002
        now = self._polar.get(_path(sub.id))
        if now.get("ended_at"):
            raise InvalidRequest("The subscription has ended.", code="subscription_ended")
        waiting = now.get("pending_update") or {}
        if waiting.get("product_id") != to.provider_price_id:
            self._clear(now)
            if now["cancel_at_period_end"]:
                self._stay(sub.id)
            self._change(sub.id, to, "next_period")
        return self.get_subscription(sub.id)

    def _change(self, subscription_id: str, to: PlanRef, when: str) -> None:
        wanted = {"product_id": to.provider_price_id, "proration_behavior": when}
        self._polar.patch(_path(subscription_id), wanted)

    def _stay(self, subscription_id: str) -> None:
        self._polar.patch(_path(subscription_id), {"cancel_at_period_end": False})

    def _clear(self, now: Json) -> None:
        if now.get("pending_update"):
            self._polar.patch(_path(now["id"]), {"pending_update": None})

    def clear_pending_change(self, sub: SubscriptionState, *, key: str) -> SubscriptionState:  # noqa: ARG002
        self._clear(self._polar.get(_path(sub.id)))
        return self.get_subscription(sub.id)

    def cancel_at_period_end(
        self,
        sub: SubscriptionState,
        *,
        reason: CancelReason | None,
        comment: str | None,
        key: str,  # noqa: ARG002
    ) -> SubscriptionState:
        now = self._polar.get(_path(sub.id))
        if not now["cancel_at_period_end"] and not now.get("ended_at"):
            self._clear(now)
            told = {"customer_cancellation_reason": reason, "customer_cancellation_comment": comment}
            said = {name: value for name, value in told.items() if value}
            self._polar.patch(_path(sub.id), {"cancel_at_period_end": True, **said})
        return self.get_subscription(sub.id)

    def resume(self, sub: SubscriptionState, *, key: str) -> SubscriptionState:  # noqa: ARG002
        now = self._polar.get(_path(sub.id))
        if now.get("ended_at"):
            raise InvalidRequest("The subscription has ended.", code="subscription_ended")
        if now["cancel_at_period_end"]:
            self._stay(sub.id)
        return self.get_subscription(sub.id)

    def cancel_now(self, sub: SubscriptionState, *, key: str) -> SubscriptionState:  # noqa: ARG002
        now = self._polar.get(_path(sub.id))
        if not now.get("ended_at"):
            self._polar.delete(_path(sub.id))
        return self.get_subscription(sub.id)


def _path(subscription_id: str) -> str:
    return f"/v1/subscriptions/{subscription_id}"
