"""/v1/coupons and /v1/promotion_codes."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, free_id, honours, merged_metadata
from app.sandbox.api.lists import listing, paging
from app.sandbox.blanks import Object
from app.sandbox.fault import not_built, refused
from app.sandbox.ids import random_text
from app.sandbox.webhooks.events import emit

_COUPON = ("amount_off", "currency", "duration", "duration_in_months", "max_redemptions", "name", "percent_off")
_CODE = ("active", "customer", "expires_at", "max_redemptions")


@honours(*_COUPON, "id", "redeem_by", "applies_to", "metadata")
def create_coupon(call: Call) -> Object:
    """POST /v1/coupons. Whoever asks may choose the id."""
    params = call.params
    _check(params)
    free_id(call, "Coupon")
    coupon = call.tx.new(
        "coupon",
        hidden={"products": params.get("applies_to", {}).get("products", [])},
        id=params.get("id") or random_text(8),
        metadata=merged_metadata({}, params.get("metadata")),
        **{"duration": "once", **call.given(*_COUPON, "redeem_by")},
    )
    emit(call.tx, "coupon.created", coupon)
    return coupon


@honours()
def retrieve_coupon(call: Call) -> Object:
    """GET /v1/coupons/{coupon}."""
    return call.tx.get("coupon", call.ids["coupon"])


@honours(*_CODE, "code", "promotion", "restrictions", "metadata")
def create_code(call: Call) -> Object:
    """POST /v1/promotion_codes. Codes are kept in capitals, and an active one cannot be made twice."""
    tx, params = call.tx, call.params
    coupon = tx.get("coupon", str(params["promotion"].get("coupon")), "promotion[coupon]")
    text = str(params.get("code") or random_text(8)).upper()
    if any(each["active"] for each in tx.every("promotion_code", code=text)):
        raise refused("An active promotion code with this code already exists.", param="code")
    restrictions = params.get("restrictions", {})
    for name in sorted({"minimum_amount", "currency_options"} & set(restrictions)):
        raise not_built(f"restrictions[{name}]")
    if "customer" in params:
        tx.get("customer", params["customer"], "customer")
    code = tx.new(
        "promotion_code",
        code=text,
        metadata=merged_metadata({}, params.get("metadata")),
        promotion={"coupon": coupon["id"], "type": "coupon"},
        restrictions={
            "first_time_transaction": bool(restrictions.get("first_time_transaction")),
            "minimum_amount": None,
            "minimum_amount_currency": None,
        },
        **call.given(*_CODE),
    )
    emit(tx, "promotion_code.created", code)
    return code


@honours()
def retrieve_code(call: Call) -> Object:
    """GET /v1/promotion_codes/{promotion_code}."""
    return call.tx.get("promotion_code", call.ids["promotion_code"])


@honours(*paging("active", "code", "coupon", "customer", "created"))
def list_codes(call: Call) -> Object:
    """GET /v1/promotion_codes."""
    filters = call.given("active", "customer")
    if "code" in call.params:
        filters["code"] = call.params["code"].upper()
    if "coupon" in call.params:
        filters["promotion__coupon"] = call.params["coupon"]
    return listing(call, "promotion_code", "/v1/promotion_codes", **filters)


def _check(params: Object) -> None:
    if ("percent_off" in params) == ("amount_off" in params):
        raise refused("You must pass either `percent_off` or `amount_off`.", param="percent_off")
    if "percent_off" in params and not 0 < params["percent_off"] <= 100:
        raise refused("Invalid percentage: it must be above 0 and at most 100.", param="percent_off")
    if "amount_off" in params and (params["amount_off"] <= 0 or "currency" not in params):
        raise refused("You must pass `currency` when passing `amount_off`.", param="currency")
    if (params.get("duration") == "repeating") != ("duration_in_months" in params):
        words = "`duration_in_months` goes with `duration` set to `repeating`, and only with that."
        raise refused(words, param="duration_in_months")


ENDPOINTS: Endpoints = {
    ("post", "/v1/coupons"): create_coupon,
    ("get", "/v1/coupons/{coupon}"): retrieve_coupon,
    ("post", "/v1/promotion_codes"): create_code,
    ("get", "/v1/promotion_codes"): list_codes,
    ("get", "/v1/promotion_codes/{promotion_code}"): retrieve_code,
}
