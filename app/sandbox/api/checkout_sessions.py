"""/v1/checkout/sessions: the modes payment, subscription and setup."""

from __future__ import annotations

from typing import Any

from app.sandbox.api.call import Call, Endpoints, honours, merged_metadata
from app.sandbox.api.checkout_lines import lines_of
from app.sandbox.api.checkout_rules import check
from app.sandbox.api.lists import listing, paging, whole
from app.sandbox.api.subscription_rules import offers
from app.sandbox.blanks import Object
from app.sandbox.config import DAY, MINUTE
from app.sandbox.engine import checkout, checkout_totals, setups
from app.sandbox.engine.discounts import Offer
from app.sandbox.engine.payments import check_amount
from app.sandbox.fault import not_built, refused

_PLAIN = (
    "allow_promotion_codes",
    "billing_address_collection",
    "client_reference_id",
    "customer_creation",
    "customer_email",
    "locale",
    "origin_context",
    "payment_method_collection",
    "submit_type",
    "tax_id_collection",
    "phone_number_collection",
    "integration_identifier",
)
_HONOURED = (
    *_PLAIN,
    "mode",
    "currency",
    "customer",
    "line_items",
    "success_url",
    "cancel_url",
    "metadata",
    "expires_at",
    "payment_intent_data",
    "setup_intent_data",
    "subscription_data",
    "discounts",
    "invoice_creation",
    "saved_payment_method_options",
    "automatic_tax",
    "customer_update",
    "ui_mode",
    "payment_method_options",
)


@honours(*_HONOURED)
def create(call: Call) -> Object:
    """POST /v1/checkout/sessions."""
    mode = _mode(call)
    check(call.params, mode)
    customer = call.tx.get("customer", call.params["customer"], "customer")["id"] if "customer" in call.params else None
    lines = lines_of(call, mode) if mode != "setup" else []
    totals = _totals(call, lines, offers(call, customer))
    session = call.tx.new(
        "checkout.session",
        hidden={"lines": lines, "intent_data": call.params.get("payment_intent_data", {}), **_subscription(call)},
        mode=mode,
        customer=customer,
        expires_at=_expiry(call),
        metadata=merged_metadata({}, call.params.get("metadata")),
        invoice_creation=_invoice_creation(call, mode),
        saved_payment_method_options=_saving(call, customer),
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        payment_method_collection="if_required" if mode == "payment" else "always",
        payment_method_types=["card", "us_bank_account"] if mode == "payment" else ["card"],
        **totals,
        **call.given(*_PLAIN, "success_url", "cancel_url"),
    )
    opened: Object = {"url": f"{call.tx.root}/c/pay/{session['id']}"}
    if mode == "setup":
        data = {"metadata": {}, **call.params.get("setup_intent_data", {})}
        opened["setup_intent"] = setups.open_setup(call.tx, customer=customer, usage="off_session", **data)["id"]
    call.tx.change(session, **opened)
    call.tx.at(session["expires_at"], "session_expiry", session["id"])
    return session


@honours()
def retrieve(call: Call) -> Object:
    """GET /v1/checkout/sessions/{session}."""
    return call.tx.get("checkout.session", call.ids["session"], "session")


@honours()
def expire(call: Call) -> Object:
    """POST /v1/checkout/sessions/{session}/expire."""
    session = call.tx.get("checkout.session", call.ids["session"], "session")
    checkout.expire(call.tx, session)
    return session


@honours(*paging("customer", "payment_intent", "status", "created"))
def index(call: Call) -> Object:
    """GET /v1/checkout/sessions."""
    return listing(
        call, "checkout.session", "/v1/checkout/sessions", **call.given("customer", "payment_intent", "status")
    )


@honours(*paging())
def line_items(call: Call) -> Object:
    """GET /v1/checkout/sessions/{session}/line_items."""
    session = call.tx.get("checkout.session", call.ids["session"], "session")
    return whole(call, call.tx.hidden(session["id"])["lines"], f"/v1/checkout/sessions/{session['id']}/line_items")


def _mode(call: Call) -> str:
    mode = str(call.params.get("mode", "payment"))
    if call.params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_built("A checkout inside your own page")
    return mode


def _expiry(call: Call) -> int:
    now = call.tx.now
    wanted = int(call.params.get("expires_at", now + DAY))
    # A minute of grace at both ends: the asker's clock is never quite ours.
    if not now + 29 * MINUTE <= wanted <= now + DAY + MINUTE:
        words = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise refused(words, param="expires_at")
    return wanted


def _totals(call: Call, lines: list[Object], chosen: list[Offer]) -> Object:
    automatic: Object = {"enabled": False, "liability": None, "provider": None, "status": None}
    taxed = bool(call.params.get("automatic_tax", {}).get("enabled"))
    if taxed:
        automatic = {"enabled": True, "liability": {"type": "self"}, "provider": "stripe", "status": "complete"}
    if not lines:
        return {"automatic_tax": automatic, "currency": call.params["currency"].lower()}
    sums = checkout_totals.reckon(call.tx, lines, chosen, taxed)
    if sums["amount_total"] or not (chosen or _subscription(call)):
        check_amount(sums["amount_total"], "line_items")
    return {"automatic_tax": automatic, "currency": lines[0]["currency"], **sums}


def _subscription(call: Call) -> Object:
    """What only the subscription that a session sells will need."""
    if call.params.get("mode") != "subscription":
        return {}
    data = call.params.get("subscription_data", {})
    ends = data.get("trial_end")
    if "trial_period_days" in data:
        ends = call.tx.now + int(data["trial_period_days"]) * DAY
    more = {"metadata": data.get("metadata", {}), "description": data.get("description")}
    return {"subscription": {"trial_end": ends, "more": more}}


def _invoice_creation(call: Call, mode: str) -> Object | None:
    if mode != "payment":
        return None
    asked = call.params.get("invoice_creation", {"enabled": False})
    resting: Object = {
        "account_tax_ids": None,
        "custom_fields": None,
        "description": None,
        "footer": None,
        "issuer": None,
        "metadata": {},
        "rendering_options": None,
    }
    return {"enabled": asked["enabled"], "invoice_data": {**resting, **asked.get("invoice_data", {})}}


def _saving(call: Call, customer: str | None) -> Object | None:
    asked: Any = call.params.get("saved_payment_method_options")
    if asked is None and customer is None:
        return None
    resting: Object = {
        "allow_redisplay_filters": ["always"],
        "payment_method_remove": "disabled",
        "payment_method_save": None,
    }
    return {**resting, **(asked or {})}


ENDPOINTS: Endpoints = {
    ("post", "/v1/checkout/sessions"): create,
    ("get", "/v1/checkout/sessions"): index,
    ("get", "/v1/checkout/sessions/{session}"): retrieve,
    ("post", "/v1/checkout/sessions/{session}/expire"): expire,
    ("get", "/v1/checkout/sessions/{session}/line_items"): line_items,
}
