"""What a Stripe subscription has agreed to and not yet become: schedules for the period's end, updates not paid for."""

from __future__ import annotations

from app.providers.errors import InvalidRequest
from app.providers.stripe import reading
from app.providers.stripe.body import id_of
from app.providers.stripe.connection import Connection, Json
from app.providers.values import PlanRef


def clear(stripe: Connection, subscription_id: str, *, key: str) -> Json:
    """Drop both kinds; the subscription in Stripe's words after it. Doing it again does no harm."""
    sub = reading.fetch_raw(stripe, subscription_id)
    schedule, unpaid = id_of(sub.get("schedule")), sub.get("pending_update")
    if schedule:
        release(stripe, schedule, key=key)
    if unpaid and sub.get("latest_invoice"):
        void(stripe, str(id_of(sub["latest_invoice"])), key=key)
    return reading.fetch_raw(stripe, subscription_id) if schedule or unpaid else sub


def release(stripe: Connection, schedule_id: str, *, key: str) -> None:
    """The subscription goes on by itself, as it is now."""
    options = {"idempotency_key": f"{key}:release:{schedule_id}"}
    stripe.call(lambda v1: v1.subscription_schedules.release(schedule_id, {}, options))


def void(stripe: Connection, invoice_id: str, *, key: str) -> Json:
    """The invoice, void: an update that waited for its payment lapses with it. Or paid, if the customer was faster."""
    invoice = stripe.call(lambda v1: v1.invoices.retrieve(invoice_id))
    if invoice["status"] in ("void", "paid"):
        return invoice
    options = {"idempotency_key": f"{key}:void:{invoice_id}"}
    try:
        return stripe.call(lambda v1: v1.invoices.void_invoice(invoice_id, {}, options))
    except InvalidRequest:
        invoice = stripe.call(lambda v1: v1.invoices.retrieve(invoice_id))
        if invoice["status"] not in ("void", "paid"):
            raise
        return invoice


def schedule(stripe: Connection, sub: Json, to: PlanRef, *, key: str) -> None:
    """Have `to` begin when the current period ends.

    Two calls: the schedule is made as a mirror of the subscription, then gets its second phase. Between them it
    changes nothing, and a second try finds it on the subscription.
    """
    known = sub.get("schedule") or _mirror(stripe, sub["id"], key=key)
    now = _current_phase(known)
    kept = _kept(now)
    wanted = {
        "end_behavior": "release",
        "proration_behavior": "none",
        "metadata": {"change": key},
        "phases": [
            {
                **kept,
                "items": [_item(each) for each in sub["items"]["data"]],
                "start_date": now["start_date"],
                "end_date": now["end_date"],
                "trial_end": now.get("trial_end"),
                "proration_behavior": "none",
            },
            {
                **kept,
                "items": [{"price": to.provider_price_id, "quantity": 1}],
                "duration": {"interval": to.interval, "interval_count": 1},
                "proration_behavior": "none",
            },
        ],
    }
    options = {"idempotency_key": f"{key}:update:{known['id']}"}
    stripe.call(lambda v1: v1.subscription_schedules.update(known["id"], wanted, options))


def _mirror(stripe: Connection, subscription_id: str, *, key: str) -> Json:
    wanted = {"from_subscription": subscription_id}  # Stripe takes nothing else beside it
    return stripe.call(lambda v1: v1.subscription_schedules.create(wanted, {"idempotency_key": f"{key}:create"}))


def _item(item: Json) -> Json:
    return {"price": item["price"]["id"], "quantity": item.get("quantity") or 1}


def _current_phase(known: Json) -> Json:
    """The phase that runs now. Raises InvalidRequest for a schedule in which none does."""
    begins = (known.get("current_phase") or {}).get("start_date")
    phases: list[Json] = known["phases"]
    found = next((phase for phase in phases if phase["start_date"] == begins), None)
    if found is None:
        raise InvalidRequest("The subscription's schedule is not running.", code="schedule_not_running")
    return found


def _kept(phase: Json) -> Json:
    """What holds on in the next phase: a discount runs for as long as it was given for, whatever the plan."""
    named = [_discount(each) for each in phase.get("discounts") or []]
    return {"discounts": named} if named else {}


def _discount(each: Json) -> Json:
    name = next(kind for kind in ("discount", "promotion_code", "coupon") if each.get(kind))
    return {name: id_of(each[name])}
