"""/v1/invoices/create_preview: what would be billed, without billing it."""

from __future__ import annotations

from app.sandbox.api import subscription_rules as rules
from app.sandbox.api.call import Call, Endpoints, honours
from app.sandbox.blanks import Object
from app.sandbox.engine import plans, previews, standing
from app.sandbox.fault import not_built, refused

_DETAILS = {
    *("items", "proration_behavior", "proration_date", "cancel_now", "billing_cycle_anchor"),
    *("cancel_at_period_end", "cancel_at"),
}


@honours("subscription", "subscription_details", "customer", "preview_mode")
def create(call: Call) -> Object:
    """POST /v1/invoices/create_preview: of a renewal, a change of items, or an end."""
    tx, details = call.tx, call.params.get("subscription_details", {})
    if "subscription" not in call.params:
        raise not_built("A preview without a subscription")
    if call.params.get("preview_mode", "next") != "next":
        raise not_built("A preview of later invoices")
    for name in sorted(set(details) - _DETAILS):
        raise not_built(f"The parameter subscription_details[{name}] of this call")
    subscription = tx.get("subscription", call.params["subscription"], "subscription")
    if subscription["status"] not in standing.LIVE:
        raise refused("No upcoming invoices for this subscription.", code="invoice_upcoming_none", param="subscription")
    date = details.get("proration_date")
    at = rules.instant(call, subscription, date, "subscription_details[proration_date]")
    behaviour = details.get("proration_behavior", "create_prorations")
    if details.get("cancel_now"):
        return previews.after_end(tx, subscription, at, prorate=behaviour != "none")
    if "items" in details or "billing_cycle_anchor" in details:
        items = rules.changed_items(call, subscription, details.get("items", []), "subscription_details[items]")
        reset = details.get("billing_cycle_anchor", {}).get("type") == "now"
        plan = plans.change_items(tx, subscription, items, behaviour=behaviour, at=at, reset=reset)
        return previews.after_change(tx, subscription, plan)
    if subscription["cancel_at_period_end"] or details.get("cancel_at_period_end"):
        raise refused("No upcoming invoices for this subscription.", code="invoice_upcoming_none", param="subscription")
    return previews.upcoming(tx, subscription)


ENDPOINTS: Endpoints = {("post", "/v1/invoices/create_preview"): create}
