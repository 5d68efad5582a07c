"""Every Polar event we have a sample of, in our words. The samples are synthetic, in the pinned version's shapes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.money import Money
from app.providers import registry
from app.providers.errors import BadPayload
from app.providers.events import InvoiceChanged, PaymentSucceeded, SubscriptionChanged
from app.providers.polar.feed import POLLED_DISPUTE
from tests.support.channels import every_channel

SAMPLES = Path(__file__).parent / "payloads" / "polar"
ADAPTER = registry.build(every_channel())["polar"]
TOPUP, FIRST, SECOND = (
    "0c2f6d4b-6b57-4a5e-9b57-5b0d3f5f7c10",
    "57107b74-8400-4d80-a2fc-54c2b4239cb3",
    "57107b74-8400-4d80-a2fc-54c2b4239cb4",
)
PAGE, REFUND = "3b3a1f0e-6a66-4a3f-9a2c-9f3b0c1d2e4f", "b4f4ad2e-9f0b-4b68-a4b0-1f9b7b5d6c7a"

# The sample, and what it becomes: the kind of each event, with the words that matter.
EXPECTED: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "checkout.created": [("Ignored", {})],
    "checkout.expired": [("CheckoutExpired", {"session_id": PAGE, "order_id": "chk_10"})],
    "checkout.updated": [("CheckoutCompleted", {"order_id": "chk_10"})],
    "order.created": [("Ignored", {})],
    "order.paid.renewal": [("InvoiceChanged", {"invoice_id": SECOND, "hint": "paid", "payment_id": SECOND})],
    "order.paid.subscription": [("InvoiceChanged", {"invoice_id": FIRST, "hint": "paid"})],
    "order.paid.topup": [
        (
            "PaymentSucceeded",
            {"payment_id": TOPUP, "order_id": "chk_10", "net": Money(5000, "usd"), "tax": 0, "invoice_id": TOPUP},
        ),
        ("InvoiceChanged", {"invoice_id": TOPUP, "hint": "paid"}),
    ],
    "order.refunded": [("InvoiceChanged", {"invoice_id": TOPUP, "hint": "credited"})],
    "refund.created": [
        (
            "RefundChanged",
            {
                "refund_id": REFUND,
                "payment_id": TOPUP,
                "status": "pending",
                "amount": Money(5000, "usd"),
                "cumulative": None,
                "our_refund_id": "5",
            },
        )
    ],
    "refund.created.dispute_prevention": [
        ("RefundChanged", {"status": "succeeded", "amount": Money(5000, "usd")}),
        ("DisputeChanged", {"phase": "prevented", "payment_id": TOPUP}),
    ],
    "refund.updated": [("RefundChanged", {"status": "succeeded"})],
    "subscription.active": [("SubscriptionChanged", {"hint": "activated"})],
    "subscription.canceled": [("SubscriptionChanged", {"hint": "cancel_scheduled"})],
    "subscription.created": [("SubscriptionChanged", {"hint": "created"})],
    "subscription.cycled": [("SubscriptionChanged", {"hint": "renewed"})],
    "subscription.past_due": [("SubscriptionChanged", {"hint": "past_due"})],
    "subscription.revoked": [("SubscriptionChanged", {"hint": "ended"})],
    "subscription.uncanceled": [("SubscriptionChanged", {"hint": "uncanceled"})],
    "subscription.updated.pending_downgrade": [("SubscriptionChanged", {"hint": "updated"})],
    "subscription.updated.upgraded": [("SubscriptionChanged", {"hint": "updated"})],
}
# What the state of a subscription is, by the sample.
STATES: dict[str, dict[str, Any]] = {
    "subscription.active": {"status": "active", "cancel_at_period_end": False, "pending": None},
    "subscription.canceled": {"status": "active", "cancel_at_period_end": True, "cancel_reason": "too_expensive"},
    "subscription.created": {"status": "incomplete"},
    "subscription.cycled": {"period_start": datetime(2026, 12, 1, tzinfo=UTC)},
    "subscription.past_due": {"status": "past_due"},
    "subscription.revoked": {"status": "canceled", "ended_at": datetime(2026, 12, 1, tzinfo=UTC)},
    "subscription.uncanceled": {"cancel_at_period_end": False, "cancel_at": None},
    "subscription.updated.upgraded": {"provider_price_id": "5a7b2c1e-9a0f-4d55-8f10-0d4d7f3a6b11", "pending": None},
}


def normalized(name: str) -> list[Any]:
    return list(ADAPTER.normalize((SAMPLES / f"{name}.json").read_bytes()))


def changed(name: str, **data: Any) -> bytes:
    event = json.loads((SAMPLES / f"{name}.json").read_text())
    event["data"] |= data
    return json.dumps(event).encode()


def test_every_sample_is_expected_here() -> None:
    assert {path.name.removesuffix(".json") for path in SAMPLES.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_says_what_is_expected(name: str) -> None:
    told = normalized(name)

    assert [type(event).__name__ for event in told] == [kind for kind, _ in EXPECTED[name]]
    for event, (_, words) in zip(told, EXPECTED[name], strict=True):
        assert {word: getattr(event, word) for word in words} == words
        assert event.occurred_at == datetime(2026, 11, 16, 0, 0, 0, 123456, tzinfo=UTC)
        assert event.livemode is False


@pytest.mark.parametrize("name", STATES)
def test_a_subscription_is_told_whole(name: str) -> None:
    [told] = normalized(name)

    assert isinstance(told, SubscriptionChanged)
    state: Any = told.state
    assert {word: getattr(state, word) for word in STATES[name]} == STATES[name]
    assert state.metadata == {"intent_id": "chk_9"}
    assert state.version == told.occurred_at


def test_a_downgrade_waits_for_the_periods_end() -> None:
    [told] = normalized("subscription.updated.pending_downgrade")

    assert told.state.pending.provider_price_id == "d8dd2de1-21b7-4a41-8bc3-ce909c0cfe23"
    assert told.state.pending.at == datetime(2026, 12, 1, tzinfo=UTC)


def test_an_order_is_an_invoice_with_its_items_its_tax_and_its_buyer() -> None:
    [told] = normalized("order.paid.subscription")

    doc: Any = told.invoice
    assert (doc.status, doc.reason, doc.number) == ("paid", "subscription_create", "ACME-0001")
    assert (doc.subtotal, doc.tax, doc.total, doc.amount_paid, doc.amount_remaining) == (2900, 261, 3161, 3161, 0)
    [line] = doc.lines
    assert (line.description, line.amount, line.tax) == ("Pro", 2900, 261)
    assert (line.period_start, line.period_end) == (
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC),
    )
    assert (doc.buyer.name, doc.buyer.country, doc.buyer.email) == ("Acme Pte Ltd", "SG", "billing@acme.example")
    assert [tax.amount for tax in doc.taxes] == [261]


@pytest.mark.parametrize(
    ("status", "phase"),
    [("needs_response", "open"), ("lost", "lost"), ("won", "won"), ("prevented", "prevented")],
)
def test_a_dispute_that_was_asked_for_is_told_like_any_other(status: str, phase: str) -> None:
    dispute = json.loads((SAMPLES / "objects" / f"dispute.{status}.json").read_text())
    body = json.dumps({"type": POLLED_DISPUTE, "timestamp": "2026-11-20T00:00:00Z", "data": dispute}).encode()

    [told] = ADAPTER.normalize(body)

    assert (told.phase, told.payment_id, told.amount) == (phase, TOPUP, Money(5000, "usd"))  # type: ignore[union-attr]
    assert (told.due_by is not None) is (status == "needs_response")  # type: ignore[union-attr]


def test_tax_is_on_top_of_what_is_credited() -> None:
    paid, _ = ADAPTER.normalize(changed("order.paid.topup", tax_amount=450, total_amount=5450))

    assert isinstance(paid, PaymentSucceeded)
    assert (paid.net, paid.tax) == (Money(5000, "usd"), 450)


def test_what_was_bought_elsewhere_in_the_organization_is_left_alone() -> None:
    told = [
        *ADAPTER.normalize(changed("order.paid.topup", metadata={})),
        *ADAPTER.normalize(changed("order.refunded", metadata={})),
    ]

    assert {type(event).__name__ for event in told} == {"Ignored"}


def test_a_payment_that_is_not_made_is_none() -> None:
    for event in (changed("order.paid.topup", paid=False), changed("checkout.updated", status="confirmed")):
        assert [type(each).__name__ for each in ADAPTER.normalize(event)] == ["Ignored"]
    [failed] = ADAPTER.normalize(changed("checkout.updated", status="failed"))
    assert type(failed).__name__ == "PaymentFailed"


def test_a_state_nobody_knows_yet_grants_nothing() -> None:
    [told] = ADAPTER.normalize(changed("subscription.active", status="hibernating"))

    assert isinstance(told, SubscriptionChanged)
    assert told.state is not None
    assert told.state.status == "incomplete"


@pytest.mark.parametrize(
    "wrong", [{"net_amount": "5000"}, {"net_amount": -1}, {"tax_amount": True}, {"currency": None}, {"items": None}]
)
def test_an_amount_that_is_none_is_a_bad_payload(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadPayload):
        ADAPTER.normalize(changed("order.paid.topup", **wrong))


@pytest.mark.parametrize("when", [None, 1_793_491_800, "yesterday", "2026-11-16", "2026-11-16T00:00:00"])
def test_an_event_without_its_time_is_a_bad_payload(when: Any) -> None:
    event = json.loads((SAMPLES / "order.paid.topup.json").read_text()) | {"timestamp": when}

    with pytest.raises(BadPayload):
        ADAPTER.normalize(json.dumps(event).encode())


@pytest.mark.parametrize(
    ("begun", "made", "start", "end"),
    [
        ("2026-01-31", "2026-02-28", "2026-02-28", "2026-03-31"),
        ("2026-01-31", "2026-03-30", "2026-02-28", "2026-03-31"),
        ("2026-11-01", "2026-12-15", "2026-12-01", "2027-01-01"),
    ],
)
def test_an_order_of_an_earlier_period_names_that_period(begun: str, made: str, start: str, end: str) -> None:
    order = json.loads((SAMPLES / "order.paid.renewal.json").read_text())["data"]
    sub = order["subscription"] | {"started_at": f"{begun}T00:00:00Z", "current_period_start": "2027-03-31T00:00:00Z"}

    [told] = ADAPTER.normalize(changed("order.paid.renewal", created_at=f"{made}T00:00:05Z", subscription=sub))

    assert isinstance(told, InvoiceChanged)
    assert told.invoice is not None
    line = told.invoice.lines[0]
    assert [str(when)[:10] for when in (line.period_start, line.period_end)] == [start, end]
