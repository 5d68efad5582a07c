"""What the stand-in for Polar holds, and what its customers and its staff do; subscriptions are in `cycles`.

Everything is kept in the shapes of its API. It knows nothing of the program under test but what it was told.
"""

from __future__ import annotations

import copy
import itertools
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.support.doubles.polar import shapes
from tests.support.doubles.polar.shapes import Json, text

KINDS = ("customers", "products", "checkouts", "subscriptions", "orders", "refunds", "disputes")


class Refused(Exception):
    """It says no: `status`, its own word for it, and a sentence or a list of complaints."""

    def __init__(self, status: int, error: str, detail: Any) -> None:
        super().__init__(str(detail))
        self.status, self.error, self.detail = status, error, detail


class Kept:
    """One organization in the sandbox: its things by kind and id. `tell` is given every event in turn."""

    def __init__(self, now: Callable[[], datetime], tell: Callable[[str, Json], None]) -> None:
        self.now, self._tell = now, tell
        self.percent = 0  # of tax, on top of every price
        self.things: dict[str, dict[str, Json]] = {kind: {} for kind in KINDS}
        self.poor: set[str] = set()  # customers whose card is refused
        self._numbers = itertools.count(1)

    def thing(self, kind: str, name: str) -> Json:
        found = self.things.get(kind, {}).get(name)
        if found is None:
            raise Refused(404, "ResourceNotFound", "Not found")
        return found

    def tell(self, kind: str, thing: Json) -> None:
        self._tell(kind, copy.deepcopy(thing))

    def put(self, kind: str, told: Json) -> Json:
        name = str(uuid.uuid4())
        made = {"id": name, "created_at": text(self.now()), "modified_at": None, **told}
        self.things[kind][name] = made
        return made

    def edit(self, thing: Json, **told: Any) -> Json:
        thing.update(told, modified_at=text(self.now()))
        return thing


class Books(Kept):
    """Customers, products, pages, orders, refunds and disputes."""

    def adds_customer(self, asked: Json) -> Json:
        """POST /v1/customers/: one address, one customer."""
        for known in self.things["customers"].values():
            taken = next((one for one in ("email", "external_id") if known[one] and known[one] == asked.get(one)), None)
            if taken:
                complaint = {"loc": ["body", taken], "msg": "A customer with this one already exists.", "type": "value"}
                raise Refused(422, "RequestValidationError", [complaint])
        return self.put("customers", shapes.customer(asked))

    def adds_product(self, asked: Json) -> Json:
        """POST /v1/products/."""
        if not 3 <= len(asked["name"]) <= 64 or not asked["prices"]:
            raise Refused(
                422, "RequestValidationError", [{"loc": ["body", "name"], "msg": "Bad name.", "type": "value"}]
            )
        made = self.put("products", shapes.product(asked, []))
        made["prices"] = [self._price(told, made["id"], source="catalog") for told in asked["prices"]]
        return made

    def _price(self, told: Json, product_id: str, *, source: str) -> Json:
        return shapes.price(told, str(uuid.uuid4()), product_id, source=source)

    def opens(self, asked: Json) -> Json:
        """POST /v1/checkouts/."""
        sold = self.thing("products", asked["products"][0])
        if asked.get("customer_id") not in self.things["customers"]:
            complaint = {"loc": ["body", "customer_id"], "msg": "Customer does not exist.", "type": "value_error"}
            raise Refused(422, "RequestValidationError", [complaint])
        own = (asked.get("prices") or {}).get(sold["id"])
        cost = self._price(own[0], sold["id"], source="ad_hoc") if own else sold["prices"][0]
        who, expires = self.things["customers"][asked["customer_id"]], text(self.now() + timedelta(hours=24))
        tax = cost["price_amount"] * self.percent // 100
        page = shapes.checkout(asked, sold, cost, who, tax=tax, url="", expires=expires)
        made = self.put("checkouts", page)
        made["url"] = f"https://sandbox.polar.sh/checkout/polar_c_{made['id']}"
        self.tell("checkout.created", made)
        return made

    def expires(self, page_id: str) -> None:
        page = self.thing("checkouts", page_id)
        self.edit(page, status="expired")
        self.tell("checkout.expired", page)

    def fails(self, page_id: str) -> None:
        page = self.thing("checkouts", page_id)
        self.edit(page, status="failed")
        self.tell("checkout.updated", page)

    def buys_once(self, page: Json) -> Json:
        """The order of a page for one product that is not a plan, paid."""
        who, sold, cost = self.thing("customers", page["customer_id"]), page["product"], page["product_price"]
        item = {"id": str(uuid.uuid4()), **shapes.item(sold["name"], cost["price_amount"], cost["id"])}
        order = self.put("orders", self.an_order("purchase", who, sold, [item]))
        order.update(checkout_id=page["id"], metadata=page["metadata"], currency=page["currency"])
        self.tell("order.created", order)
        return self.pays_order(order)

    def an_order(self, why: str, who: Json, sold: Json, items: list[Json]) -> Json:
        return shapes.order(why, who, sold, items, percent=self.percent, number=next(self._numbers))

    def pays_order(self, order: Json) -> Json:
        back = {"refundable_amount": order["net_amount"], "refundable_tax_amount": order["tax_amount"]}
        self.edit(order, status="paid", paid=True, due_amount=0, next_payment_attempt_at=None, **back)
        self.tell("order.updated", order)
        self.tell("order.paid", order)
        return order

    # Money back. Amounts are before tax; the tax goes back beside them.

    def refunds(self, asked: Json, *, status: str = "succeeded", dispute: Json | None = None) -> Json:
        """POST /v1/refunds/, or a button in the dashboard."""
        order = self.thing("orders", asked["order_id"])
        left, net = order["refundable_amount"], asked["amount"]
        if not left:
            raise Refused(403, "RefundedAlready", "Order is already fully refunded.")
        if not 0 < net <= left:
            complaint = {"loc": ["body", "amount"], "msg": "Refund amount exceeds the remaining balance.", "type": "v"}
            raise Refused(422, "RequestValidationError", [complaint])
        taxed = order["refundable_tax_amount"]
        tax = taxed if net == left else order["tax_amount"] * net // order["net_amount"]
        told = {"reason": asked["reason"], "revoke_benefits": False, "metadata": asked.get("metadata") or {}}
        told |= {"amount": net, "tax_amount": tax, "currency": order["currency"], "order_id": order["id"]}
        told |= {"subscription_id": order["subscription_id"], "customer_id": order["customer_id"]}
        made = self.put("refunds", {**told, "status": status, "dispute": dispute})
        self.tell("refund.created", made)
        if status in ("succeeded", "pending"):
            self._moves(order, net, tax)
        return made

    def _moves(self, order: Json, net: int, tax: int) -> None:
        left = order["refundable_amount"] - net
        back = {
            "refunded_amount": order["refunded_amount"] + net,
            "refunded_tax_amount": order["refunded_tax_amount"] + tax,
            "refundable_amount": left,
            "refundable_tax_amount": order["refundable_tax_amount"] - tax,
        }
        state = "paid" if not order["refunded_amount"] + net else "partially_refunded" if left else "refunded"
        self.edit(order, status=state, **back)
        self.tell("order.updated", order)
        self.tell("order.refunded", order)

    def settles(self, refund: Json, status: str) -> None:
        """What became of a refund that was pending."""
        self.edit(refund, status=status)
        if status in ("failed", "canceled"):
            self._moves(self.thing("orders", refund["order_id"]), -refund["amount"], -refund["tax_amount"])
        self.tell("refund.updated", refund)

    def disputes(self, order_id: str, status: str = "needs_response") -> Json:
        """The bank asks. Polar tells nobody: it has to be asked."""
        order = self.thing("orders", order_id)
        told = {"amount": order["net_amount"], "tax_amount": order["tax_amount"], "currency": order["currency"]}
        told |= {"reason": "fraudulent", "order_id": order_id, "payment_id": str(uuid.uuid4()), "past_due": False}
        told |= {"customer": order["customer"], "case_id": None, "resolved": False, "closed": False}
        due = text(self.now() + timedelta(days=14)) if status == "needs_response" else None
        return self.put("disputes", {**told, "status": status, "evidence_due_by": due})

    def prevents(self, order_id: str) -> Json:
        """Polar pays back by itself, so that no dispute comes of a warning."""
        warned = self.disputes(order_id, "prevented")
        plain = {name: value for name, value in warned.items() if name not in ("customer", "case_id")}
        asked = {"order_id": order_id, "amount": warned["amount"], "reason": "dispute_prevention"}
        return self.refunds(asked, dispute=plain)

    def taken(self) -> int:
        """Everything that was ever paid, less what went back, before tax, in cents."""
        return sum(one["net_amount"] - one["refunded_amount"] for one in self.things["orders"].values() if one["paid"])
