"""What the stand-in for Lemon Squeezy holds: variants, pages, orders, subscriptions, invoices; and what it does itself.

Everything is kept in the shapes of its API. It knows nothing of the program under test but what it was told.
"""

from __future__ import annotations

import copy
import itertools
import uuid
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
STORE, VARIANT = "217313", "1090954"
_RETRIED_AFTER = timedelta(days=3)
_MONTHS = {"month": 1, "year": 12}


class Refused(Exception):
    """It says no: `status` and a sentence."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class Books:
    """One store in test mode. `now` is its clock; `tell` is given every event in turn."""

    def __init__(self, now: Callable[[], datetime], tell: Callable[[Json], None]) -> None:
        self.now, self._tell = now, tell
        self.percent, self.tax_inclusive = 0, False  # what is taxed, and whether prices have it in them
        self.things: dict[str, dict[str, Json]] = {
            kind: {} for kind in ("checkouts", "orders", "subscriptions", "subscription-invoices", "variants", "prices")
        }
        self._carried: dict[str, Json] = {}  # what a page was given to carry, by order and subscription
        self._numbers = itertools.count(5_000_001)
        self._short_of_money: set[str] = set()
        self._variant(VARIANT, 1000, None)

    # What the seller sets up by hand.

    def variant(self, cents: int, every: str) -> str:
        """A variant with a price by the month or the year; its number."""
        return self._variant(str(next(self._numbers)), cents, every)

    def _variant(self, name: str, cents: int, every: str | None) -> str:
        told = {"is_subscription": every is not None, "status": "published", "name": f"Variant {name}", "price": cents}
        self._put("variants", told, name)
        price = {
            "variant_id": int(name),
            "unit_price": cents,
            "renewal_interval_unit": every,
            "renewal_interval_quantity": 1 if every else None,
        }
        self._put("prices", price)
        return name

    # What customers do.

    def opens(self, document: Json) -> Json:
        """POST /checkouts."""
        data = document["data"]
        related = {name: value["data"]["id"] for name, value in data["relationships"].items()}
        if related["store"] != STORE or related["variant"] not in self.things["variants"]:
            raise Refused(404, "The related resource does not exist.")
        told = {"variant_id": int(related["variant"]), "custom_price": None, **data["attributes"]}
        name = str(uuid.uuid4())
        told["url"] = f"https://example.lemonsqueezy.com/checkout/custom/{name}"
        return self._put("checkouts", told, name)

    def pays(self, page_id: str, *, email: str | None = None) -> Json:
        """Somebody fills in the page, under the address it has or another. They may do so more than once."""
        page = self.thing("checkouts", page_id)["attributes"]
        if datetime.fromisoformat(page["expires_at"]) <= self.now():
            raise Refused(410, "This page has expired.")
        variant, payer = str(page["variant_id"]), email or page["checkout_data"].get("email") or "ada@example.com"
        asked = page["custom_price"] or self.price_of(variant)["unit_price"]
        order = self._order(variant, asked, payer, page["product_options"]["name"])
        self._carried[f"orders/{order['id']}"] = page["checkout_data"].get("custom") or {}
        self.tells("order_created", order)
        if self.thing("variants", variant)["attributes"]["is_subscription"]:
            self._begin(order, variant, payer)
        return order

    def buys_elsewhere(self, variant: str, cents: int, custom: Json) -> Json:
        """A link to something else in the store: whoever opens it chooses what it carries."""
        order = self._order(variant, cents, "mallory@example.com", "Something else")
        self._carried[f"orders/{order['id']}"] = custom
        self.tells("order_created", order)
        return order

    def _order(self, variant: str, cents: int, email: str, name: str) -> Json:
        item = {"variant_id": int(variant), "product_name": name, "price": cents, "quantity": 1}
        told = {"identifier": str(uuid.uuid4()), "first_order_item": item, **self._bill(cents, email)}
        return self._put("orders", told | {"status": "paid"})

    def _bill(self, cents: int, email: str) -> Json:
        tax = cents * self.percent // (100 + self.percent if self.tax_inclusive else 100)
        return {
            "customer_id": 7137295,
            "user_name": "Ada Ltd",
            "user_email": email,
            "currency": "USD",
            "subtotal": cents,
            "discount_total": 0,
            "tax": tax,
            "total": cents if self.tax_inclusive else cents + tax,
            "tax_inclusive": self.tax_inclusive,
            "refunded": False,
            "refunded_amount": 0,
            "refunded_at": None,
        }

    # Subscriptions.

    def _begin(self, order: Json, variant: str, email: str) -> None:
        item = {"id": next(self._numbers), "price_id": int(self.price_of(variant)["id"]), "quantity": 1}
        told = {
            "order_id": int(order["id"]),
            "customer_id": 7137295,
            "user_email": email,
            "variant_id": int(variant),
            "variant_name": f"Variant {variant}",
            "product_name": order["attributes"]["first_order_item"]["product_name"],
            "status": "active",
            "cancelled": False,
            "ends_at": None,
            "trial_ends_at": None,
            "renews_at": text(later(self.now(), self.months_of(variant))),
            "first_subscription_item": item,
            "urls": {"customer_portal": f"https://example.lemonsqueezy.com/billing?expires=1&order={order['id']}"},
        }
        sub = self._put("subscriptions", told)
        self._carried[f"subscriptions/{sub['id']}"] = self._carried[f"orders/{order['id']}"]
        self.tells("subscription_created", sub)
        self.tells("subscription_updated", sub)
        self._invoice(sub, "initial", self.price_of(variant)["unit_price"], paid=True)

    def changes(self, name: str, wanted: Json) -> Json:
        """PATCH /subscriptions/:id."""
        sub = self.thing("subscriptions", name)
        told = sub["attributes"]
        if told["status"] == "expired":
            raise Refused(422, "The subscription has expired.")
        if "variant_id" in wanted:
            self._swaps(sub, str(wanted["variant_id"]), at_once=bool(wanted.get("invoice_immediately")))
        if wanted.get("cancelled") is False and told["cancelled"]:
            self._edit(sub, cancelled=False, status="active", ends_at=None)
            self.tells("subscription_resumed", sub)
        self.tells("subscription_updated", sub)
        return sub

    def _swaps(self, sub: Json, variant: str, *, at_once: bool) -> None:
        if variant not in self.things["variants"]:
            raise Refused(422, "The variant does not exist.")
        told, now = sub["attributes"], self.now()
        before, after = self.price_of(str(told["variant_id"])), self.price_of(variant)
        end = datetime.fromisoformat(told["renews_at"])
        start = later(end, -self.months_of(str(told["variant_id"])))
        left, whole = int((end - now).total_seconds()), int((end - start).total_seconds())
        item = {**told["first_subscription_item"], "price_id": int(after["id"])}
        self._edit(sub, variant_id=int(variant), variant_name=f"Variant {variant}", first_subscription_item=item)
        self.tells("subscription_plan_changed", sub)
        due = max((after["unit_price"] - before["unit_price"]) * left // whole, 0)
        if at_once and due:
            self._invoice(sub, "updated", due, paid=True)

    def cancels(self, name: str) -> Json:
        """DELETE /subscriptions/:id."""
        sub = self.thing("subscriptions", name)
        self._edit(sub, cancelled=True, status="cancelled", ends_at=sub["attributes"]["renews_at"])
        self.tells("subscription_cancelled", sub)
        self.tells("subscription_updated", sub)
        return sub

    def runs_short(self, name: str, *, short: bool = True) -> None:
        """From now on the card of this subscription is refused; or, with `short` false, it pays again."""
        (self._short_of_money.add if short else self._short_of_money.discard)(name)

    def does_what_is_due(self) -> None:
        """What happened by itself up to now: renewals, tries, ends."""
        for sub in list(self.things["subscriptions"].values()):
            told = sub["attributes"]
            while told["status"] in ("active", "past_due") and datetime.fromisoformat(told["renews_at"]) <= self.now():
                self._renews(sub)
            if told["status"] == "cancelled" and datetime.fromisoformat(told["ends_at"]) <= self.now():
                self._edit(sub, status="expired")
                self.tells("subscription_expired", sub)
                self.tells("subscription_updated", sub)

    def _renews(self, sub: Json) -> None:
        told, paid = sub["attributes"], sub["id"] not in self._short_of_money
        variant, at = str(told["variant_id"]), datetime.fromisoformat(told["renews_at"])
        if told["status"] == "past_due":
            self._tries_again(sub, paid=paid)
        else:
            sub["began"] = told["renews_at"]
            self._invoice(sub, "renewal", self.price_of(variant)["unit_price"], paid=paid)
        begun, day = datetime.fromisoformat(sub["began"]), datetime.fromisoformat(told["created_at"]).day
        renews = later(begun, self.months_of(variant), day=day) if paid else at + _RETRIED_AFTER
        self._edit(sub, status="active" if paid else "past_due", renews_at=text(renews))
        self.tells("subscription_updated", sub)

    def _tries_again(self, sub: Json, *, paid: bool) -> None:
        open_ones = [one for one in self.invoices_of(sub["id"]) if one["attributes"]["status"] == "pending"]
        for invoice in open_ones if paid else []:
            self._edit(invoice, status="paid")
            self.tells("subscription_payment_success", invoice)
            self.tells("subscription_payment_recovered", invoice)

    def _invoice(self, sub: Json, why: str, cents: int, *, paid: bool) -> Json:
        told = self._bill(cents, sub["attributes"]["user_email"])
        told |= {"subscription_id": int(sub["id"]), "billing_reason": why, "status": "paid" if paid else "pending"}
        invoice = self._put("subscription-invoices", told | {"urls": {"invoice_url": None}})
        self._carried[f"subscription-invoices/{invoice['id']}"] = self._carried[f"subscriptions/{sub['id']}"]
        self.tells("subscription_payment_success" if paid else "subscription_payment_failed", invoice)
        return invoice

    # Money back.

    def refunds(self, kind: str, name: str, cents: int | None = None) -> Json:
        """POST /orders/:id/refund and the like, or a button in the dashboard; without `cents` all that is left."""
        data = self.thing(kind, name)
        told = data["attributes"]
        left = told["total"] - told["refunded_amount"]
        cents = left if cents is None else cents
        if not 0 < cents <= left:
            raise Refused(422, "The amount is more than can be refunded.")
        whole = cents == left
        state = {"status": "refunded", "refunded": True, "refunded_at": text(self.now())} if whole else {}
        self._edit(data, refunded_amount=told["refunded_amount"] + cents, **state)
        self.tells("order_refunded" if kind == "orders" else "subscription_payment_refunded", data)
        return data

    def taken(self) -> int:
        """Everything that was ever paid for orders of a single payment, less what went back, in cents."""
        singles = [order["attributes"] for order in self.things["orders"].values() if not self.begun_by(order["id"])]
        return sum(order["total"] - order["refunded_amount"] for order in singles)

    # Reading.

    def thing(self, kind: str, name: str) -> Json:
        found = self.things.get(kind, {}).get(name)
        if found is None:
            raise Refused(404, "The requested resource does not exist.")
        return found

    def price_of(self, variant: str) -> Json:
        prices = [one for one in self.things["prices"].values() if one["attributes"]["variant_id"] == int(variant)]
        return {**prices[-1]["attributes"], "id": prices[-1]["id"]}

    def months_of(self, variant: str) -> int:
        return _MONTHS[self.price_of(variant)["renewal_interval_unit"]]

    def invoices_of(self, subscription_id: str) -> list[Json]:
        every = self.things["subscription-invoices"].values()
        return [one for one in every if one["attributes"]["subscription_id"] == int(subscription_id)]

    def begun_by(self, order_id: str) -> list[Json]:
        every = self.things["subscriptions"].values()
        return [one for one in every if one["attributes"]["order_id"] == int(order_id)]

    # Keeping and telling.

    def tells(self, event_name: str, data: Json) -> None:
        carried = self._carried.get(f"{data['type']}/{data['id']}")
        meta: Json = {"test_mode": True, "event_name": event_name, "webhook_id": str(uuid.uuid4())}
        meta["custom_data"] = carried or []  # an empty list is what it sends for nothing
        shown = {name: value for name, value in data.items() if name != "began"}
        self._tell(copy.deepcopy({"data": shown, "meta": meta}))

    def _put(self, kind: str, told: Json, name: str | None = None) -> Json:
        now, name = text(self.now()), name or str(next(self._numbers))
        kept = {"store_id": int(STORE), "test_mode": True, "created_at": now, "updated_at": now, **told}
        self.things[kind][name] = {"type": kind, "id": name, "attributes": kept}
        return self.things[kind][name]

    def _edit(self, data: Json, **told: Any) -> None:
        data["attributes"].update(told, updated_at=text(self.now()))


def text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def later(instant: datetime, months: int, *, day: int | None = None) -> datetime:
    """So many months later, on this day of the month where it has one."""
    year, month = divmod(instant.year * 12 + instant.month - 1 + months, 12)
    return instant.replace(year=year, month=month + 1, day=min(day or instant.day, monthrange(year, month + 1)[1]))
