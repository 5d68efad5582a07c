"""The verbs of a subscription's life. It begins on a checkout page alone, and ends with its period alone.

Lemon Squeezy knows no idempotency keys. Each verb looks first whether what it is to do is so already, and then a
second try does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.money import Money
from app.providers.billing import CancelReason, InvoiceDoc, SubscriptionState
from app.providers.errors import InvalidRequest, NotConfigured
from app.providers.lemonsqueezy.body import number
from app.providers.lemonsqueezy.connection import Connection, Json
from app.providers.lemonsqueezy.reading import Reader
from app.providers.lemonsqueezy.snapshots import INVOICES, invoice_of
from app.providers.values import CustomerRef, Interval, PlanRef, Redirect


class Subscribing:
    """Subscriptions and their invoices."""

    _lemon: Connection
    _reader: Reader

    def ensure_price(self, *, plan: str, version: int, interval: Interval, price: Money, name: str, key: str) -> str:  # noqa: ARG002 - nothing can be made there
        named = f"provider_ids.lemonsqueezy.{interval}ly"
        raise NotConfigured(
            f"Prices are made by hand in Lemon Squeezy: make a variant for {name} at {price.minor} {price.currency} "
            f"(minor units) a {interval}, and name it in the catalogue as {named} of {plan}.",
            code="variant_not_named",
        )

    def get_subscription(self, subscription_id: str) -> SubscriptionState:
        return self._reader.whole(subscription_id).state

    def change_now(
        self,
        sub: SubscriptionState,
        to: PlanRef,
        *,
        at: datetime,  # noqa: ARG002 - they count from the moment they are asked
        key: str,  # noqa: ARG002
    ) -> tuple[SubscriptionState, Redirect | None]:
        return self._change(sub.id, to, {"invoice_immediately": True}), None

    def change_for_renewal(self, sub: SubscriptionState, to: PlanRef, *, key: str) -> SubscriptionState:  # noqa: ARG002
        return self._change(sub.id, to, {"disable_prorations": True})

    def _change(self, subscription_id: str, to: PlanRef, how: Json) -> SubscriptionState:
        state = self.get_subscription(subscription_id)
        if state.provider_price_id != to.provider_price_id:
            self._update(subscription_id, {"variant_id": int(number(to.provider_price_id)), **how})
            state = self.get_subscription(subscription_id)
        return state

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
        if not self._reader.subscription(sub.id)["attributes"]["cancelled"]:
            self._lemon.write("DELETE", f"/subscriptions/{number(sub.id)}")
        return self.get_subscription(sub.id)

    def resume(self, sub: SubscriptionState, *, key: str) -> SubscriptionState:  # noqa: ARG002
        told = self._reader.subscription(sub.id)["attributes"]
        if told["status"] == "expired":
            raise InvalidRequest("The subscription has ended.", code="subscription_ended")
        if told["cancelled"]:
            self._update(sub.id, {"cancelled": False})
        return self.get_subscription(sub.id)

    def _update(self, subscription_id: str, attributes: Json) -> None:
        name = number(subscription_id)
        document = {"data": {"type": "subscriptions", "id": name, "attributes": attributes}}
        self._lemon.write("PATCH", f"/subscriptions/{name}", document)

    # Its invoices.

    def list_invoices(
        self,
        customer: CustomerRef,
        *,
        cursor: str | None,
        limit: int,
        subscription_id: str | None = None,
    ) -> tuple[Sequence[InvoiceDoc], str | None]:
        if subscription_id is None:
            raise InvalidRequest("Lemon Squeezy lists invoices by subscription.", code="no_subscription")
        sub = self._reader.subscription(subscription_id)
        page = int(number(cursor or "1"))
        asked: dict[str, str | int] = {
            "filter[subscription_id]": number(sub["id"]),
            "page[number]": page,
            "page[size]": limit,
        }
        listed = self._lemon.read(f"/{INVOICES}", asked)
        cycle = self._reader.cycle(sub)
        custom = {"customer_id": customer.id}
        found = [invoice_of(invoice, custom=custom, sub=sub, cycle=cycle) for invoice in listed["data"]]
        last = ((listed.get("meta") or {}).get("page") or {}).get("lastPage") or 1
        return found, str(page + 1) if page < last else None

    def get_invoice(self, invoice_id: str) -> InvoiceDoc:
        invoice = self._reader.invoice(invoice_id)
        sub = self._reader.subscription(number(invoice["attributes"]["subscription_id"]))
        return invoice_of(invoice, custom={}, sub=sub, cycle=self._reader.cycle(sub))
