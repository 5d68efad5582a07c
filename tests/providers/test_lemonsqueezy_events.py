"""What Lemon Squeezy's events say in our words: a table of samples, and bodies that are not what they seem."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.money import Money
from app.providers import registry
from app.providers.errors import BadPayload, BadSignature
from app.providers.events import (
    CheckoutCompleted,
    Event,
    Ignored,
    InvoiceChanged,
    PaymentFailed,
    PaymentSucceeded,
    RefundChanged,
    SubscriptionChanged,
)
from app.providers.lemonsqueezy.told import EVENTS
from tests.support.channels import CHANNELS, every_channel
from tests.support.tree import text

PAYLOADS = Path(__file__).parent / "payloads" / "lemonsqueezy"
SQUEEZY = registry.build(every_channel())["lemonsqueezy"]


def sub(hint: str, status: str, variant: str = "972634", ends: int | None = None) -> tuple[object, ...]:
    return SubscriptionChanged, hint, "1652021", status, variant, ends


def invoice(hint: str, status: str, reason: str, name: str = "5113999", credited: int = 0) -> tuple[object, ...]:
    return InvoiceChanged, hint, name, status, reason, 3161, credited


def back(payment: str, so_far: int) -> tuple[object, ...]:
    return RefundChanged, f"{payment}:{so_far}", payment, so_far


TABLE: dict[str, list[tuple[object, ...]]] = {
    "order_created.topup": [
        (CheckoutCompleted, "chk_10", True),
        (PaymentSucceeded, "chk_10", "orders/6859500", 5000, 0),
    ],
    "order_created.subscription": [(Ignored,)],
    "order_refunded.full": [back("orders/6859500", 5000)],
    "order_refunded.partial": [back("orders/6859500", 2000)],
    "subscription_created": [sub("created", "active")],
    "subscription_updated": [sub("updated", "active")],
    "subscription_updated.upgraded": [sub("updated", "active", "972700")],
    "subscription_plan_changed": [sub("updated", "active", "972700")],
    "subscription_cancelled": [sub("cancel_scheduled", "active", ends=12)],
    "subscription_resumed": [sub("uncanceled", "active")],
    "subscription_expired": [sub("ended", "canceled")],
    "subscription_payment_success.initial": [invoice("paid", "paid", "subscription_create", "5113387")],
    "subscription_payment_success.renewal": [invoice("paid", "paid", "subscription_cycle")],
    "subscription_payment_failed": [invoice("failed", "open", "subscription_cycle")],
    "subscription_payment_recovered": [invoice("paid", "paid", "subscription_cycle")],
    "subscription_payment_refunded": [
        invoice("credited", "refunded", "subscription_create", "5113387", 3161),
        back("subscription-invoices/5113387", 3161),
    ],
}


def facts(told: Any) -> tuple[object, ...]:
    """What the table speaks of."""
    kind = type(told)
    if kind is CheckoutCompleted:
        return kind, told.order_id, told.session.paid
    if kind is PaymentSucceeded:
        return kind, told.order_id, told.payment_id, told.net.minor, told.tax
    if kind is RefundChanged:
        assert told.amount == Money(told.cumulative, "usd")
        return kind, told.refund_id, told.payment_id, told.cumulative
    if kind is SubscriptionChanged:
        state = told.state
        ends = state.cancel_at.month if state.cancel_at_period_end else None
        return kind, told.hint, state.id, state.status, state.provider_price_id, ends
    if kind is InvoiceChanged:
        doc = told.invoice
        return kind, told.hint, doc.id, doc.status, doc.reason, doc.total, doc.credited
    return (kind,)


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text())
    return found


def read(event: Any) -> list[Event]:
    return list(SQUEEZY.normalize(json.dumps(event).encode()))


def test_the_table_is_of_every_sample() -> None:
    assert {file.stem for file in PAYLOADS.glob("*.json")} == set(TABLE)


@pytest.mark.parametrize("name", TABLE)
def test_a_sample_says(name: str) -> None:
    body = (PAYLOADS / f"{name}.json").read_bytes()

    verified = SQUEEZY.verify(body, CHANNELS["lemonsqueezy"].signed(body))
    told = SQUEEZY.normalize(body)

    assert [facts(each) for each in told] == TABLE[name]
    assert {each.event_id for each in told} == {verified.event_id}
    assert verified.livemode is False
    assert verified.occurred_at.tzinfo is UTC


def test_who_it_is_of_travels_with_what_the_page_was_given_to_carry() -> None:
    event = sample("subscription_created")
    event["meta"]["custom_data"] = {"customer_id": "cus_1", "intent_id": "ord_1"}

    (told,) = read(event)

    assert isinstance(told, SubscriptionChanged)
    assert told.state is not None
    assert (told.state.customer_id, told.state.metadata["intent_id"]) == ("cus_1", "ord_1")
    assert told.state.version == datetime(2026, 11, 1, 0, 0, 5, tzinfo=UTC)


def test_two_deliveries_of_one_event_share_its_id_and_two_events_do_not() -> None:
    first, again = sample("subscription_updated"), sample("subscription_updated")
    again["data"]["attributes"]["urls"]["customer_portal"] = "https://acme.example/billing?signature=1"
    other = sample("subscription_updated.upgraded")
    other["meta"]["webhook_id"] = first["meta"]["webhook_id"]  # should it name the endpoint after all

    assert read(first)[0].event_id == read(again)[0].event_id != read(other)[0].event_id


def test_without_an_id_the_bytes_tell_events_apart() -> None:
    event = sample("order_refunded.partial")
    del event["meta"]["webhook_id"]

    assert read(event)[0].event_id.startswith("sha256:")
    assert read(event)[0].event_id == read(event)[0].event_id


@pytest.mark.parametrize(("status", "kind"), [("pending", CheckoutCompleted), ("fraudulent", PaymentFailed)])
def test_only_paid_is_money(status: str, kind: type[Event]) -> None:
    event = sample("order_created.topup")
    event["data"]["attributes"]["status"] = status

    assert [type(told) for told in read(event)] == [kind]


def test_what_was_paid_and_has_gone_back_is_told_as_both() -> None:
    event = sample("order_refunded.full")
    event["meta"]["event_name"] = "order_created"

    assert [type(told) for told in read(event)] == [CheckoutCompleted, PaymentSucceeded, RefundChanged]


def test_a_code_that_made_it_cheaper_is_not_the_amount_asked_for() -> None:
    event = sample("order_created.topup")
    event["data"]["attributes"] |= {"discount_total": 4900, "total": 100}

    paid = next(told for told in read(event) if isinstance(told, PaymentSucceeded))

    assert paid.net == Money(100, "usd")


@pytest.mark.parametrize(
    "name", ["order_created.topup", "subscription_created", "subscription_payment_success.initial"]
)
def test_another_store_is_none_of_ours(name: str) -> None:
    event = sample(name)
    event["data"]["attributes"]["store_id"] = 217314

    assert [type(told) for told in read(event)] == [Ignored]


def test_what_is_of_no_use_is_ignored_and_says_why() -> None:
    event = sample("order_created.topup")
    event["meta"]["event_name"] = "license_key_created"

    (told,) = read(event)

    assert isinstance(told, Ignored)
    assert told.why


BROKEN: dict[str, Callable[[Any], object]] = {
    "no goods": lambda event: event["data"]["attributes"].pop("first_order_item"),
    "a negative tax": lambda event: event["data"]["attributes"].update(tax=-4000, total=1000),
    "text for an amount": lambda event: event["data"]["attributes"].update(total="5000"),
    "true for an amount": lambda event: event["data"]["attributes"].update(total=True),
    "a fraction of a cent": lambda event: event["data"]["attributes"].update(total=5000.5),
    "no currency": lambda event: event["data"]["attributes"].pop("currency"),
    "no time": lambda event: event["data"]["attributes"].update(updated_at="yesterday"),
    "a time without a zone": lambda event: event["data"]["attributes"].update(updated_at="2026-11-01T00:10:00"),
    "no mode": lambda event: event["meta"].pop("test_mode"),
    "no name": lambda event: event["meta"].update(event_name=""),
    "no object": lambda event: event.update(data=[]),
    "an id that is a path": lambda event: event["data"].update(id="../orders/1"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_body_that_is_not_what_it_seems_is_a_bad_payload(what: str) -> None:
    event = sample("order_created.topup")
    BROKEN[what](event)

    with pytest.raises(BadPayload):
        read(event)


def test_a_signature_is_hex_of_one_length_in_either_case() -> None:
    body = (PAYLOADS / "order_created.topup.json").read_bytes()
    given = CHANNELS["lemonsqueezy"].signed(body)["X-Signature"]

    assert SQUEEZY.verify(body, {"x-signature": given.upper()})
    for wrong in (given[:-1], f"{given},{given}", f"sha256={given}", "é" * 64, ""):
        with pytest.raises(BadSignature):
            SQUEEZY.verify(body, {"X-Signature": wrong})


def test_every_event_that_is_used_is_in_the_page_about_going_live() -> None:
    page = text(Path("docs/lemonsqueezy.md"))

    assert not [name for name in EVENTS if f"`{name}`" not in page]
