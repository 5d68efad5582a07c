"""Changing and ending a subscription through the real adapter and SDK against the sandbox, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.money import Money
from app.providers.billing import SubscriptionState
from app.providers.errors import Declined, InvalidRequest
from app.providers.values import CustomerRef, PlanRef
from app.sandbox.config import SandboxConfig
from app.sandbox.server import Running, running_sandbox
from tests.support.payments import KEY, stripe_adapter
from tests.support.subscribers import ALWAYS_ASKS, DAY, FAILS_LATER, newest, sandbox_now


def test_an_upgrade_costs_what_was_shown_to_the_cent(
    stripe: Any, customer: CustomerRef, subscribed: SubscriptionState, growth: PlanRef, sandbox: Running
) -> None:
    sandbox.advance(7 * DAY + 4321)
    at = sandbox_now(sandbox)
    shown = stripe.preview_change(subscribed, growth, at=at)
    sandbox.advance(500)

    state, redirect = stripe.change_now(subscribed, growth, at=at, key="up")
    again, _ = stripe.change_now(subscribed, growth, at=at, key="up")

    paid = stripe.get_invoice(state.latest_invoice_id)
    assert redirect is None
    assert (state.plan, again.plan, state.period_end) == (growth, growth, subscribed.period_end)
    assert (paid.status, paid.reason, paid.total) == ("paid", "subscription_update", shown.due_now.minor)
    assert shown.charge - shown.credit == shown.due_now.minor
    assert (shown.next_total, shown.next_at) == (Money(9000, "usd"), subscribed.period_end)
    assert [line.amount for line in paid.lines] == [line.amount for line in shown.lines]


def test_a_refused_upgrade_leaves_the_old_plan(
    stripe: Any, subscribed: SubscriptionState, growth: PlanRef, card: Callable[..., str], sandbox: Running
) -> None:
    stripe.set_subscription_card(subscribed, card(FAILS_LATER), key="card")
    at = sandbox_now(sandbox)

    for _ in range(2):
        with pytest.raises(Declined):
            stripe.change_now(subscribed, growth, at=at, key="up")

    state = stripe.get_subscription(subscribed.id)
    assert (state.status, state.plan, state.pending) == ("active", subscribed.plan, None)


def test_an_upgrade_that_must_be_confirmed_waits_and_can_be_dropped(
    stripe: Any, subscribed: SubscriptionState, growth: PlanRef, card: Callable[..., str], sandbox: Running
) -> None:
    stripe.set_subscription_card(subscribed, card(ALWAYS_ASKS), key="card")

    state, page = stripe.change_now(subscribed, growth, at=sandbox_now(sandbox), key="up")
    dropped = stripe.clear_pending_change(state, key="drop")

    assert page is not None
    assert (state.plan, state.pending.plan, state.pending.at) == (subscribed.plan, growth, None)
    assert stripe.get_invoice(state.pending.invoice_id).status == "void"
    assert (dropped.plan, dropped.pending) == (subscribed.plan, None)


def test_a_downgrade_waits_for_the_periods_end_and_happens_then(
    stripe: Any, subscribed: SubscriptionState, plan: Callable[..., PlanRef], sandbox: Running, customer: CustomerRef
) -> None:
    mini, micro = plan("mini", 10), plan("micro", 5)

    first = stripe.change_at_period_end(subscribed, mini, key="down")
    assert stripe.change_at_period_end(subscribed, mini, key="down").pending == first.pending
    second = stripe.change_at_period_end(first, micro, key="down2")
    sandbox.advance(32 * DAY)
    sandbox.deliver()
    after = stripe.get_subscription(subscribed.id)

    assert (first.plan, first.pending.plan, first.pending.at) == (subscribed.plan, mini, subscribed.period_end)
    assert second.pending.plan == micro
    assert (after.plan, after.pending, after.period_start) == (micro, None, subscribed.period_end)
    assert newest(stripe, customer).total == 500


def test_a_crash_between_the_two_calls_of_a_downgrade_is_taken_up(
    stripe: Any, subscribed: SubscriptionState, plan: Callable[..., PlanRef]
) -> None:
    mini = plan("mini", 10)
    stripe._stripe.call(  # what the first call alone leaves behind
        lambda v1: v1.subscription_schedules.create(
            {"from_subscription": subscribed.id}, {"idempotency_key": "down:create"}
        )
    )
    assert stripe.get_subscription(subscribed.id).pending is None

    assert stripe.change_at_period_end(subscribed, mini, key="down").pending.plan == mini


def test_what_is_pending_gives_way_to_an_upgrade_and_to_a_cancellation(
    stripe: Any, subscribed: SubscriptionState, plan: Callable[..., PlanRef], growth: PlanRef, sandbox: Running
) -> None:
    mini = plan("mini", 10)

    stripe.change_at_period_end(subscribed, mini, key="down")
    upgraded, _ = stripe.change_now(subscribed, growth, at=sandbox_now(sandbox), key="up")
    stripe.change_at_period_end(upgraded, mini, key="down2")
    ends = stripe.cancel_at_period_end(upgraded, reason="too_expensive", comment="For now.", key="end")
    down = stripe.change_at_period_end(ends, mini, key="down3")

    assert (upgraded.plan, upgraded.pending) == (growth, None)
    assert (ends.pending, ends.cancel_at_period_end, ends.cancel_at) == (None, True, ends.period_end)
    assert (ends.cancel_reason, ends.cancel_comment) == ("too_expensive", "For now.")
    assert (down.cancel_at_period_end, down.pending.plan) == (False, mini)
    assert stripe.clear_pending_change(down, key="undo").pending is None


def test_a_cancellation_can_be_taken_back_until_it_happens(
    stripe: Any, subscribed: SubscriptionState, sandbox: Running
) -> None:
    ending = stripe.cancel_at_period_end(subscribed, reason=None, comment=None, key="end")
    assert not stripe.resume(ending, key="stay").cancel_at_period_end
    stripe.cancel_at_period_end(subscribed, reason=None, comment=None, key="end2")
    sandbox.advance(32 * DAY)
    sandbox.deliver()

    over = stripe.get_subscription(subscribed.id)
    assert (over.status, over.ended_at) == ("canceled", subscribed.period_end)
    with pytest.raises(InvalidRequest):
        stripe.resume(over, key="late")


def test_ending_now_moves_no_money_and_the_unused_share_goes_back_to_the_card(
    stripe: Any, customer: CustomerRef, subscribed: SubscriptionState, growth: PlanRef, sandbox: Running
) -> None:
    sandbox.advance(5 * DAY)
    stripe.change_now(subscribed, growth, at=sandbox_now(sandbox), key="up")
    sandbox.advance(5 * DAY)

    unused = stripe.unused_value(subscribed, at=sandbox_now(sandbox))
    over = stripe.cancel_now(subscribed, key="end")
    back = stripe.refund_unused(customer, unused, our_refund_id="rf_1", key="back")
    again = stripe.refund_unused(customer, unused, our_refund_id="rf_1", key="another")

    whole = (subscribed.period_end - subscribed.period_start).total_seconds()
    left = whole - 10 * DAY
    assert abs(unused.net.minor - 9000 * left / whole) < 3
    assert (over.status, stripe.cancel_now(over, key="end").status) == ("canceled", "canceled")
    assert back.refunded == unused.net
    assert (unused.to_card, back.credited.minor) == (unused.net.minor, 0)
    assert [each.status for each in back.refunds] == ["succeeded"] * len(back.refunds)
    assert again == back
    assert sum(stripe.get_invoice(part.invoice_id).credited for part in unused.parts[:1]) > 0
    notes = stripe.get_invoice(unused.parts[0].invoice_id).credit_notes
    assert [note.our_refund_id for note in notes] == ["rf_1"]


def test_right_after_an_upgrade_the_invoice_before_gives_back_its_own_part(
    stripe: Any, customer: CustomerRef, subscribed: SubscriptionState, growth: PlanRef, sandbox: Running
) -> None:
    """More is unused of the new plan than its invoice came to, since the old plan's rest had paid for a part of it."""
    first = stripe.get_invoice(subscribed.latest_invoice_id)
    sandbox.advance(1 * DAY)
    state, _ = stripe.change_now(subscribed, growth, at=sandbox_now(sandbox), key="up")
    upgrade = stripe.get_invoice(state.latest_invoice_id)

    unused = stripe.unused_value(subscribed, at=sandbox_now(sandbox))
    stripe.cancel_now(subscribed, key="end")
    back = stripe.refund_unused(customer, unused, our_refund_id="rf_1", key="back")
    again = stripe.refund_unused(customer, unused, our_refund_id="rf_1", key="another")

    assert unused.net.minor > upgrade.total
    assert {note.invoice_id: note.total for note in back.credit_notes} == {
        upgrade.id: upgrade.total,
        first.id: unused.net.minor - upgrade.total,
    }
    assert back.refunded == unused.net
    assert again == back


class TestWithTax:
    @pytest.fixture
    def sandbox(self, tmp_path: Path) -> Iterator[Running]:
        config = SandboxConfig(database=tmp_path / "taxed.db", secret_key=KEY, strict=True, tax_basis_points=825)
        with running_sandbox(config, delivers=False) as running:
            yield running
            assert not running.sandbox.faults

    @pytest.fixture
    def stripe(self, sandbox: Running) -> Any:
        return stripe_adapter(api_base=sandbox.url, automatic_tax=1)

    def test_tax_is_shown_charged_and_given_back(
        self, stripe: Any, customer: CustomerRef, subscribed: SubscriptionState, growth: PlanRef, sandbox: Running
    ) -> None:
        sandbox.advance(5 * DAY)
        at = sandbox_now(sandbox)
        shown = stripe.preview_change(subscribed, growth, at=at)
        state, _ = stripe.change_now(subscribed, growth, at=at, key="up")
        paid = stripe.get_invoice(state.latest_invoice_id)
        sandbox.advance(5 * DAY)

        unused = stripe.unused_value(subscribed, at=sandbox_now(sandbox))
        stripe.cancel_now(subscribed, key="end")
        back = stripe.refund_unused(customer, unused, our_refund_id="rf_1", key="back")

        (tax,) = paid.taxes
        assert (tax.percent, tax.amount, tax.name != "Tax") == ("8.25", paid.tax, True)
        assert shown.charge - shown.credit + shown.tax == shown.due_now.minor == paid.total == paid.amount_paid
        assert unused.tax > 0
        assert unused.to_card == unused.net.minor + unused.tax == back.refunded.minor
        assert sum(note.total for note in back.credit_notes) == unused.to_card
        assert all(note.total <= stripe.get_invoice(note.invoice_id).total for note in back.credit_notes)
        assert abs(sum(note.tax for note in back.credit_notes) - unused.tax) <= 1
