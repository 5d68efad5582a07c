"""What happens in the six events of a life at each provider, in the only order in which it can; and what is told of it.

Of each happening it is the one event that tells of it. Where a provider tells nothing, what it lets go unsaid is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from app.db import transaction
from app.flows import priced, top_up
from app.providers import port
from app.sandbox.engine import disputes, refunds
from app.subscriptions import sale
from tests.support.card_paid import Cardholder
from tests.support.creem import Regular
from tests.support.lemon import Shopper
from tests.support.patron import Patron
from tests.support.six_events import Life, Said


def at_stripe(who: Cardholder) -> Life:
    told: dict[str, Said] = {}

    def one(kind: str) -> Said:
        [event] = [event for event in who.news() if event["type"] == kind][-1:]
        return Said(json.dumps(event), event["id"])

    who.subscribes()
    who.hears()
    order = top_up.start(
        who.session, who.stripe, who.customer, 5000, form_key="six", return_url="https://x.example/", actor="usr_1"
    )
    who.pays(order)
    told["purchase"] = one("checkout.session.completed")
    who.passes(days=32)
    told["renewal"] = one("invoice.paid")
    with who.sandbox.sandbox.writing() as tx:
        charge = next(each for each in tx.every("charge") if each["amount"] == 5000)
        refunds.refund(tx, charge, 2000)
    told["refund"] = one("refund.created")
    with who.sandbox.sandbox.writing() as tx:
        disputes.begin(tx, tx.get("charge", charge["id"]))
    told["dispute"] = one("charge.dispute.created")
    call = who.stripe._stripe.call
    provider_id = who.sub.provider_id  # type: ignore[union-attr]
    dearer = who.plan_at("growth").provider_price_id
    item = call(lambda v1: v1.subscriptions.retrieve(provider_id))["items"]["data"][0]["id"]
    change: Any = {"items": [{"id": item, "price": dearer}], "proration_behavior": "always_invoice"}
    call(lambda v1: v1.subscriptions.update(provider_id, change))
    told["upgrade"] = one("customer.subscription.updated")
    call(lambda v1: v1.subscriptions.update(provider_id, {"cancel_at_period_end": True}))
    told["cancel"] = one("customer.subscription.updated")
    return Life(who, "stripe", who.stripe, told, frozenset())


def at_polar(who: Patron) -> Life:
    """Its disputes are asked for."""
    books = who.there.books
    told: dict[str, Said] = {}

    def one(kind: str) -> Said:
        event = [event for event in who.there.deliveries.events if event.kind == kind][-1]
        return Said(event.body.decode(), event.id)

    who.pays(who.subscribes())
    who.hears()
    paid = who.pays(who.tops_up(5000))
    told["purchase"] = one("order.paid")
    who.passes(days=32)
    told["renewal"] = one("order.paid")
    books.refunds({"order_id": paid["id"], "amount": 2000, "reason": "customer_request"})
    told["refund"] = one("refund.created")
    books.disputes(paid["id"])
    [asked] = port.dispute_feed_of(who.adapter).disputes_since(who.clock.now - timedelta(hours=1))
    told["dispute"] = Said(asked.body.decode(), "", asked.verified)
    sub = next(iter(books.things["subscriptions"]))
    with transaction(who.session):
        bought = sale.offered(who.session, who.customer_id, "growth", sale.every("month"))
    dearer = priced.plan_at(who.session, who.adapter, bought).provider_price_id
    [product] = [
        each["id"] for each in books.things["products"].values() if dearer in (each["id"], each["prices"][0]["id"])
    ]
    books.changes(sub, {"product_id": product, "proration_behavior": "invoice"})
    told["upgrade"] = one("subscription.updated")
    books.changes(sub, {"cancel_at_period_end": True})
    told["cancel"] = one("subscription.canceled")
    kept = {name for each in books.things["products"].values() for name in (each["id"], each["prices"][0]["id"])}
    return Life(who, "polar", who.adapter, told, frozenset(kept))


def at_lemon(who: Shopper) -> Life:
    """It tells of no dispute, only that the rest of the money went back."""
    books = who.lemon.books
    told: dict[str, Said] = {}

    def one(kind: str) -> Said:
        sent = [one for one in who.lemon.deliveries.waiting if one.name == kind][-1]
        return Said(sent.body.decode(), "")

    who.is_on()
    order = who.pays(who.tops_up(5000))
    told["purchase"] = one("order_created")
    who.passes(days=32)
    told["renewal"] = one("subscription_payment_success")
    books.refunds("orders", order["id"], 2000)
    told["refund"] = one("order_refunded")
    books.refunds("orders", order["id"])
    told["dispute"] = one("order_refunded")
    sub = next(iter(books.things["subscriptions"]))
    books.changes(sub, {"variant_id": who.variants["growth"], "invoice_immediately": True})
    told["upgrade"] = one("subscription_plan_changed")
    books.cancels(sub)
    told["cancel"] = one("subscription_cancelled")
    kept = {*books.things["variants"], *books.things["prices"]}
    return Life(who, "lemonsqueezy", who.squeezy, told, frozenset(kept))


def at_creem(who: Regular) -> Life:
    """It tells that a dispute began, not how it ended."""
    books = who.there.books
    told: dict[str, Said] = {}

    def one(kind: str) -> Said:
        events = [each.body.decode() for each in who.there.deliveries]
        return Said([body for body in events if json.loads(body)["eventType"] == kind][-1], "")

    who.pays(who.subscribes())
    who.hears()
    paid = who.pays(who.tops_up(5000))
    told["purchase"] = one("checkout.completed")
    who.passes(days=32)
    told["renewal"] = one("subscription.paid")
    books.refunds(paid["id"], 2000)
    told["refund"] = one("refund.created")
    books.disputes(paid["id"])
    told["dispute"] = one("dispute.created")
    sub = next(iter(books.things["subscriptions"]))
    books.upgrades(sub, {"product_id": who.products["growth"], "update_behavior": "proration-charge-immediately"})
    told["upgrade"] = one("subscription.update")
    books.cancels(sub, {"mode": "scheduled"})
    told["cancel"] = one("subscription.scheduled_cancel")
    return Life(who, "creem", who.adapter, told, frozenset())


# The fixture that pays there, and the life.
LIVES: dict[str, tuple[str, Callable[[Any], Life]]] = {
    "stripe": ("cardholder", at_stripe),
    "lemonsqueezy": ("shopper", at_lemon),
    "polar": ("patron", at_polar),
    "creem": ("regular", at_creem),
}
