"""Subscriptions at the stand-in for Polar: begun by a page, renewed by its clock, changed, cancelled, not paid."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from tests.support.doubles.polar import shapes
from tests.support.doubles.polar.books import Books, Refused
from tests.support.doubles.polar.shapes import Json, later, text

_DUNNING = tuple(timedelta(days=days) for days in (2, 5, 7, 7))


class Polar(Books):
    """The books with what recurs."""

    def pays(self, page_id: str) -> Json:
        """Somebody fills in the page; the order that comes of it."""
        page = self.thing("checkouts", page_id)
        if page["status"] != "open":
            raise Refused(403, "AlreadyDone", "This page is not open.")
        if datetime.fromisoformat(page["expires_at"]) <= self.now():
            raise Refused(410, "ExpiredCheckoutError", "This page has expired.")
        self.edit(page, status="confirmed")
        self.tell("checkout.updated", page)
        self.edit(page, status="succeeded")
        order = self._begin(page) if page["product"]["is_recurring"] else self.buys_once(page)
        self.tell("checkout.updated", page)
        return order

    def _begin(self, page: Json) -> Json:
        who = self.thing("customers", page["customer_id"])
        sub = self.put("subscriptions", shapes.subscription(page, page["product"], who, self.now()))
        self.tell("subscription.created", sub)
        order = self._bills(sub, "subscription_create", [self._whole(sub)])
        order["checkout_id"] = page["id"]
        self.tells_both("subscription.active", sub)
        return self.pays_order(order)

    def tells_both(self, kind: str, sub: Json) -> None:
        """Whatever happens to a subscription is told twice: by its name, and as an update."""
        self.tell(kind, sub)
        self.tell("subscription.updated", sub)

    def _whole(self, sub: Json) -> Json:
        cost = sub["prices"][0]
        return {"id": str(uuid.uuid4()), **shapes.item(sub["product"]["name"], cost["price_amount"], cost["id"])}

    def _bills(self, sub: Json, why: str, items: list[Json]) -> Json:
        order = self.put("orders", self.an_order(why, sub["customer"], sub["product"], items))
        order.update(subscription_id=sub["id"], metadata=sub["metadata"], currency=sub["currency"])
        plain = ("customer", "product", "prices", "pending_update")
        order["subscription"] = {name: value for name, value in sub.items() if name not in plain}
        self.tell("order.created", order)
        return order

    # What is asked of a subscription: PATCH and DELETE /v1/subscriptions/:id.

    def changes(self, name: str, asked: Json) -> Json:
        sub = self.thing("subscriptions", name)
        if sub["ended_at"]:
            raise Refused(403, "AlreadyCanceledSubscription", "This subscription is already canceled.")
        if "cancel_at_period_end" in asked:
            return self._cancels(sub, asked)
        if "pending_update" in asked:
            self.edit(sub, pending_update=None)
            self.tell("subscription.updated", sub)
            return sub
        if sub["cancel_at_period_end"]:
            raise Refused(403, "AlreadyCanceledSubscription", "This subscription is already canceled.")
        new = self.thing("products", asked["product_id"])
        if asked["proration_behavior"] == "next_period":
            waits = {"id": str(uuid.uuid4()), "applies_at": sub["current_period_end"], "product_id": new["id"]}
            self.edit(sub, pending_update=waits)
            self.tell("subscription.updated", sub)
            return sub
        assert asked["proration_behavior"] == "invoice", "the two that are used"
        return self._upgrades(sub, new)

    def _cancels(self, sub: Json, asked: Json) -> Json:
        ends = bool(asked["cancel_at_period_end"])
        said = {name: asked.get(name) for name in ("customer_cancellation_reason", "customer_cancellation_comment")}
        at = text(self.now()) if ends else None
        end = sub["current_period_end"] if ends else None
        self.edit(sub, cancel_at_period_end=ends, canceled_at=at, ends_at=end, **said)
        self.tells_both("subscription.canceled" if ends else "subscription.uncanceled", sub)
        return sub

    def _upgrades(self, sub: Json, new: Json) -> Json:
        """The new price for the rest of the period less the old one, charged first; another interval begins anew."""
        if sub["customer_id"] in self.poor:
            raise Refused(402, "PaymentFailed", "Your card was declined.")
        now, old = self.now(), sub["prices"][0]
        begun, end = (datetime.fromisoformat(sub[f"current_period_{part}"]) for part in ("start", "end"))
        anew = new["recurring_interval"] != sub["recurring_interval"]
        after = later(now, 1, new["recurring_interval"]) if anew else end
        left, whole = end - now, end - begun
        charged = new["prices"][0]["price_amount"] * (1 if anew else left // timedelta(microseconds=1))
        charged = charged if anew else charged // (whole // timedelta(microseconds=1))
        credit = old["price_amount"] * (left // timedelta(seconds=1)) // (whole // timedelta(seconds=1))
        items = [
            self._part(f"Remaining time on {new['name']}", charged, new["prices"][0]["id"], now, after),
            self._part(f"Unused time on {sub['product']['name']}", -credit, old["id"], now, end),
        ]
        if anew:
            self.edit(sub, current_period_start=text(now), current_period_end=text(after))
        self._becomes(sub, new)
        self.tell("subscription.updated", sub)
        if charged > credit:
            self.pays_order(self._bills(sub, "subscription_update", items))
        return sub

    def _part(self, label: str, amount: int, price_id: str, start: datetime, end: datetime) -> Json:
        times = {"start_timestamp": text(start), "end_timestamp": text(end)}
        return {"id": str(uuid.uuid4()), **shapes.item(label, amount, price_id, proration=True), **times}

    def _becomes(self, sub: Json, new: Json) -> None:
        cost = new["prices"][0]["price_amount"]
        every = new["recurring_interval"]
        self.edit(sub, product_id=new["id"], product=new, prices=new["prices"], amount=cost, recurring_interval=every)

    def revokes(self, name: str) -> Json:
        sub = self.thing("subscriptions", name)
        if sub["ended_at"]:
            raise Refused(403, "AlreadyCanceledSubscription", "This subscription is already canceled.")
        self._end(sub)
        return sub

    def _end(self, sub: Json, at: str | None = None) -> None:
        at = at or text(self.now())
        self.edit(sub, status="canceled", ended_at=at, ends_at=at, cancel_at_period_end=False, pending_update=None)
        self.tells_both("subscription.revoked", sub)

    # What time does.

    def does_what_is_due(self) -> None:
        """What happened by itself up to now: pages that expired, renewals, tries, ends."""
        for page in list(self.things["checkouts"].values()):
            if page["status"] == "open" and datetime.fromisoformat(page["expires_at"]) <= self.now():
                self.expires(page["id"])
        for sub in list(self.things["subscriptions"].values()):
            while sub["status"] == "active" and datetime.fromisoformat(sub["current_period_end"]) <= self.now():
                self._cycles(sub)
            if sub["status"] == "past_due":
                self._tries(sub)

    def _cycles(self, sub: Json) -> None:
        if sub["cancel_at_period_end"]:
            self._end(sub, sub["current_period_end"])
            return
        waiting: Any = sub["pending_update"]
        start = datetime.fromisoformat(sub["current_period_end"])
        anchor, number = datetime.fromisoformat(sub["started_at"]), 1
        if waiting:
            self.edit(sub, pending_update=None)
            self._becomes(sub, self.thing("products", waiting["product_id"]))
        while later(anchor, number, sub["recurring_interval"]) <= start:
            number += 1
        end = later(anchor, number, sub["recurring_interval"])
        self.edit(sub, current_period_start=text(start), current_period_end=text(end))
        self.tells_both("subscription.cycled", sub)
        order = self._bills(sub, "subscription_cycle", [self._whole(sub)])
        if sub["customer_id"] not in self.poor:
            self.pays_order(order)
            return
        order["next_payment_attempt_at"], order["tries"] = text(self.now() + _DUNNING[0]), 1
        self.edit(sub, status="past_due", past_due_at=text(self.now()))
        self.tells_both("subscription.past_due", sub)

    def _tries(self, sub: Json) -> None:
        """After 2, 5, 7 and 7 days; then it ends."""
        mine = [one for one in self.things["orders"].values() if one["subscription_id"] == sub["id"]]
        for order in [one for one in mine if not one["paid"] and one["next_payment_attempt_at"]]:
            if datetime.fromisoformat(order["next_payment_attempt_at"]) > self.now():
                continue
            if sub["customer_id"] not in self.poor:
                self.pays_order(order)
                self.edit(sub, status="active", past_due_at=None)
                self.tells_both("subscription.active", sub)
            elif order["tries"] < len(_DUNNING):
                self.edit(order, next_payment_attempt_at=text(self.now() + _DUNNING[order["tries"]]))
                order["tries"] += 1
                self.tell("order.updated", order)
            else:
                self.edit(order, status="void", next_payment_attempt_at=None)
                self._end(sub)
