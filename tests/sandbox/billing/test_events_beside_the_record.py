"""Events of subscriptions beside the recorded ones that the adapter is tested with: nothing those have is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.billing.conftest import START, at

RECORDED = Path(__file__).parents[2] / "providers" / "payloads" / "stripe"
NAMES = [
    "checkout.session.completed.subscription",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated.upgraded",
    "invoice.paid.subscription_update",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.upcoming",
    "invoice.voided",
    "subscription_schedule.released",
    "subscription_schedule.updated",
]
DECEMBER = at(2026, 12, 1)


@pytest.fixture
def told(api: Any, ada: Any, card: Any, *, pro: Any, prices: Any, bad_card: Any, desk: Any) -> dict[str, Any]:
    """One event of each kind, from a month in which everything happened."""
    lines = {"line_items": [{"price": prices["Pro month"]}], "success_url": "http://shop.example/"}
    session = api.checkout.sessions.create({"mode": "subscription", "customer": ada.id, **lines})
    desk.post(session.url, method="4242424242424242")
    trial = {"items": [{"price": prices["Pro month"]}], "trial_end": START + 5 * 86400}
    api.subscriptions.create({"customer": ada.id, **trial})
    item = {"id": pro["items"].data[0].id, "price": prices["Growth month"]}
    wish = {"items": [item], "proration_behavior": "always_invoice", "payment_behavior": "pending_if_incomplete"}
    bad_card(pro, "pm_card_authenticationRequired")
    first = api.subscriptions.update(pro.id, wish)
    api.invoices.void_invoice(first.latest_invoice)
    second = api.subscriptions.update(pro.id, wish)
    api.invoices.pay(second.latest_invoice, {"payment_method": card()})
    schedule = api.subscription_schedules.create({"from_subscription": pro.id})
    api.subscription_schedules.update(schedule.id, {"metadata": {"change": "1"}})
    api.subscription_schedules.release(schedule.id)
    desk.to(DECEMBER)
    api.subscriptions.cancel(pro.id)
    return {event["type"]: event for event in desk.news()}


def test_every_field_of_the_record_is_there(told):
    missing = {}
    for name in NAMES:
        recorded = json.loads((RECORDED / f"{name}.json").read_text())
        ours = told[recorded["type"]]["data"]["object"]
        gone = sorted(_paths(recorded["data"]["object"]) - _paths(ours))
        if gone:
            missing[name] = gone

    assert missing == {}


def _paths(body: dict[str, Any]) -> set[str]:
    """Fields, and those of the first line or item within."""
    inner = body.get("items") or body.get("lines") or {"data": []}
    first = inner["data"][0] if inner["data"] else {}
    return {*body, *(f"[].{name}" for name in first)}
