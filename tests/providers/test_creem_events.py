"""Every Creem event we have a sample of, in our words. The samples are synthetic, in real shapes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app import clock as the_clock
from app.money import Money
from app.providers import registry, standard_webhooks
from app.providers.errors import BadPayload, BadSignature
from tests.support.channels import CHANNELS, every_channel

SAMPLES = Path(__file__).parent / "payloads" / "creem"
ADAPTER = registry.build(every_channel())["creem"]
SUB = "sub_6pCAcme42"

# The sample, and what it becomes: the kind of each event, with the words that matter.
EXPECTED: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "checkout.completed.subscription": [("CheckoutCompleted", {"order_id": "chk_9"})],
    "checkout.completed.topup": [
        ("CheckoutCompleted", {"order_id": "chk_10"}),
        (
            "PaymentSucceeded",
            {"payment_id": "tran_5yAcmeT", "order_id": "chk_10", "net": Money(5000, "usd"), "tax": 0},
        ),
    ],
    "dispute.created": [
        ("DisputeChanged", {"phase": "open", "payment_id": "tran_5yAcmeT", "amount": Money(5000, "usd")})
    ],
    "refund.created": [
        (
            "RefundChanged",
            {"refund_id": "ref_3DAcme1", "payment_id": "tran_5yAcmeT", "status": "succeeded", "our_refund_id": None},
        )
    ],
    "subscription.active": [("SubscriptionChanged", {"hint": "activated"})],
    "subscription.canceled": [("SubscriptionChanged", {"hint": "ended"})],
    "subscription.expired": [("SubscriptionChanged", {"hint": "past_due"})],
    "subscription.paid": [
        ("SubscriptionChanged", {"hint": "renewed"}),
        ("InvoiceChanged", {"invoice_id": "tran_5yAcme1", "hint": "paid"}),
    ],
    "subscription.paid.renewal": [
        ("SubscriptionChanged", {"hint": "renewed"}),
        ("InvoiceChanged", {"invoice_id": "tran_5yAcme2", "hint": "paid"}),
    ],
    "subscription.past_due": [("SubscriptionChanged", {"hint": "past_due"})],
    "subscription.paused": [("SubscriptionChanged", {"hint": "paused"})],
    "subscription.scheduled_cancel": [("SubscriptionChanged", {"hint": "cancel_scheduled"})],
    "subscription.trialing": [("SubscriptionChanged", {"hint": "updated"})],
    "subscription.unpaid": [("SubscriptionChanged", {"hint": "past_due"})],
    "subscription.update": [("SubscriptionChanged", {"hint": "updated"})],
}
STATES: dict[str, dict[str, Any]] = {
    "subscription.active": {"status": "active", "latest_invoice_id": "tran_5yAcme1", "provider_price_id": "prod_Pro42"},
    "subscription.canceled": {"status": "canceled", "ended_at": datetime(2026, 12, 1, tzinfo=UTC)},
    "subscription.expired": {"status": "past_due", "ended_at": None},
    "subscription.past_due": {"status": "past_due", "period_start": datetime(2026, 12, 1, tzinfo=UTC)},
    "subscription.paused": {"status": "paused"},
    "subscription.paid.renewal": {"period_start": datetime(2026, 12, 1, tzinfo=UTC)},
    "subscription.scheduled_cancel": {
        "status": "active",
        "cancel_at_period_end": True,
        "cancel_at": datetime(2026, 12, 1, tzinfo=UTC),
    },
    "subscription.trialing": {"status": "trialing"},
    "subscription.unpaid": {"status": "unpaid"},
    "subscription.update": {"provider_price_id": "prod_Growth42"},
}


def sample(name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return told


def normalized(told: dict[str, Any]) -> list[Any]:
    return list(ADAPTER.normalize(json.dumps(told).encode()))


def test_every_sample_is_expected_here() -> None:
    assert {path.name.removesuffix(".json") for path in SAMPLES.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_sample_says_what_is_expected(name: str) -> None:
    told = normalized(sample(name))

    assert [type(event).__name__ for event in told] == [kind for kind, _ in EXPECTED[name]]
    for event, (_, words) in zip(told, EXPECTED[name], strict=True):
        assert {word: getattr(event, word) for word in words} == words
        assert (event.livemode, event.event_id) == (False, sample(name)["id"])


@pytest.mark.parametrize("name", STATES)
def test_a_subscription_is_told_whole(name: str) -> None:
    told = normalized(sample(name))[0]

    assert {word: getattr(told.state, word) for word in STATES[name]} == STATES[name]
    assert (told.subscription_id, told.state.metadata["intent_id"]) == (SUB, "chk_9")


def test_the_other_way_of_writing_an_event_says_the_same() -> None:
    told = sample("checkout.completed.topup")
    other = {"id": told["id"], "type": told["eventType"], "created_at": told["created_at"], "data": told["object"]}

    assert normalized(other) == normalized(told)


def test_what_is_an_object_here_is_an_id_there() -> None:
    told = sample("subscription.update")
    told["object"] |= {"product": "prod_Growth42", "customer": "cust_1OcAcme42"}

    assert normalized(told)[0].state.provider_price_id == "prod_Growth42"


@pytest.mark.parametrize(("mode", "net", "tax"), [("exclusive", 5000, 450), ("inclusive", 5450, 0)])
def test_tax_counts_as_the_product_says(mode: str, net: int, tax: int) -> None:
    told = sample("checkout.completed.topup")
    told["object"]["order"] |= {"tax_amount": 450, "amount_paid": 5450}
    told["object"]["product"]["tax_mode"] = mode

    paid = normalized(told)[1]

    assert (paid.net, paid.tax) == (Money(net, "usd"), tax)


def test_another_product_that_names_our_order_is_told_by_its_name() -> None:
    told = sample("checkout.completed.topup")
    assert normalized(told)[1].product_id is None

    told["object"]["product"]["id"] = "prod_Book"

    assert normalized(told)[1].product_id == "prod_Book"


def test_a_code_typed_on_the_page_is_told_apart_from_what_was_paid() -> None:
    told = sample("checkout.completed.topup")
    told["object"]["order"] |= {"amount_paid": 4000, "discount_amount": 1000}

    paid = normalized(told)[1]

    assert (paid.net.minor, paid.discount) == (4000, 1000)


@pytest.mark.parametrize("mode", ["prod", "live"])
def test_live_is_live(mode: str) -> None:
    told = sample("subscription.active")
    told["object"]["mode"] = mode

    assert normalized(told)[0].livemode


@pytest.mark.parametrize("wrong", [{"amount_paid": "5000"}, {"amount_paid": -1}, {"tax_amount": True}, {"currency": 1}])
def test_an_amount_that_is_none_is_a_bad_payload(wrong: dict[str, Any]) -> None:
    told = sample("checkout.completed.topup")
    told["object"]["order"] |= wrong

    with pytest.raises(BadPayload):
        normalized(told)


@pytest.mark.parametrize("when", [None, -1, 10**17, "yesterday", 1.5, True])
def test_an_event_without_its_time_is_a_bad_payload(when: Any) -> None:
    with pytest.raises(BadPayload):
        normalized(sample("subscription.active") | {"created_at": when})


BODY = (SAMPLES / "subscription.active.json").read_bytes()
SECRET = CHANNELS["creem"].secret


@pytest.mark.parametrize("written", ["{}", "sha256={}"])
def test_its_own_header_is_accepted_with_and_without_a_prefix(written: str) -> None:
    signed = written.format(hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest())

    assert ADAPTER.verify(BODY, {"Creem-Signature": signed}).event_id == "evt_5WAcme0003"


def test_where_the_standard_headers_are_there_they_decide() -> None:
    """A standard signature that is old is not saved by the header that never is."""
    secret = "whsec_" + base64.b64encode(b"secret-secret-secret").decode()
    adapter = registry.build(replace(every_channel(), creem_webhook_secret=secret))["creem"]
    own = {"creem-signature": hmac.new(secret.encode(), BODY, hashlib.sha256).hexdigest()}
    now = int(the_clock.real_now().timestamp())

    def standard(at: int) -> dict[str, str]:
        signed = standard_webhooks.signature(BODY, standard_webhooks.keys_of(secret)[0], event_id="m", at=at)
        return {"webhook-id": "m", "webhook-timestamp": str(at), "webhook-signature": signed}

    assert adapter.verify(BODY, standard(now)).event_id == "evt_5WAcme0003"
    assert adapter.verify(BODY, own).event_id == "evt_5WAcme0003"
    for at in (now - 400, now + 400):
        with pytest.raises(BadSignature):
            adapter.verify(BODY, standard(at) | own)
