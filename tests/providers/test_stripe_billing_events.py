"""What Stripe's events about subscriptions, invoices and cards become: whole snapshots, or a wish to be asked again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.money import Money
from app.providers.events import (
    CardChanged,
    CheckoutCompleted,
    Ignored,
    InvoiceChanged,
    PaymentSucceeded,
    SubscriptionChanged,
)
from app.providers.values import DiscountRef, PlanRef
from tests.support.payments import stripe_adapter

SAMPLES = Path(__file__).parent / "payloads" / "stripe"


def sample(name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / f"{name}.json").read_bytes())


def read(event: dict[str, Any]) -> list[Any]:
    return list(stripe_adapter().normalize(json.dumps(event).encode()))


def test_a_finished_page_names_the_subscription_the_order_and_the_coupon() -> None:
    event = sample("checkout.session.completed.subscription")
    event["data"]["object"]["discounts"] = [{"coupon": "coup_1", "promotion_code": "promo_1"}]

    (done,) = read(event)

    assert isinstance(done, CheckoutCompleted)
    assert (done.order_id, done.session.subscription_id) == ("chk_9", "sub_1SPro42aB7WZ01zgk")
    assert done.session.discount == DiscountRef("coup_1", "promo_1")


def test_a_price_of_ours_says_which_plan_it_is() -> None:
    event = sample("customer.subscription.created")
    price = event["data"]["object"]["items"]["data"][0]["price"]
    price["metadata"] = {"plan": "pro", "version": "3"}

    (changed,) = read(event)

    assert changed.state.plan == PlanRef("pro", "month", Money(2900, "usd"), price["id"], 3)


@pytest.mark.parametrize("metadata", [{}, {"plan": "pro"}, {"plan": "pro", "version": "three"}])
def test_a_price_of_somebody_else_is_no_plan(metadata: dict[str, str]) -> None:
    event = sample("customer.subscription.created")
    event["data"]["object"]["items"]["data"][0]["price"]["metadata"] = metadata

    (changed,) = read(event)

    assert changed.state.plan is None


def test_a_subscription_under_a_schedule_must_be_asked_about() -> None:
    event = sample("customer.subscription.updated.renewed")
    event["data"]["object"]["schedule"] = "sub_sched_1"

    (changed,) = read(event)

    assert isinstance(changed, SubscriptionChanged)
    assert (changed.state, changed.hint) == (None, "renewed")


def test_a_cancellation_by_date_is_one_at_the_periods_end() -> None:
    event = sample("customer.subscription.updated.upgraded")
    sub = event["data"]["object"]
    sub["cancel_at"] = sub["items"]["data"][0]["current_period_end"]
    event["data"]["previous_attributes"] = {"cancel_at": None}

    (changed,) = read(event)

    assert (changed.hint, changed.state.cancel_at_period_end) == ("cancel_scheduled", True)


def test_an_update_that_waits_for_its_payment_is_pending_until_it_lapses() -> None:
    (changed,) = read(sample("customer.subscription.updated.pending_update"))

    pending = changed.state.pending
    assert pending.at is None
    assert pending.expires_at > changed.occurred_at
    assert pending.invoice_id == changed.state.latest_invoice_id


def test_the_payment_of_an_invoice_is_never_a_top_up() -> None:
    event = sample("payment_intent.succeeded.topup")
    event["data"]["object"]["metadata"] = {}

    (told,) = read(event)

    assert isinstance(told, Ignored)


def test_a_charge_of_ours_for_an_invoice_of_ours_is_told() -> None:
    event = sample("payment_intent.succeeded.off_session")
    event["data"]["object"]["metadata"] = {"intent_id": "ord_1", "kind": "invoice", "invoice_id": "inv_1"}

    (told,) = read(event)

    assert isinstance(told, PaymentSucceeded)
    assert (told.order_id, told.invoice_id) == ("ord_1", None)


def test_a_credit_note_asks_for_its_invoice_again() -> None:
    event = sample("invoice.paid.subscription_create")
    event |= {"type": "credit_note.created", "data": {"object": {"id": "cn_1", "invoice": "in_1"}}}

    (told,) = read(event)

    assert isinstance(told, InvoiceChanged)
    assert (told.invoice_id, told.invoice, told.hint) == ("in_1", None, "credited")


def test_a_card_saved_on_our_page_names_the_order() -> None:
    event = sample("setup_intent.succeeded")
    event["data"]["object"]["metadata"] = {"intent_id": "ord_1"}

    (told,) = read(event)

    assert isinstance(told, CardChanged)
    assert (told.order_id, told.hint) == ("ord_1", "setup_succeeded")


def test_an_invoice_says_who_bought_and_what_is_left_to_pay() -> None:
    (told,) = read(sample("invoice.payment_failed"))

    invoice = told.invoice
    assert (invoice.status, invoice.attempts > 0, invoice.amount_remaining) == ("open", True, invoice.amount_due)
    assert invoice.buyer.name == "Acme Pte Ltd"
    assert invoice.buyer.address[-1] == invoice.buyer.country == "SG"
    assert invoice.taxes[0].amount == invoice.tax
