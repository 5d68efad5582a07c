"""Subscriptions by the adapter against the stand-in, over HTTP: asking again does nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app import clock as the_clock
from app.money import Money
from app.providers import errors
from app.providers.values import CustomerRef, PlanRef
from tests.support.doubles.polar.server import Running
from tests.support.polar_asked import topup
from tests.support.time import Clock


def test_a_price_is_made_once_and_read_back_from_what_was_bought(
    polar: Running, polarised: Any, polar_plan: Callable[..., PlanRef], polar_sub: Any
) -> None:
    assert polar_plan("starter", 30).provider_price_id == polar_sub.provider_price_id
    assert polar_plan("starter", 31).provider_price_id != polar_sub.provider_price_id
    assert polar_plan("starter", 30, "year").provider_price_id != polar_sub.provider_price_id
    assert polar_sub.plan == polar_plan("starter", 30)
    assert (polar_sub.status, polar_sub.period_start) == ("active", the_clock.now())
    assert polar_sub.metadata["intent_id"] == "ord_1"
    [order] = polar.books.things["orders"].values()
    assert polar_sub.latest_invoice_id == order["id"]


def test_an_upgrade_is_charged_at_once_or_does_not_happen(
    polar: Running, polarised: Any, polar_sub: Any, who: CustomerRef, polar_plan: Callable[..., PlanRef], clock: Clock
) -> None:
    clock.advance(days=15)
    polar.books.poor.add(who.id)
    with pytest.raises(errors.Declined):
        polarised.change_now(polar_sub, polar_plan("growth", 90), at=the_clock.now(), key="k")
    assert polarised.get_subscription(polar_sub.id).plan == polar_plan("starter", 30)

    polar.books.poor.clear()
    for _ in range(2):
        state, redirect = polarised.change_now(polar_sub, polar_plan("growth", 90), at=the_clock.now(), key="k")

    assert (state.plan, redirect) == (polar_plan("growth", 90), None)
    orders = list(polar.books.things["orders"].values())
    assert [order["billing_reason"] for order in orders] == ["subscription_create", "subscription_update"]
    doc = polarised.get_invoice(orders[1]["id"])
    assert [line.proration for line in doc.lines] == [True, True]
    assert doc.lines[0].amount > 0 > doc.lines[1].amount
    assert doc.total == orders[1]["net_amount"] == sum(line.amount for line in doc.lines)


def test_an_upgrade_that_is_refused_leaves_a_cancellation_as_it_was(
    polar: Running, polarised: Any, polar_sub: Any, who: CustomerRef, polar_plan: Callable[..., PlanRef]
) -> None:
    polarised.cancel_at_period_end(polar_sub, reason="unused", comment=None, key="k")
    polar.books.poor.add(who.id)

    with pytest.raises(errors.Declined):
        polarised.change_now(polar_sub, polar_plan("growth", 90), at=the_clock.now(), key="k")

    assert polarised.get_subscription(polar_sub.id).cancel_at_period_end


def test_a_downgrade_waits_can_be_replaced_and_taken_back(
    polar: Running, polarised: Any, polar_sub: Any, polar_plan: Callable[..., PlanRef], clock: Clock
) -> None:
    state = polarised.change_at_period_end(polar_sub, polar_plan("small", 10), key="k")
    assert (state.plan, state.pending.at) == (polar_plan("starter", 30), state.period_end)
    assert state.pending.provider_price_id == polar_plan("small", 10).provider_price_id

    assert polarised.clear_pending_change(state, key="k").pending is None
    assert polarised.clear_pending_change(state, key="k").pending is None
    polarised.change_at_period_end(state, polar_plan("small", 10), key="k")
    clock.advance(days=32)
    polar.books.does_what_is_due()

    after = polarised.get_subscription(polar_sub.id)
    assert (after.plan, after.pending) == (polar_plan("small", 10), None)


def test_an_end_can_be_asked_for_taken_back_and_reached(polar: Running, polarised: Any, polar_sub: Any) -> None:
    leaving = polarised.cancel_at_period_end(polar_sub, reason="too_expensive", comment="Sorry", key="k")
    assert (leaving.cancel_at_period_end, leaving.cancel_at) == (True, leaving.period_end)
    assert (leaving.cancel_reason, leaving.cancel_comment) == ("too_expensive", "Sorry")

    assert not polarised.resume(leaving, key="k").cancel_at_period_end
    assert not polarised.resume(leaving, key="k").cancel_at_period_end
    for _ in range(2):
        assert polarised.cancel_now(leaving, key="k").status == "canceled"
    with pytest.raises(errors.InvalidRequest):
        polarised.resume(leaving, key="k")


def test_what_is_unused_goes_back_once_with_its_tax(
    polar: Running, polarised: Any, who: CustomerRef, polar_plan: Callable[..., PlanRef], clock: Clock
) -> None:
    polar.books.percent = 10
    wanted = topup(who, kind="subscription", amount=None, plan=polar_plan("starter", 31))
    order = polar.books.pays(polarised.create_checkout(wanted, key="k").id)
    sub = polarised.get_subscription(order["subscription_id"])
    clock.advance(days=10)

    unused = polarised.unused_value(sub, at=the_clock.now())
    assert (unused.net, unused.tax, unused.to_card) == (Money(2100, "usd"), 210, 2310)
    polarised.cancel_now(sub, key="k")
    for _ in range(2):
        back = polarised.refund_unused(who, unused, our_refund_id="chg_1", key="k")

    assert (back.refunded, order["refunded_amount"]) == (Money(2310, "usd"), 2100)
    assert polarised.unused_value(sub, at=the_clock.now()).to_card == 1100, "never more than is left of the order"
    assert polarised.unused_value(sub, at=sub.period_end).parts == []


def test_orders_are_listed_newest_first_page_by_page(
    polar: Running, polarised: Any, who: CustomerRef, polar_sub: Any, clock: Clock
) -> None:
    for _ in range(3):
        clock.advance(days=32)
        polar.books.does_what_is_due()

    first, cursor = polarised.list_invoices(who, cursor=None, limit=3)
    rest, last = polarised.list_invoices(who, cursor=cursor, limit=3)

    assert [doc.reason for doc in [*first, *rest]] == [*["subscription_cycle"] * 3, "subscription_create"]
    starts = [doc.lines[0].period_start for doc in [*first, *rest]]
    assert starts == sorted(starts, reverse=True)
    assert all(
        a.lines[0].period_start == b.lines[0].period_end for a, b in zip(first, [*first[1:], *rest], strict=True)
    )
    assert last is None
    assert len(polarised.list_subscriptions(who)) == 1
