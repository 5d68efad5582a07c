"""/v1/subscription_schedules: made from a subscription, given phases, let go of."""

from __future__ import annotations

from app.sandbox.api.call import Call, Endpoints, honours, merged_metadata
from app.sandbox.api.lists import listing, paging
from app.sandbox.blanks import Object
from app.sandbox.engine import phases, schedules, standing
from app.sandbox.engine.calendar import later
from app.sandbox.fault import Fault, not_built, refused

_PHASE = {"items", "start_date", "end_date", "duration", "proration_behavior", "trial_end", "discounts"}


@honours("from_subscription", "metadata")
def create(call: Call) -> Object:
    """POST /v1/subscription_schedules, from a subscription only."""
    if "from_subscription" not in call.params:
        raise not_built("A schedule without from_subscription")
    if "metadata" in call.params:
        words = "You cannot set `metadata` if `from_subscription` is set."
        raise refused(words, param="metadata")
    subscription = call.tx.get("subscription", call.params["from_subscription"], "from_subscription")
    if subscription["status"] not in standing.LIVE:
        raise refused("You cannot migrate a subscription that is not active.", param="from_subscription")
    if subscription["schedule"]:
        words = f"The subscription is already attached to a schedule: `{subscription['schedule']}`."
        raise refused(words, param="from_subscription")
    return schedules.attach(call.tx, subscription)


@honours()
def retrieve(call: Call) -> Object:
    """GET /v1/subscription_schedules/{schedule}."""
    return call.tx.get("subscription_schedule", call.ids["schedule"])


@honours("phases", "end_behavior", "proration_behavior", "metadata")
def update(call: Call) -> Object:
    """POST /v1/subscription_schedules/{schedule}. Phases that are over may be left out; the present one may not."""
    schedule, subscription = _running(call, "update")
    fields = call.given("end_behavior")
    if fields.get("end_behavior", "release") not in ("release", "cancel"):
        raise not_built(f"The end_behavior {fields['end_behavior']}")
    if "metadata" in call.params:
        fields["metadata"] = merged_metadata(schedule["metadata"], call.params["metadata"])
    if "phases" in call.params:
        fields["phases"] = _phases(call, schedule, subscription)
    schedules.rewrite(call.tx, schedule, **fields)
    return schedule


@honours("preserve_cancel_date")
def release(call: Call) -> Object:
    """POST /v1/subscription_schedules/{schedule}/release."""
    schedule, subscription = _running(call, "release")
    phases.release(call.tx, subscription, schedule)
    return schedule


@honours("invoice_now", "prorate")
def cancel(call: Call) -> Object:
    """POST /v1/subscription_schedules/{schedule}/cancel. Its subscription ends with it."""
    schedule, subscription = _running(call, "cancel")
    schedules.cancel(
        call.tx,
        subscription,
        prorate=bool(call.params.get("prorate", True)),
        invoice_now=bool(call.params.get("invoice_now", True)),
    )
    return call.tx.get("subscription_schedule", schedule["id"])


@honours(*paging("customer", "created"))
def index(call: Call) -> Object:
    """GET /v1/subscription_schedules."""
    url = "/v1/subscription_schedules"
    return listing(call, "subscription_schedule", url, customer=call.params.get("customer"))


def _running(call: Call, verb: str) -> tuple[Object, Object]:
    schedule = call.tx.get("subscription_schedule", call.ids["schedule"])
    if schedule["status"] not in ("active", "not_started"):
        words = f"You cannot {verb} a subscription schedule that is currently in the `{schedule['status']}` status."
        raise refused(words)
    return schedule, call.tx.get("subscription", schedule["subscription"])


def _phases(call: Call, schedule: Object, subscription: Object) -> list[Object]:
    made: list[Object] = []
    for place, asked in enumerate(call.params["phases"]):
        at = f"phases[{place}]"
        for name in sorted(set(asked) - _PHASE):
            raise not_built(f"{at}[{name}]")
        start = made[-1]["end_date"] if made else schedule["current_phase"]["start_date"]
        if str(asked.get("start_date", start)) != str(start):
            words = "Phases must follow one another, and the first must be the present one."
            raise refused(words, param=f"{at}[start_date]")
        behaviour = asked.get("proration_behavior", call.params.get("proration_behavior", "create_prorations"))
        phase = schedules.phase(subscription["currency"], _items(call, asked, at), start, _end(asked, start, at))
        made.append({**phase, "proration_behavior": behaviour, **_said_again(subscription, asked, at)})
    if not any(each["start_date"] <= call.tx.now < each["end_date"] for each in made):
        raise refused("You must keep the phase that is going on.", param="phases")
    return made


def _said_again(subscription: Object, asked: Object, at: str) -> Object:
    """Trial and discounts stay what the subscription has; a phase may say them again but not change them."""
    fields: Object = {}
    if "trial_end" in asked:
        if str(asked["trial_end"]) != str(subscription["trial_end"]):
            raise not_built(f"Another {at}[trial_end] than the subscription's")
        fields["trial_end"] = subscription["trial_end"]
    if asked.get("discounts"):
        named = [each.get("discount") for each in asked["discounts"]]
        if named != subscription["discounts"]:
            raise not_built(f"Other {at}[discounts] than the subscription's")
        fields["discounts"] = [{"coupon": None, "discount": each, "promotion_code": None} for each in named]
    return fields


def _end(asked: Object, start: int, at: str) -> int:
    if ("end_date" in asked) == ("duration" in asked):
        raise refused("Each phase needs either `end_date` or `duration`.", code="parameter_missing", param=at)
    if "duration" in asked:
        return later(start, asked["duration"]["interval"], asked["duration"].get("interval_count", 1))
    end = int(asked["end_date"])
    if end <= start:
        raise refused("A phase must end after it starts.", param=f"{at}[end_date]")
    return end


def _items(call: Call, asked: Object, at: str) -> list[Object]:
    items = []
    for place, each in enumerate(asked["items"]):
        where = f"{at}[items][{place}][price]"
        if "price" not in each:
            raise Fault(400, "invalid_request_error", f"Missing required param: {where}.", code="parameter_missing")
        price = call.tx.get("price", each["price"], where)
        if not price["recurring"]:
            raise refused("This field only accepts recurring prices.", param=where)
        items.append(schedules.phase_item(price["id"], each.get("quantity", 1)))
    return items


ENDPOINTS: Endpoints = {
    ("post", "/v1/subscription_schedules"): create,
    ("get", "/v1/subscription_schedules"): index,
    ("get", "/v1/subscription_schedules/{schedule}"): retrieve,
    ("post", "/v1/subscription_schedules/{schedule}"): update,
    ("post", "/v1/subscription_schedules/{schedule}/release"): release,
    ("post", "/v1/subscription_schedules/{schedule}/cancel"): cancel,
}
