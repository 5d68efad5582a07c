"""What the stand-in for Creem holds: products, pages, customers, transactions, subscriptions; and what it does itself.

Everything is kept in the shapes of its API. It knows nothing of the program under test but what it was told.
"""

from __future__ import annotations

import copy
import itertools
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
TOPUP = "prod_Topup"
_MONTHS = {"every-month": 1, "every-year": 12}
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Refused(Exception):
    """It says no: `status` and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Books:
    """One store in test mode. `now` is its clock; `tell` is given every event in turn."""

    def __init__(self, now: Callable[[], datetime], tell: Callable[[Json], None]) -> None:
        self.now, self._tell = now, tell
        self.percent = 0  # of tax, on top of every price
        kinds = ("products", "checkouts", "customers", "transactions", "subscriptions")
        self.things: dict[str, dict[str, Json]] = {kind: {} for kind in kinds}
        self.poor = False  # whether cards are refused from now on
        self._numbers = itertools.count(1)
        self.product(1000, "once", name=TOPUP)

    def product(self, cents: int, period: str, *, name: str | None = None) -> str:
        """A product made by hand, for one payment or by the month or year; its id."""
        kind = "onetime" if period == "once" else "recurring"
        told = {"name": name or "Plan", "price": cents, "currency": "USD", "tax_mode": "exclusive", "status": "active"}
        return str(self._put("products", "prod", {**told, "billing_type": kind, "billing_period": period}, name)["id"])

    # Pages.

    def opens(self, asked: Json) -> Json:
        """POST /v1/checkouts."""
        sold = self.thing("products", asked["product_id"])
        if "custom_price" in asked and sold["billing_type"] != "onetime":
            raise Refused(400, "custom_price is for one-time products only.")
        page = self._put("checkouts", "ch", {**asked, "status": "pending", "product": sold["id"]})
        page["checkout_url"] = f"https://creem.io/test/checkout/{sold['id']}/{page['id']}"
        return page

    def pays(self, page_id: str, *, email: str = "ada@example.com", code: int = 0) -> Json:
        """Somebody fills in the page; what comes of it. `code`: cents that a code typed there takes off."""
        page = self.thing("checkouts", page_id)
        if page["status"] != "pending":
            raise Refused(400, "This checkout is not open.")
        sold, who = (
            self.thing("products", page["product"]),
            self._customer((page.get("customer") or {}).get("email") or email),
        )
        sub = self._begin(sold, who, page.get("metadata") or {}) if sold["billing_type"] == "recurring" else None
        paid = self._charges(who, page.get("custom_price") or sold["price"], sub, code=code)
        page.update(status="completed", customer=who["id"], order=paid["order"])
        page.update({"subscription": sub["id"]} if sub else {})
        shown = {**page, "product": sold, "customer": who, "order": self._order(paid, sold)}
        self.tell("checkout.completed", {**shown, "subscription": self._plain(sub)} if sub else shown)
        if sub:
            self.tell("subscription.active", self.whole(sub))
            self.tell("subscription.paid", self.whole(sub))
        return paid

    def expires(self, page_id: str) -> None:
        self.thing("checkouts", page_id)["status"] = "expired"

    def _customer(self, email: str) -> Json:
        """One for each address."""
        found = next((who for who in self.things["customers"].values() if who["email"] == email), None)
        return found or self._put("customers", "cust", {"email": email, "name": "Ada", "country": "SG"})

    def _charges(self, who: Json, cents: int, sub: Json | None, *, code: int = 0) -> Json:
        tax = (cents - code) * self.percent // 100
        told: Json = {
            "amount": cents,
            "amount_paid": cents - code + tax,
            "tax_amount": tax,
            "currency": "USD",
            "type": "payment",
        }
        told |= {"discount_amount": code, "refunded_amount": 0, "status": "paid", "customer": who["id"]}
        told |= {"order": f"ord_{next(self._numbers)}", "subscription": sub["id"] if sub else None}
        told |= {"description": "Subscription payment" if sub else "One-time payment"}
        if sub:
            told |= {f"period_{part}": millis(when(sub[f"current_period_{part}_date"])) for part in ("start", "end")}
        paid = self._put("transactions", "tran", told)
        paid["created_at"] = millis(self.now())
        if sub:
            self._edit(sub, last_transaction_id=paid["id"], last_transaction_date=text(self.now()))
        return paid

    def _order(self, paid: Json, sold: Json) -> Json:
        money = {name: paid[name] for name in ("amount", "amount_paid", "tax_amount", "currency", "discount_amount")}
        told = {"id": paid["order"], "transaction": paid["id"], "status": "paid", "product": sold["id"], "mode": "test"}
        return {**told, **money, "customer": paid["customer"], "type": sold["billing_type"]}

    # Subscriptions.

    def _begin(self, sold: Json, who: Json, carried: Json) -> Json:
        now = self.now()
        told = {"product": sold["id"], "customer": who["id"], "status": "active", "metadata": carried}
        end = later(now, _MONTHS[sold["billing_period"]], now.day)
        told |= {"current_period_start_date": text(now), "current_period_end_date": text(end), "canceled_at": None}
        return self._put("subscriptions", "sub", told)

    def upgrades(self, name: str, asked: Json) -> Json:
        """POST /v1/subscriptions/:id/upgrade: the difference for the rest of the period, charged at once."""
        sub, new = self.thing("subscriptions", name), self.thing("products", asked["product_id"])
        assert asked["update_behavior"] in ("proration-charge-immediately", "proration-none"), "those that are used"
        charges = asked["update_behavior"] != "proration-none"
        if self.poor and charges:
            raise Refused(402, "The card was declined.")
        old = self.thing("products", sub["product"])
        start, end = (when(sub[f"current_period_{part}_date"]) for part in ("start", "end"))
        left, whole = (end - self.now()) // _MILLISECOND, (end - start) // _MILLISECOND
        due = max(0, (new["price"] - old["price"]) * left // whole) if charges else 0
        self._edit(sub, product=new["id"])
        if due:
            self._charges(self.thing("customers", sub["customer"]), due, sub)
        self.tell("subscription.update", self.whole(sub))
        return self.whole(sub)

    def cancels(self, name: str, asked: Json) -> Json:
        """POST /v1/subscriptions/:id/cancel."""
        sub = self.thing("subscriptions", name)
        if sub["status"] == "canceled":
            raise Refused(400, "The subscription is canceled.")
        status = "scheduled_cancel" if asked["mode"] == "scheduled" else "canceled"
        self._edit(sub, status=status, canceled_at=text(self.now()))
        self.tell(f"subscription.{status}", self.whole(sub))
        return self.whole(sub)

    def resumes(self, name: str) -> Json:
        """POST /v1/subscriptions/:id/resume."""
        sub = self.thing("subscriptions", name)
        self._edit(sub, status="active", canceled_at=None)
        self.tell("subscription.update", self.whole(sub))
        return self.whole(sub)

    def does_what_is_due(self) -> None:
        """What happened by itself up to now: renewals, tries, ends."""
        for sub in list(self.things["subscriptions"].values()):
            while sub["status"] in ("active", "past_due") and when(sub["current_period_end_date"]) <= self.now():
                if not self._renews(sub):
                    break
            if sub["status"] == "scheduled_cancel" and when(sub["current_period_end_date"]) <= self.now():
                self._edit(sub, status="canceled")
                self.tell("subscription.canceled", self.whole(sub))

    def _renews(self, sub: Json) -> bool:
        if self.poor:
            was = sub["status"]
            self._edit(sub, status="past_due")
            self.tell("subscription.past_due" if was == "active" else "subscription.expired", self.whole(sub))
            return False
        months, begun = _MONTHS[self.thing("products", sub["product"])["billing_period"]], when(sub["created_at"])
        start = when(sub["current_period_end_date"])
        span = {
            "current_period_start_date": text(start),
            "current_period_end_date": text(later(start, months, begun.day)),
        }
        self._edit(sub, status="active", **span)
        product = self.thing("products", sub["product"])
        self._charges(self.thing("customers", sub["customer"]), product["price"], sub)
        self.tell("subscription.paid", self.whole(sub))
        return True

    # Money back.

    def refunds(self, transaction_id: str, cents: int | None = None) -> Json:
        """POST /v1/refunds gives all back; in the dashboard it may be less."""
        paid = self.thing("transactions", transaction_id)
        left = paid["amount_paid"] - paid["refunded_amount"]
        back = left if cents is None else cents
        if not 0 < back <= left:
            raise Refused(400, "The transaction is refunded already.")
        paid["refunded_amount"] += back
        paid["status"] = "refunded" if back == left else "partialRefund"
        told = {
            "status": "succeeded",
            "refund_amount": back,
            "refund_currency": "USD",
            "reason": "requested_by_customer",
        }
        refund = {"id": f"ref_{next(self._numbers)}", **told, "transaction": paid, "mode": "test"}
        self.tell("refund.created", refund)
        return refund

    def disputes(self, transaction_id: str) -> None:
        """The bank takes it back."""
        paid = self.thing("transactions", transaction_id)
        paid.update(status="chargeback", refunded_amount=paid["amount_paid"])
        told = {"id": f"disp_{next(self._numbers)}", "amount": paid["amount_paid"], "currency": "USD", "mode": "test"}
        self.tell("dispute.created", {**told, "transaction": paid})

    # Reading, keeping and telling.

    def thing(self, kind: str, name: str) -> Json:
        found = self.things[kind].get(name)
        if found is None:
            raise Refused(404, "Not found.")
        return found

    def whole(self, sub: Json) -> Json:
        """With its product and customer, as they come in answers and events."""
        who = self.thing("customers", sub["customer"])
        return {**self._plain(sub), "product": self.thing("products", sub["product"]), "customer": who}

    def _plain(self, sub: Json) -> Json:
        return {**sub, "object": "subscription"}

    def tell(self, kind: str, about: Json) -> None:
        name = f"evt_{next(self._numbers):06}"
        at = millis(self.now())
        self._tell(copy.deepcopy({"id": name, "eventType": kind, "created_at": at, "object": about}))

    def _put(self, kind: str, prefix: str, told: Json, name: str | None = None) -> Json:
        now = text(self.now())
        made = {
            "id": name or f"{prefix}_{next(self._numbers)}",
            "created_at": now,
            "updated_at": now,
            "mode": "test",
            **told,
        }
        self.things[kind][made["id"]] = made
        return made

    def _edit(self, thing: Json, **told: Any) -> None:
        thing.update(told, updated_at=text(self.now()))


def text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def when(told: str) -> datetime:
    return datetime.fromisoformat(told)


def millis(instant: datetime) -> int:
    return (instant - _EPOCH) // _MILLISECOND


def later(instant: datetime, months: int, day: int) -> datetime:
    year, month = divmod(instant.year * 12 + instant.month - 1 + months, 12)
    return instant.replace(year=year, month=month + 1, day=min(day, monthrange(year, month + 1)[1]))
