"""What joins two parameters of a checkout session, which the description of single parameters cannot know."""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.fault import Fault, not_built, refused

_INTENT_DATA = {"description", "metadata", "receipt_email", "setup_future_usage", "statement_descriptor_suffix"}
_SUBSCRIPTION_DATA = {"description", "metadata", "trial_end", "trial_period_days"}
_NOT_IN = {
    "setup": (
        *("line_items", "payment_intent_data", "subscription_data", "invoice_creation", "automatic_tax"),
        *("discounts", "allow_promotion_codes"),
    ),
    "payment": ("setup_intent_data", "subscription_data"),
    "subscription": (
        *("setup_intent_data", "payment_intent_data", "invoice_creation", "customer_creation"),
        "submit_type",
    ),
}
_NEEDED = {
    "setup": ("success_url", "currency"),
    "payment": ("success_url", "line_items"),
    "subscription": ("success_url", "line_items"),
}
_NOT_WITH_CUSTOMER = ("customer_email", "customer_creation")


def check(params: Object, mode: str) -> None:
    """Raises a Fault for the first rule that is broken."""
    for name in _NEEDED[mode]:
        if not params.get(name):
            raise _missing(name)
    for name in _NOT_IN[mode]:
        if name in params:
            raise refused(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    for name in ("success_url", "cancel_url"):
        if name in params and not str(params[name]).startswith(("http://", "https://")):
            raise refused(f"Not a valid URL: {params[name]}", code="url_invalid", param=name)
    _check_customer(params)
    _check_details(params)


def _check_details(params: Object) -> None:
    for name in sorted(set(params.get("payment_intent_data", {})) - _INTENT_DATA):
        raise not_built(f"payment_intent_data[{name}]")
    for name in sorted(set(params.get("subscription_data", {})) - _SUBSCRIPTION_DATA):
        raise not_built(f"subscription_data[{name}]")
    if "discounts" in params and "allow_promotion_codes" in params:
        words = "You may only specify one of these parameters: allow_promotion_codes, discounts."
        raise refused(words, param="discounts")
    if len(params.get("discounts", [])) > 1:
        raise refused("You may specify at most 1 discount.", param="discounts")


def _check_customer(params: Object) -> None:
    for name in _NOT_WITH_CUSTOMER:
        if "customer" in params and name in params:
            raise refused(f"You may only specify one of these parameters: customer, {name}.", param=name)
    if "customer_update" in params and "customer" not in params:
        raise refused("`customer_update` can only be used with `customer`.", param="customer_update")
    taxed = params.get("automatic_tax", {}).get("enabled")
    if taxed and "customer" in params and params.get("customer_update", {}).get("address") != "auto":
        words = "Automatic tax in Checkout needs the address of the Customer: pass customer_update[address]=auto."
        raise refused(words, code="customer_tax_location_invalid", param="automatic_tax")


def _missing(name: str) -> Fault:
    return refused(f"Missing required param: {name}.", code="parameter_missing", param=name)
