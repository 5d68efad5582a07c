"""The Lemon Squeezy adapter against a stand-in on this machine: what it asks, and what it makes of the answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import settings_problems
from app.money import Money
from app.providers import errors
from app.providers.lemonsqueezy.periods import Cycle
from app.providers.lemonsqueezy.told import EVENTS
from app.providers.values import Cap, CheckoutRequest, CustomerRef, PlanRef
from tests.support.channels import every_channel
from tests.support.doubles.lemonsqueezy.server import Lemon
from tests.support.lemon import squeezy_adapter
from tests.support.time import Clock

ADA = CustomerRef("cus_1", "cus_1")
HOOK = "https://purser.example/payment/webhook/lemonsqueezy"


def page_of(squeezy: Any, plan: PlanRef | None = None) -> Any:
    wanted = CheckoutRequest(
        order_id="ord_1",
        kind="subscription" if plan else "topup",
        customer=ADA,
        title="Growth" if plan else "Wallet top-up",
        success_url="https://purser.example/wallet",
        cancel_url="https://purser.example/wallet",
        amount=None if plan else Money(5000, "usd"),
        plan=plan,
        email="ada@example.com",
    )
    return squeezy.create_checkout(wanted, key="ord_1:1")


@pytest.fixture
def begun(lemon: Lemon, squeezy: Any) -> Any:
    """A subscription at $30 a month."""
    variant = lemon.books.variant(3000, "month")
    page = page_of(squeezy, PlanRef("growth", "month", Money(3000, "usd"), variant))
    order = lemon.books.pays(page.id)
    return squeezy.get_subscription(lemon.books.begun_by(order["id"])[0]["id"])


def test_a_page_is_open_then_complete_then_told(lemon: Lemon, squeezy: Any, clock: Clock) -> None:
    page = page_of(squeezy)
    assert (page.status, page.order_id, page.expires_at) == ("open", "ord_1", clock.now + timedelta(hours=24))
    assert squeezy.recheck_checkout(page.id) is None

    order = lemon.books.pays(page.id)

    now = squeezy.get_checkout(page.id)
    assert (now.status, now.paid, now.payment_id, now.url) == ("complete", True, f"orders/{order['id']}", None)
    heard = squeezy.recheck_checkout(page.id)
    assert heard.verified.event_id == f"poll:{page.id}:paid"
    assert [type(told).__name__ for told in squeezy.normalize(heard.body)] == ["CheckoutCompleted", "PaymentSucceeded"]


def test_a_page_of_nobody_is_not_found(squeezy: Any) -> None:
    for name in ("no-such-page", "../orders", ""):
        with pytest.raises(errors.NotFound):
            squeezy.get_checkout(name)


TROUBLE = {
    400: errors.InvalidRequest,
    401: errors.AuthFailed,
    402: errors.Declined,
    404: errors.NotConfigured,  # of a page: the variant is not there
    409: errors.Conflict,
    422: errors.InvalidRequest,
    429: errors.RateLimited,
    302: errors.Unavailable,
    500: errors.Unavailable,
    0: errors.Unavailable,  # no answer at all
}


def test_trouble_has_a_name_and_what_may_have_happened_is_never_sent_again_by_itself(
    lemon: Lemon, squeezy: Any
) -> None:
    for status, kind in TROUBLE.items():
        lemon.fails("POST", "", status)
        with pytest.raises(errors.ProviderError) as told:
            page_of(squeezy)
        assert type(told.value) is kind, status

    assert len(lemon.calls) == len(TROUBLE)


def test_a_reading_that_was_lost_is_asked_for_once_more(lemon: Lemon, squeezy: Any) -> None:
    page = page_of(squeezy)
    lemon.fails("GET", "", 0)

    assert squeezy.get_checkout(page.id).status == "open"


def test_a_wrong_key_is_named(lemon: Lemon) -> None:
    other = squeezy_adapter(lemon, api_key="another")
    try:
        with pytest.raises(errors.AuthFailed):
            page_of(other)
        assert [finding.ok for finding in other.diagnose(webhook_url=HOOK)] == [False]
    finally:
        other.close()


def test_a_subscription_is_read_whole(squeezy: Any, begun: Any, clock: Clock) -> None:
    start = clock.now.replace(microsecond=0)

    assert (begun.status, begun.period_start, begun.period_end) == ("active", start, start.replace(month=4))
    assert begun.latest_invoice_id is not None
    doc = squeezy.get_invoice(begun.latest_invoice_id)
    (line,) = doc.lines
    assert (doc.status, doc.total, doc.reason, doc.subscription_id) == ("paid", 3000, "subscription_create", begun.id)
    assert (line.period_start, line.period_end, line.amount) == (begun.period_start, begun.period_end, 3000)
    listed, more = squeezy.list_invoices(ADA, cursor=None, limit=10, subscription_id=begun.id)
    assert ([each.id for each in listed], more) == ([doc.id], None)
    with pytest.raises(errors.InvalidRequest):
        squeezy.list_invoices(ADA, cursor=None, limit=10)


def test_it_is_cancelled_once_and_resumed_until_it_has_ended(
    lemon: Lemon, squeezy: Any, begun: Any, clock: Clock
) -> None:
    for _ in range(2):
        cancelled = squeezy.cancel_at_period_end(begun, reason="unused", comment=None, key="c")
    assert (cancelled.status, cancelled.cancel_at_period_end) == ("active", True)
    assert cancelled.cancel_at == cancelled.period_end
    assert len([call for call in lemon.calls if call.startswith("DELETE")]) == 1

    assert not squeezy.resume(begun, key="r").cancel_at_period_end

    squeezy.cancel_at_period_end(begun, reason=None, comment=None, key="c2")
    clock.advance(days=32)
    lemon.books.does_what_is_due()
    ended = squeezy.get_subscription(begun.id)
    assert (ended.status, ended.ended_at) == ("canceled", begun.period_end)
    with pytest.raises(errors.InvalidRequest):
        squeezy.resume(begun, key="r2")


def test_money_goes_back_in_parts_and_never_more_than_was_paid(lemon: Lemon, squeezy: Any) -> None:
    order = lemon.books.pays(page_of(squeezy).id)
    payment = f"orders/{order['id']}"
    give = {"payment_id": payment, "reason": "requested", "our_refund_id": "ref_1", "key": "ref_1:1"}

    first = squeezy.refund(amount=Money(2000, "usd"), **give)

    assert (first.refund_id, first.status, first.our_refund_id) == (f"{payment}:2000", "succeeded", "ref_1")
    assert [each.amount.minor for each in squeezy.list_refunds(payment)] == [2000]
    with pytest.raises(errors.InvalidRequest):
        squeezy.refund(amount=Money(3001, "usd"), **give)
    assert squeezy.refund(amount=Money(3000, "usd"), **give).refund_id == f"{payment}:5000"
    told = [one.name for one in lemon.deliveries.waiting]
    assert told == ["order_created", "order_refunded", "order_refunded"]


def test_what_is_unused_goes_back_once_however_often_it_is_asked(
    lemon: Lemon, squeezy: Any, begun: Any, clock: Clock
) -> None:
    half = begun.period_start + (begun.period_end - begun.period_start) / 2
    unused = squeezy.unused_value(begun, at=half)
    assert (unused.net, unused.to_card) == (Money(1500, "usd"), 1500)

    for _ in range(2):
        given = squeezy.refund_unused(ADA, unused, our_refund_id="chg_1", key="chg_1")

    assert given.refunded == Money(1500, "usd")
    assert lemon.books.invoices_of(begun.id)[0]["attributes"]["refunded_amount"] == 1500
    assert squeezy.unused_value(begun, at=begun.period_end).parts == []


def test_what_is_of_another_store_does_not_exist(lemon: Lemon, squeezy: Any, begun: Any) -> None:
    lemon.books.thing("subscriptions", begun.id)["attributes"]["store_id"] = 1

    with pytest.raises(errors.NotFound):
        squeezy.get_subscription(begun.id)


def test_a_plan_without_a_variant_says_what_to_configure(squeezy: Any) -> None:
    with pytest.raises(errors.InvalidRequest, match=r"provider_ids\.lemonsqueezy\.monthly of growth"):
        squeezy.ensure_price(
            plan="growth", version=1, interval="month", price=Money(3000, "usd"), name="Growth", key="price"
        )


def test_without_a_variant_for_them_no_amount_of_ones_own_is_sold(lemon: Lemon) -> None:
    assert Cap.CUSTOM_AMOUNT not in squeezy_adapter(lemon, variant_id="").capabilities


def test_the_doctor_says_what_is_missing_there(lemon: Lemon, squeezy: Any) -> None:
    def wrong() -> list[str]:
        return [finding.sentence for finding in squeezy.diagnose(webhook_url=HOOK) if not finding.ok]

    assert ["no webhook" in sentence for sentence in wrong()] == [True]
    lemon.webhooks = [{"url": HOOK, "events": ["order_created"], "test_mode": True, "store_id": 217313}]
    assert ["order_refunded" in sentence for sentence in wrong()] == [True]
    lemon.webhooks[0]["events"] = list(EVENTS)
    assert wrong() == []


@pytest.mark.parametrize(
    ("begins", "at", "start", "end"),
    [
        ((2026, 1, 31), (2026, 2, 28), (2026, 2, 28), (2026, 3, 31)),
        ((2026, 1, 31), (2026, 3, 30), (2026, 2, 28), (2026, 3, 31)),
        ((2024, 2, 29), (2025, 3, 1), (2025, 2, 28), (2026, 2, 28)),
        ((2026, 3, 14), (2026, 3, 1), (2026, 2, 14), (2026, 3, 14)),
    ],
)
def test_periods_are_counted_from_where_they_began(begins: Any, at: Any, start: Any, end: Any) -> None:
    months = 12 if begins[0] == 2024 else 1

    assert Cycle(datetime(*begins, tzinfo=UTC), months).around(datetime(*at, tzinfo=UTC)) == (
        datetime(*start, tzinfo=UTC),
        datetime(*end, tzinfo=UTC),
    )


def test_what_names_nothing_there_is_refused_at_the_start() -> None:
    usual = every_channel()
    wrong = replace(usual, lemonsqueezy_store_id="", lemonsqueezy_variant_id="top-up", lemonsqueezy_test_mode=0)

    told = [problem.split()[0] for problem in settings_problems.of(wrong)]

    assert told == ["LEMONSQUEEZY_API_KEY", "LEMONSQUEEZY_STORE_ID", "LEMONSQUEEZY_VARIANT_ID"]
    assert not [problem for problem in settings_problems.of(usual) if "LEMONSQUEEZY" in problem]
