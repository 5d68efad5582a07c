"""Every Stripe event we have a sample of, in our words. The samples are synthetic, in the pinned version's shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app import clock as the_clock
from app.money import Money
from app.providers.errors import BadPayload
from app.providers.events import PaymentFailed, PaymentSucceeded, SubscriptionChanged
from app.sandbox.spec import pinned
from tests.support.fake_provider import SECRET
from tests.support.payments import stripe_adapter

SAMPLES = Path(__file__).parent / "payloads" / "stripe"

# The sample, and what it becomes: the kind of each event, with the words that matter.
EXPECTED: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "charge.dispute.closed.lost": [("DisputeChanged", {"phase": "lost", "payment_id": "pi_3STopup42"})],
    "charge.dispute.closed.won": [("DisputeChanged", {"phase": "won"})],
    "charge.dispute.created": [("DisputeChanged", {"phase": "open", "amount": Money(5000, "usd")})],
    "charge.dispute.created.inquiry": [("DisputeChanged", {"phase": "inquiry"})],
    "charge.dispute.funds_reinstated": [("DisputeChanged", {"phase": "funds_reinstated"})],
    "charge.dispute.funds_withdrawn": [("DisputeChanged", {"phase": "funds_withdrawn"})],
    "charge.refunded": [("Ignored", {})],
    "checkout.session.async_payment_failed": [("PaymentFailed", {"order_id": "chk_12", "payment_id": "pi_3STopup43"})],
    "checkout.session.async_payment_succeeded": [("PaymentSucceeded", {"net": Money(100_000, "usd")})],
    "charge.succeeded": [("PaidByCard", {"payment_id": "pi_3STopup42", "last4": "4242", "brand": "visa"})],
    "checkout.session.completed.setup": [("CheckoutCompleted", {"order_id": "chk_11"})],
    "checkout.session.completed.subscription": [("CheckoutCompleted", {})],
    "checkout.session.completed.topup": [
        ("CheckoutCompleted", {"order_id": "chk_10"}),
        ("PaymentSucceeded", {"order_id": "chk_10", "net": Money(5000, "usd"), "invoice_id": "in_1STop42"}),
    ],
    "checkout.session.completed.topup_unpaid_async": [("CheckoutCompleted", {"order_id": "chk_12"})],
    "checkout.session.expired": [("CheckoutExpired", {"session_id": "cs_test_a1Exp42", "order_id": "chk_13"})],
    "customer.subscription.created": [("SubscriptionChanged", {"hint": "created"})],
    "customer.subscription.deleted": [("SubscriptionChanged", {"hint": "ended"})],
    "customer.subscription.pending_update_applied": [("SubscriptionChanged", {"hint": "pending_applied"})],
    "customer.subscription.pending_update_expired": [("SubscriptionChanged", {"hint": "pending_expired"})],
    "customer.subscription.trial_will_end": [("SubscriptionChanged", {"hint": "trial_ending"})],
    "customer.subscription.updated.activated": [("SubscriptionChanged", {"hint": "activated"})],
    "customer.subscription.updated.cancel_scheduled": [("SubscriptionChanged", {"hint": "cancel_scheduled"})],
    "customer.subscription.updated.past_due": [("SubscriptionChanged", {"hint": "past_due"})],
    "customer.subscription.updated.pending_update": [("SubscriptionChanged", {"hint": "updated"})],
    "customer.subscription.updated.renewed": [("SubscriptionChanged", {"hint": "renewed"})],
    "customer.subscription.updated.upgraded": [("SubscriptionChanged", {"hint": "updated"})],
    "customer.updated": [("CardChanged", {"hint": "default_changed", "card_id": "pm_1SVisa4242org42"})],
    "invoice.finalized": [("InvoiceChanged", {"hint": "finalized"})],
    "invoice.paid.subscription_create": [("InvoiceChanged", {"hint": "paid", "invoice_id": "in_1SFirst42"})],
    "invoice.paid.subscription_cycle": [("InvoiceChanged", {"hint": "paid"})],
    "invoice.paid.subscription_update": [("InvoiceChanged", {"hint": "paid", "invoice_id": "in_1SUp42"})],
    "invoice.payment_action_required": [("InvoiceChanged", {"hint": "action_required"})],
    "invoice.payment_failed": [("InvoiceChanged", {"hint": "failed"})],
    "invoice.upcoming": [("InvoiceChanged", {"hint": "upcoming"})],
    "invoice.voided": [("InvoiceChanged", {"hint": "voided"})],
    "invoice_payment.paid": [("InvoiceChanged", {"hint": "linked", "payment_id": "pi_3SFirst42", "invoice": None})],
    "payment_intent.payment_failed": [("PaymentFailed", {"order_id": "atp_4", "code": "insufficient_funds"})],
    "payment_intent.requires_action": [("Ignored", {})],
    "payment_intent.succeeded.off_session": [("PaymentSucceeded", {"tax": 0})],
    "payment_intent.succeeded.topup": [("Ignored", {})],
    "payment_method.attached": [("CardChanged", {"hint": "attached", "customer_id": "cus_TQ7m0org42"})],
    "payment_method.automatically_updated": [("CardChanged", {"hint": "updated"})],
    "payment_method.detached": [("CardChanged", {"hint": "detached", "customer_id": "cus_TQ7m0org42"})],
    "radar.early_fraud_warning.created": [("Ignored", {})],
    "refund.created": [("RefundChanged", {"payment_id": "pi_3STopup42", "status": "succeeded"})],
    "refund.failed": [("RefundChanged", {"status": "failed", "failure": "expired_or_canceled_card"})],
    "refund.updated": [("RefundChanged", {})],
    "setup_intent.setup_failed": [("CardChanged", {"hint": "setup_failed", "card_id": None})],
    "setup_intent.succeeded": [("CardChanged", {"hint": "setup_succeeded", "card_id": "pm_1SVisa4242org42"})],
    "subscription_schedule.released": [("SubscriptionChanged", {"state": None})],
    "subscription_schedule.updated": [("SubscriptionChanged", {"state": None})],
}


def sample(name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())


def read(event: dict[str, Any]) -> list[Any]:
    return list(stripe_adapter().normalize(json.dumps(event).encode()))


def test_every_sample_is_expected() -> None:
    assert {file.stem for file in SAMPLES.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_sample_says_what_it_means(name: str) -> None:
    told = stripe_adapter().normalize((SAMPLES / f"{name}.json").read_bytes())

    assert [type(each).__name__ for each in told] == [kind for kind, _ in EXPECTED[name]]
    for each, (_, words) in zip(told, EXPECTED[name], strict=True):
        assert {word: getattr(each, word) for word in words} == words
        assert (each.event_id, each.raw_type) == (sample(name)["id"], sample(name)["type"])
        assert not each.livemode


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_sample_is_verified_when_the_sdk_signs_it_and_has_stripes_shape(name: str) -> None:
    import stripe

    body = (SAMPLES / f"{name}.json").read_bytes()
    now = int(the_clock.real_now().timestamp())
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), SECRET, timestamp=now)

    verified = stripe_adapter().verify(body, {"Stripe-Signature": header})

    assert verified.event_id == sample(name)["id"]
    assert verified.api_version == stripe.api_version == pinned().version
    assert not pinned().event(json.loads(body))


def test_tax_is_not_credited() -> None:
    event = sample("checkout.session.completed.topup")
    event["data"]["object"] |= {"amount_total": 5450, "total_details": {"amount_tax": 450, "amount_discount": 0}}

    (paid,) = [each for each in read(event) if isinstance(each, PaymentSucceeded)]

    assert (paid.net, paid.tax) == (Money(5000, "usd"), 450)


def test_a_discount_lowers_what_arrived_so_that_it_cannot_pass_for_the_order() -> None:
    event = sample("checkout.session.completed.topup")
    event["data"]["object"] |= {"amount_total": 4000, "total_details": {"amount_tax": 0, "amount_discount": 1000}}

    (paid,) = [each for each in read(event) if isinstance(each, PaymentSucceeded)]

    assert paid.net == Money(4000, "usd")


def test_a_session_of_a_subscription_is_never_a_top_up() -> None:
    event = sample("checkout.session.completed.topup")
    event["data"]["object"]["mode"] = "subscription"

    assert not [each for each in read(event) if isinstance(each, PaymentSucceeded)]


def test_a_payment_method_may_be_expanded() -> None:
    event = sample("checkout.session.async_payment_failed")
    event["data"]["object"]["payment_intent"] = {"id": "pi_9", "last_payment_error": {"message": "Account closed."}}

    (failed,) = read(event)

    assert isinstance(failed, PaymentFailed)
    assert (failed.payment_id, failed.message) == ("pi_9", "Account closed.")


def test_a_subscription_is_a_whole_snapshot() -> None:
    (changed,) = read(sample("customer.subscription.updated.pending_update"))

    assert isinstance(changed, SubscriptionChanged)
    state = changed.state
    assert state is not None
    assert (state.status, state.provider_price_id) == ("active", "price_1SProMonthUsd2900")
    assert state.pending is not None
    assert (state.pending.provider_price_id, state.pending.at) == ("price_1SGrowthMonthUsd9900", None)
    assert state.period_start is not None
    assert state.period_end is not None
    assert state.version == changed.occurred_at


def test_an_invoice_is_a_whole_snapshot() -> None:
    (changed,) = read(sample("invoice.paid.subscription_update"))

    invoice = changed.invoice
    assert (invoice.subtotal, invoice.tax, invoice.total, invoice.amount_paid) == (3500, 315, 3815, 3815)
    assert [(line.amount, line.tax, line.proration) for line in invoice.lines] == [
        (-1450, -131, True),
        (4950, 446, True),
    ]
    assert sum(line.amount for line in invoice.lines) == invoice.subtotal
    assert invoice.complete


@pytest.mark.parametrize("status", ["something_new", "incomplete_expired"])
def test_a_status_stripe_invents_grants_nothing(status: str) -> None:
    event = sample("customer.subscription.created")
    event["data"]["object"]["status"] = status

    (changed,) = read(event)

    assert changed.state.status in ("incomplete", "canceled")


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"charge.refunded", "radar.early_fraud_warning.created"}))
def test_an_event_with_an_empty_object_is_never_money_and_no_fault(name: str) -> None:
    event = sample(name)
    event["data"]["object"] = {"id": "x"}
    try:
        told = read(event)
    except BadPayload:
        return
    assert not [each for each in told if isinstance(each, PaymentSucceeded | PaymentFailed)]


@pytest.mark.parametrize("amount", [-1, None, "5000", True, 50.0, [5000]])
def test_an_amount_that_is_none_is_a_bad_payload(amount: object) -> None:
    event = sample("checkout.session.completed.topup")
    event["data"]["object"]["amount_total"] = amount

    with pytest.raises(BadPayload):
        read(event)
