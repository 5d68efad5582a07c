"""/v1/subscriptions."""

from __future__ import annotations

from typing import Any

from app.sandbox.api import subscription_rules as rules
from app.sandbox.api.call import Call, Endpoints, honours, merged_metadata, unset
from app.sandbox.api.lists import listing, paging
from app.sandbox.blanks import Object
from app.sandbox.engine import changes, collection, discounts, endings, fates, plans, standing, subscriptions
from app.sandbox.engine.subscriptions import Order
from app.sandbox.fault import missing, refused
from app.sandbox.webhooks.events import emit

_ID = "subscription_exposed_id"
_CHANGES = ("items", "proration_behavior", "proration_date", "payment_behavior", "billing_cycle_anchor", "off_session")
_ENDS = ("cancel_at_period_end", "cancel_at", "cancellation_details")
_PLAIN = ("default_payment_method", "description", "metadata", "discounts", "automatic_tax", "payment_settings")


@honours(
    "customer",
    "items",
    *_PLAIN,
    *("trial_end", "trial_period_days", "billing_cycle_anchor", "proration_behavior"),
    *("payment_behavior", "off_session", "collection_method", "currency", "cancel_at_period_end", "trial_settings"),
)
def create(call: Call) -> Object:
    """POST /v1/subscriptions. A refused first payment leaves it incomplete, or nothing at all, as it was asked."""
    tx, params = call.tx, call.params
    if "customer" not in params:
        raise refused("Missing required param: customer.", code="parameter_missing", param="customer")
    customer = tx.get("customer", params["customer"], "customer")["id"]
    order = Order(
        customer=customer,
        prices=rules.prices(call),
        method=rules.method(call, customer),
        taxed=bool(params.get("automatic_tax", {}).get("enabled")),
        offers=rules.offers(call, customer),
        trial_end=rules.trial_end(call),
        anchor=rules.anchor(call),
        prorates=params.get("proration_behavior", "create_prorations") != "none",
        more={**call.given("description"), "metadata": merged_metadata({}, params.get("metadata"))},
    )
    order.more["payment_settings"] = rules.payment_settings(call, None)
    subscription, invoice = subscriptions.start(tx, order)
    if params.get("payment_behavior") != changes.LATER or not invoice["amount_due"]:
        fates.charge(tx, invoice)
    if invoice["status"] == "open" and params.get("payment_behavior") == changes.ERROR:
        raise collection.refusal(tx, invoice, keeps=False)
    if params.get("cancel_at_period_end"):
        standing.amend(tx, tx.get("subscription", subscription["id"]), **rules.ends(call, subscription))
    return tx.get("subscription", subscription["id"])


@honours()
def retrieve(call: Call) -> Object:
    """GET /v1/subscriptions/{subscription}."""
    return call.tx.get("subscription", call.ids[_ID])


@honours(*_CHANGES, *_ENDS, *_PLAIN, "trial_end")
def update(call: Call) -> Object:
    """POST /v1/subscriptions/{subscription}."""
    subscription = call.tx.get("subscription", call.ids[_ID])
    rules.check_update(call, subscription)
    fields = _fields(call, subscription)
    if "items" in call.params or "billing_cycle_anchor" in call.params:
        plan = _plan(call, subscription)
        payment = call.params.get("payment_behavior", "allow_incomplete")
        changes.carry_out(call.tx, subscription, plan, payment=payment, **fields)
    else:
        standing.amend(call.tx, subscription, **fields)
    if subscription["cancel_at"] and "cancel_at" in fields:
        call.tx.at(subscription["cancel_at"], "cancel_date", subscription["id"])
    if "trial_end" in fields:
        standing.watch_period(call.tx, subscription)
    return call.tx.get("subscription", subscription["id"])


@honours("prorate", "invoice_now", "cancellation_details")
def cancel(call: Call) -> Object:
    """DELETE /v1/subscriptions/{subscription}."""
    subscription = call.tx.get("subscription", call.ids[_ID])
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise missing("subscription", subscription["id"])
    if subscription["status"] == "incomplete":
        subscriptions.give_up(call.tx, subscription)
        return call.tx.get("subscription", subscription["id"])
    endings.settle_unused(
        call.tx,
        subscription,
        prorate=bool(call.params.get("prorate")),
        invoice_now=bool(call.params.get("invoice_now")),
    )
    asked = call.params.get("cancellation_details")
    endings.end(call.tx, subscription, why="cancellation_requested", asked=asked)
    return subscription


@honours("billing_cycle_anchor", "proration_behavior", "proration_date", "payment_behavior")
def resume(call: Call) -> Object:
    """POST /v1/subscriptions/{subscription}/resume. Nothing here pauses a subscription, so none can be resumed."""
    subscription = call.tx.get("subscription", call.ids["subscription"])
    words = f"You can only resume a subscription that is paused; this one is {subscription['status']}."
    raise refused(words, code="subscription_not_paused")


@honours(*paging("customer", "status", "price", "created"))
def index(call: Call) -> Object:
    """GET /v1/subscriptions. Ended ones are listed only when they are asked for."""
    asked = call.params.get("status")
    ended = ("canceled", "incomplete_expired")
    wanted: Any = asked
    if asked in (None, "all", "ended"):
        live = ("active", "trialing", "past_due", "incomplete", "unpaid", "paused")
        wanted = {None: live, "all": (*live, *ended), "ended": ended}[asked]
    price = {"items__data[0]__price__id": call.params["price"]} if "price" in call.params else {}
    return listing(
        call, "subscription", "/v1/subscriptions", customer=call.params.get("customer"), status=wanted, **price
    )


def _plan(call: Call, subscription: Object) -> plans.Plan:
    return plans.change_items(
        call.tx,
        subscription,
        rules.changed_items(call, subscription, call.params.get("items", [])),
        behaviour=call.params.get("proration_behavior", "create_prorations"),
        at=rules.instant(call, subscription, call.params.get("proration_date")),
        reset=call.params.get("billing_cycle_anchor", {}).get("type") == "now",
    )


def _fields(call: Call, subscription: Object) -> Object:
    """All that changes besides the items."""
    fields = {name: unset(value) for name, value in call.given("description").items()}
    if "default_payment_method" in call.params:
        fields["default_payment_method"] = rules.method(call, subscription["customer"])
    if "metadata" in call.params:
        fields["metadata"] = merged_metadata(subscription["metadata"], call.params["metadata"])
    if "automatic_tax" in call.params:
        taxed = bool(call.params["automatic_tax"]["enabled"])
        liability = {"type": "self"} if taxed else None
        fields["automatic_tax"] = {"disabled_reason": None, "enabled": taxed, "liability": liability}
    if "payment_settings" in call.params:
        fields["payment_settings"] = rules.payment_settings(call, subscription)
    if "discounts" in call.params:
        fields["discounts"] = _discounts(call, subscription)
    if "trial_end" in call.params:
        fields.update(rules.moved_trial(call, subscription))
    return {**fields, **rules.ends(call, subscription)}


def _discounts(call: Call, subscription: Object) -> list[str]:
    """Those named by id stay, new ones are redeemed, all others go."""
    tx, asked = call.tx, call.params["discounts"] or []
    kept = [each["discount"] for each in asked if "discount" in each]
    for each in set(subscription["discounts"]) - set(kept):
        emit(tx, "customer.discount.deleted", tx.get("discount", each))
    owner = {"customer": subscription["customer"], "subscription": subscription["id"]}
    fresh = [discounts.redeem(tx, offer, **owner)["id"] for offer in rules.offers(call, subscription["customer"])]
    return [*kept, *fresh]


ENDPOINTS: Endpoints = {
    ("post", "/v1/subscriptions"): create,
    ("get", "/v1/subscriptions"): index,
    ("get", "/v1/subscriptions/{subscription_exposed_id}"): retrieve,
    ("post", "/v1/subscriptions/{subscription_exposed_id}"): update,
    ("delete", "/v1/subscriptions/{subscription_exposed_id}"): cancel,
    ("post", "/v1/subscriptions/{subscription}/resume"): resume,
}
