"""What a subscription may be told: prices, items, dates and payment methods as the engine wants them, or a refusal."""

from __future__ import annotations

from app.sandbox.api.call import Call
from app.sandbox.blanks import Object
from app.sandbox.config import DAY, MINUTE
from app.sandbox.engine import discounts, standing
from app.sandbox.fault import Fault, not_built, refused

_WITH_PENDING = {
    *("items", "proration_behavior", "proration_date", "payment_behavior", "billing_cycle_anchor", "trial_end"),
    *("cancel_at_period_end", "off_session", "expand"),
}
_NOT_UNDER_SCHEDULE = ("items", "cancel_at_period_end", "cancel_at", "billing_cycle_anchor", "trial_end")
_NOTHING = {"comment": None, "feedback": None, "feedback_option": None, "reason": None}


def prices(call: Call) -> list[tuple[Object, int]]:
    """The prices of a new subscription with their quantities."""
    asked = call.params.get("items") or []
    if not asked:
        raise refused("Missing required param: items.", code="parameter_missing", param="items")
    found = [(_price(call, each, f"items[{at}]"), each.get("quantity", 1)) for at, each in enumerate(asked)]
    return checked(found)


def checked(found: list[tuple[Object, int]]) -> list[tuple[Object, int]]:
    """The same, if one subscription may hold them all."""
    if len({price["currency"] for price, _ in found}) > 1:
        raise refused("All prices of a subscription must have the same currency.", param="items")
    terms = {(price["recurring"]["interval"], price["recurring"]["interval_count"]) for price, _ in found}
    if len(terms) > 1:
        raise not_built("A subscription with items of different intervals")
    return found


def changed_items(call: Call, subscription: Object, asked: list[Object], param: str = "items") -> list[Object]:
    """The subscription's items once these changes are made. An item without an id is added, as at Stripe."""
    known = {item["id"]: item for item in standing.items_of(subscription)}
    for at, each in enumerate(asked):
        where = f"{param}[{at}]"
        if "id" in each and each["id"] not in known:
            words = f"No such subscription item: '{each['id']}'"
            raise Fault(400, "invalid_request_error", words, code="resource_missing", param=f"{where}[id]")
        if each.get("deleted"):
            known.pop(each["id"])
        elif "id" in each:
            old = known[each["id"]]
            price = _price(call, each, where) if "price" in each else old["price"]
            known[each["id"]] = standing.priced(old, price, each["quantity"] if "quantity" in each else old["quantity"])
        else:
            price, count = _price(call, each, where), each.get("quantity", 1)
            period = standing.period_of(subscription)
            made = standing.make_item(call.tx, subscription["id"], price, count, period)
            known[made["id"]] = made
    if not known:
        raise refused("A subscription must have at least one active plan.", param=param)
    checked([(item["price"], item["quantity"]) for item in known.values()])
    return list(known.values())


def method(call: Call, customer: str) -> str | None:
    """The payment method asked for, which must be the customer's own card."""
    asked = call.params.get("default_payment_method")
    if not asked:
        return None
    found = call.tx.get("payment_method", asked, "default_payment_method")
    if found["customer"] != customer:
        words = f"The customer does not have a payment method with the ID {asked}. It must be attached first."
        raise refused(words, code="resource_missing", param="default_payment_method")
    if found["type"] != "card":
        raise not_built("A subscription paid by bank debit")
    return str(found["id"])


def offers(call: Call, customer: str | None) -> list[discounts.Offer]:
    """The coupons and codes asked for, if they can be redeemed now."""
    asked = call.params.get("discounts") or []
    return [
        discounts.offer(call.tx, each, customer, f"discounts[{at}]")
        for at, each in enumerate(asked)
        if "discount" not in each
    ]


def trial_end(call: Call) -> int | None:
    """When a trial ends, if one is asked for."""
    now, asked = call.tx.now, call.params.get("trial_end")
    if "trial_period_days" in call.params:
        return now + int(call.params["trial_period_days"]) * DAY if call.params["trial_period_days"] else None
    if asked in (None, "now"):
        return None
    return _future(call, int(asked), "trial_end")


def moved_trial(call: Call, subscription: Object) -> Object:
    """The fields of a trial that ends at another time. Its end is where the first period begins."""
    if subscription["status"] != "trialing":
        raise not_built("A trial for a subscription that has begun")
    asked = call.params["trial_end"]
    at = call.tx.now if asked == "now" else _future(call, int(asked), "trial_end")
    start, _ = standing.period_of(subscription)
    items = [standing.dated(item, (start, at)) for item in standing.items_of(subscription)]
    return {"trial_end": at, "billing_cycle_anchor": at, "items": standing.as_items(subscription["id"], items)}


def anchor(call: Call) -> int | None:
    """Where the first whole period begins, if not now."""
    asked = call.params.get("billing_cycle_anchor")
    return None if asked is None else _future(call, int(asked), "billing_cycle_anchor")


def instant(call: Call, subscription: Object, asked: int | None, param: str = "proration_date") -> int:
    """The moment that prorations count from: as asked, or now."""
    start, end = standing.period_of(subscription)
    if asked is None:
        return call.tx.now
    # A minute of grace, because the asker's clock is never quite ours.
    if not start - MINUTE <= asked <= end:
        raise refused("The proration date must be within the current period of the subscription.", param=param)
    return max(start, asked)


def payment_settings(call: Call, subscription: Object | None) -> Object:
    """How it is paid; of all that Stripe offers only whether the card that pays becomes its default."""
    resting = {"payment_method_options": None, "payment_method_types": None, "save_default_payment_method": "off"}
    old = subscription["payment_settings"] if subscription else resting
    return {**old, **call.params.get("payment_settings", {})}


def ends(call: Call, subscription: Object) -> Object:
    """The fields of an announced end, of taking it back, and of the reasons given for it."""
    params, now = call.params, call.tx.now
    fields: Object = {}
    details = {**subscription["cancellation_details"]}
    if "cancel_at_period_end" in params:
        on = params["cancel_at_period_end"]
        at = standing.period_of(subscription)[1] if on else None
        fields = {"cancel_at_period_end": on, "cancel_at": at, "canceled_at": now if on else None}
        details = {**details, "reason": "cancellation_requested"} if on else {**_NOTHING}
    if "cancel_at" in params:
        at = _cancel_at(call, subscription, params["cancel_at"])
        fields = {"cancel_at_period_end": False, "cancel_at": at, "canceled_at": now if at else None}
        details = {**details, "reason": "cancellation_requested"} if at else {**_NOTHING}
    if "cancellation_details" in params:
        details.update({name: value or None for name, value in params["cancellation_details"].items()})
    return {**fields, "cancellation_details": details} if details != subscription["cancellation_details"] else fields


def check_update(call: Call, subscription: Object) -> None:
    """Raises a Fault for what this subscription cannot be told now."""
    params = call.params
    if subscription["status"] in ("canceled", "incomplete_expired"):
        words = "A canceled subscription can only update its cancellation_details and metadata."
        if set(params) - {"metadata", "cancellation_details", "expand"}:
            raise refused(words)
    if subscription["status"] == "incomplete" and "items" in params:
        raise refused("You cannot update the items of a subscription in `incomplete` status.", param="items")
    if params.get("payment_behavior") == "pending_if_incomplete":
        for name in sorted(set(params) - _WITH_PENDING):
            words = f"You cannot pass `{name}` when `payment_behavior` is set to `pending_if_incomplete`."
            raise refused(words, param=name)
    if subscription["schedule"]:
        for name in _NOT_UNDER_SCHEDULE:
            if name in params:
                what = "any cancelation behavior" if name.startswith("cancel") else f"`{name}`"
                words = (
                    f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, "
                    f"and updating {what} directly is not allowed. Please update the schedule instead."
                )
                raise refused(words, param=name)


def _cancel_at(call: Call, subscription: Object, asked: int | str) -> int | None:
    if asked == "":
        return None
    if isinstance(asked, str) and not asked.isdigit():
        return standing.period_of(subscription)[1]
    return _future(call, int(asked), "cancel_at")


def _future(call: Call, at: int, param: str) -> int:
    if at <= call.tx.now:
        raise refused(f"Invalid timestamp: `{param}` must be an instant in the future.", param=param)
    return at


def _price(call: Call, asked: Object, param: str) -> Object:
    if "price" not in asked:
        raise not_built("A subscription item without the id of a price")
    price = call.tx.get("price", asked["price"], f"{param}[price]")
    if not price["recurring"]:
        words = "The price specified is set to `type=one_time` but this field only accepts recurring prices."
        raise refused(words, param=f"{param}[price]")
    if not price["active"]:
        raise refused(
            "The price specified is inactive. This field only accepts active prices.", param=f"{param}[price]"
        )
    return price
