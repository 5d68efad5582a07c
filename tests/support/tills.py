"""Tills: each provider's stand-in as those who pay, its own staff, and its books see it, in one set of words for all.

Amounts are cents. A payment has the name that its adapter gives it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.support.patron import Patron
from tests.support.six_events import Said


@dataclass(frozen=True)
class Truth:
    """One payment in the provider's own books. `taken` is with the bank: for now, or for good where it was `lost`."""

    paid: int
    refunded: int = 0
    taken: int = 0
    fee: int = 0
    is_lost: bool = False
    is_won: bool = False


class Till:
    """What can happen at every one of them. Whoever cannot do a thing answers False."""

    def __init__(self, who: Any) -> None:
        self.who = who
        self.payments: list[str] = []
        self.plans = 0  # what subscriptions brought

    def pays(self, page: str) -> str | None:
        """Somebody fills in the page; the payment that came of it, None where it was for a plan."""
        raise NotImplementedError

    def news(self) -> list[Said]:
        """What it has told since the last time."""
        raise NotImplementedError

    def loses(self, said: Said) -> bool:
        """This one never arrives; False where what it tells cannot be found out otherwise."""
        return True

    def refunds(self, payment: str, cents: int) -> bool:
        """Its own staff pay back so much."""
        raise NotImplementedError

    def fails(self, rng: Random) -> bool:
        """The bank sends some refund back."""
        return False

    def disputes(self, payment: str, rng: Random) -> bool:
        """The bank asks about this payment, or takes it back."""
        return False

    def decides(self, rng: Random) -> bool:
        """Some case goes on."""
        return False

    def truth(self, payment: str) -> Truth:
        raise NotImplementedError

    def planned(self) -> int:
        """What subscriptions brought in all."""
        raise NotImplementedError

    def passes(self, **step: int) -> None:
        """Time passes, and the provider does what is due."""
        self.who.passes(**step)

    def keeps_pace(self) -> None:
        """Time has passed here: it does there, where there is a clock of its own."""


class Lemons(Till):
    """Lemon Squeezy tells of no dispute."""

    who: Patron

    def pays(self, page: str) -> str | None:
        order = self.who.there.books.pays(page)
        is_plan = self.who.there.books.begun_by(order["id"])
        return None if is_plan else f"orders/{order['id']}"

    def news(self) -> list[Said]:
        waiting = self.who.there.deliveries.waiting
        said = [Said(one.body.decode(), "") for one in waiting]
        waiting.clear()
        return said

    def _of(self, payment: str) -> Any:
        return self.who.there.books.thing("orders", payment.removeprefix("orders/"))["attributes"]

    def refunds(self, payment: str, cents: int) -> bool:
        order = self._of(payment)
        cents = min(cents, order["total"] - order["refunded_amount"])
        if cents:
            self.who.there.books.refunds("orders", payment.removeprefix("orders/"), cents)
        return cents > 0

    def truth(self, payment: str) -> Truth:
        return Truth(self._of(payment)["total"], self._of(payment)["refunded_amount"])

    def planned(self) -> int:
        invoices = self.who.there.books.things["subscription-invoices"].values()
        return sum(each["attributes"]["total"] for each in invoices if each["attributes"]["status"] == "paid")


class Creems(Till):
    """Creem tells that a dispute began, and by its event alone."""

    who: Patron

    def __init__(self, who: Any) -> None:
        super().__init__(who)
        self._before: dict[str, int] = {}  # what had been refunded before the bank took it

    def _of(self, payment: str) -> Any:
        return self.who.there.books.thing("transactions", payment)

    def pays(self, page: str) -> str | None:
        books = self.who.there.books
        paid = books.pays(page, email=books.thing("checkouts", page).get("customer", {}).get("email", "x@example.com"))
        return None if paid["subscription"] else str(paid["id"])

    def news(self) -> list[Said]:
        said = [Said(one.body.decode(), "") for one in self.who.there.deliveries]
        self.who.there.deliveries.clear()
        return said

    def loses(self, said: Said) -> bool:
        return json.loads(said.body)["eventType"] != "dispute.created"

    def refunds(self, payment: str, cents: int) -> bool:
        paid = self._of(payment)
        cents = min(cents, paid["amount_paid"] - paid["refunded_amount"])
        if cents:
            self.who.there.books.refunds(payment, cents)
        return cents > 0

    def disputes(self, payment: str, rng: Random) -> bool:
        paid = self._of(payment)
        if payment in self._before or paid["refunded_amount"] == paid["amount_paid"]:
            return False
        self._before[payment] = paid["refunded_amount"]
        self.who.there.books.disputes(payment)
        return True

    def truth(self, payment: str) -> Truth:
        paid = self._of(payment)
        if payment in self._before:
            return Truth(paid["amount_paid"], self._before[payment], paid["amount_paid"])
        return Truth(paid["amount_paid"], paid["refunded_amount"])

    def planned(self) -> int:
        return sum(
            each["amount_paid"] for each in self.who.there.books.things["transactions"].values() if each["subscription"]
        )


class Polars(Till):
    """Polar is asked about disputes."""

    who: Patron

    def __init__(self, who: Any) -> None:
        super().__init__(who)
        self._heard = 0
        self._pending: list[Any] = []
        self._disputes: dict[str, Any] = {}

    def _of(self, payment: str) -> Any:
        return self.who.there.books.thing("orders", payment)

    def pays(self, page: str) -> str | None:
        order = self.who.there.books.pays(page)
        return None if order["subscription_id"] else str(order["id"])

    def news(self) -> list[Said]:
        deliveries = self.who.there.deliveries
        new = deliveries.events[self._heard :]
        self._heard += len(new)
        for event in new:  # each was tried, whatever became of it: that is what Polar can be asked for
            event.taken = True
            deliveries.tried.append(deliveries._delivery(event, 0))
        return [Said(event.body.decode(), event.id) for event in new]

    def refunds(self, payment: str, cents: int) -> bool:
        order = self._of(payment)
        cents = min(cents, order["refundable_amount"])
        if cents:
            status = "pending" if cents % 3 == 0 else "succeeded"
            asked = {"order_id": payment, "amount": cents, "reason": "customer_request"}
            made = self.who.there.books.refunds(asked, status=status)
            self._pending += [made] if status == "pending" else []
        return cents > 0

    def fails(self, rng: Random) -> bool:
        if not self._pending:
            return False
        self.who.there.books.settles(self._pending.pop(0), rng.choice(["failed", "succeeded"]))
        return True

    def disputes(self, payment: str, rng: Random) -> bool:
        if payment in self._disputes or not self._of(payment)["refundable_amount"]:
            return False
        status = rng.choice(["early_warning", "needs_response"])
        self._disputes[payment] = self.who.there.books.disputes(payment, status)
        return True

    def decides(self, rng: Random) -> bool:
        live = [each for each in self._disputes.values() if each["status"] not in ("won", "lost")]
        if not live:
            return False
        then = {"early_warning": ["needs_response"], "needs_response": ["under_review", "won", "lost"]}
        case = rng.choice(live)
        self.who.there.books.edit(case, status=rng.choice(then.get(case["status"], ["won", "lost"])))
        return True

    def truth(self, payment: str) -> Truth:
        order, case = self._of(payment), self._disputes.get(payment)
        paid, refunded = order["total_amount"], order["refunded_amount"] + order["refunded_tax_amount"]
        status = case["status"] if case else "none"
        taken = case["amount"] + case["tax_amount"] if case and status not in ("won", "early_warning") else 0
        return Truth(paid, refunded, taken, is_lost=status == "lost", is_won=status == "won")

    def planned(self) -> int:
        orders = self.who.there.books.things["orders"].values()
        return sum(each["total_amount"] for each in orders if each["paid"] and each["subscription_id"])
