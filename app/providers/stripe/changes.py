"""Changing a Stripe subscription to another price: what it costs, now against payment, or at the end of the period."""

from __future__ import annotations

from datetime import datetime

from app.money import Money
from app.providers.billing import ChangePreview, SubscriptionState
from app.providers.errors import Declined, InvalidRequest
from app.providers.stripe import documents, pending, reading
from app.providers.stripe.body import id_of
from app.providers.stripe.connection import Connection, Json
from app.providers.values import PlanRef, Redirect


class Changing:
    """The verbs of a change of plan."""

    _stripe: Connection

    def preview_change(self, sub: SubscriptionState, to: PlanRef, *, at: datetime) -> ChangePreview:
        now = self._preview(sub, {**_change(sub, to, at), "proration_behavior": "always_invoice"})
        lines = [documents.line_of(line) for line in now["lines"]["data"]]
        ends = [line.period_end for line in lines if line.period_end]
        goes_on = not sub.cancel_at_period_end
        later = self._preview(sub, {"items": _items(sub, to), "proration_behavior": "none"}) if goes_on else None
        return ChangePreview(
            due_now=Money(now["amount_due"], now["currency"]),
            credit=-sum(line.amount for line in lines if line.amount < 0),
            charge=sum(line.amount for line in lines if line.amount > 0),
            discount=sum(each["amount"] for each in now.get("total_discount_amounts") or []),
            tax=sum(each["amount"] for each in now.get("total_taxes") or []),
            from_balance=max(now["total"], 0) - now["amount_due"],
            lines=lines,
            taxes=documents.taxes_of(now.get("total_taxes"), documents.rates_of(self._stripe, now)),
            as_of=at,
            next_total=Money(later["total"], later["currency"]) if later else None,
            next_at=max(ends, default=sub.period_end),
        )

    def _preview(self, sub: SubscriptionState, details: Json) -> Json:
        wanted = {"subscription": sub.id, "subscription_details": details}
        return self._stripe.call(lambda v1: v1.invoices.create_preview(wanted))

    def change_now(
        self, sub: SubscriptionState, to: PlanRef, *, at: datetime, key: str
    ) -> tuple[SubscriptionState, Redirect | None]:
        state = reading.fetch(self._stripe, sub.id)
        waits = state.pending is not None and state.pending.at is None
        if waits and state.pending and state.pending.provider_price_id == to.provider_price_id:
            return self._changed(state, to, state.pending.invoice_id, key=key)  # begun by an earlier call
        if state.provider_price_id == to.provider_price_id:
            return state, None
        pending.clear(self._stripe, sub.id, key=key)
        wanted = {
            **_change(state, to, at),
            "proration_behavior": "always_invoice",
            "payment_behavior": "pending_if_incomplete",
        }
        made = self._stripe.call(lambda v1: v1.subscriptions.update(sub.id, wanted, {"idempotency_key": key}))
        invoice = id_of(made.get("latest_invoice"))
        return self._changed(reading.fetch(self._stripe, sub.id), to, invoice, key=key)

    def _changed(
        self, state: SubscriptionState, to: PlanRef, invoice_id: str | None, *, key: str
    ) -> tuple[SubscriptionState, Redirect | None]:
        """How a change ended, as often as it is asked. A refused card leaves nothing that could be paid later."""
        if state.provider_price_id == to.provider_price_id or invoice_id is None:
            return state, None
        invoice = reading.fetch_invoice(self._stripe, invoice_id)
        try:
            return state, reading.page_to_pay(self._stripe, invoice)
        except Declined:
            if pending.void(self._stripe, invoice_id, key=key)["status"] == "paid":
                return reading.fetch(self._stripe, state.id), None
            raise

    def change_at_period_end(self, sub: SubscriptionState, to: PlanRef, *, key: str) -> SubscriptionState:
        state, raw = reading.fetch_both(self._stripe, sub.id)
        due = state.pending
        if due is not None and due.at is not None and due.provider_price_id == to.provider_price_id:
            return state
        if raw.get("pending_update"):
            raw = pending.clear(self._stripe, sub.id, key=key)
        if raw["cancel_at_period_end"] or raw.get("cancel_at"):
            stays = {"cancel_at_period_end": False} if raw["cancel_at_period_end"] else {"cancel_at": ""}
            options = {"idempotency_key": f"{key}:stay"}
            self._stripe.call(lambda v1: v1.subscriptions.update(sub.id, stays, options))
            raw = reading.fetch_raw(self._stripe, sub.id)
        if raw["status"] in ("canceled", "incomplete_expired"):
            raise InvalidRequest("The subscription has ended.", code="subscription_ended")
        pending.schedule(self._stripe, raw, to, key=key)
        return reading.fetch(self._stripe, sub.id)

    def clear_pending_change(self, sub: SubscriptionState, *, key: str) -> SubscriptionState:
        pending.clear(self._stripe, sub.id, key=key)
        return reading.fetch(self._stripe, sub.id)


def _change(sub: SubscriptionState, to: PlanRef, at: datetime) -> Json:
    """The same instant in the preview and in the change gives the same amounts."""
    return {"items": _items(sub, to), "proration_date": int(at.timestamp())}


def _items(sub: SubscriptionState, to: PlanRef) -> list[Json]:
    # With the item's id: without it Stripe adds a second item.
    return [{"id": sub.item_id, "price": to.provider_price_id}]
