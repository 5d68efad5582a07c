"""Changing a plan the wallet pays: shown, then charged to the cent; less at the period's end (SPEC P6, P7)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.db import transaction
from app.errors import Conflict, InsufficientFunds
from app.flows import change_from_wallet
from app.invoices import rates
from app.subscriptions.changes import PreviewExpired
from app.subscriptions.models import SubscriptionChange
from tests.flows.test_renew import day
from tests.support.plans import Subscriber
from tests.support.time import Clock

Works = Callable[[], int]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The locks are those of renewals and of changes in general, which are tested on both databases."""
    return sqlite_url


def look(who: Subscriber, plan: str, interval: str = "month") -> SubscriptionChange:
    return change_from_wallet.preview(who.session, {}, who.customer_id, plan, interval, actor=who.person.id)


def confirm(who: Subscriber, change: SubscriptionChange) -> SubscriptionChange:
    return change_from_wallet.confirm(who.session, {}, who.customer_id, change.id, actor=who.person.id)


def change(who: Subscriber, plan: str, interval: str = "month") -> SubscriptionChange:
    return confirm(who, look(who, plan, interval))


def test_an_upgrade_costs_what_was_shown(subscriber: Subscriber, clock: Clock) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes()
    clock.set(day(2026, 3, 24))  # 21 of 31 days are left

    shown = look(subscriber, "growth")
    clock.advance(minutes=9)
    done = confirm(subscriber, shown)

    assert (shown.charge_minor, shown.credit_minor, shown.due_minor) == (2_032, 677, 1_355)
    assert subscriber.cents == 10_500 - 1_000 - 1_355
    assert done.state == "applied"
    assert subscriber.sub.price_minor == 3_000
    assert subscriber.sub.period_end == day(2026, 4, 14)
    subscriber.is_invoiced_without_a_gap()


def test_it_shows_what_comes_next(subscriber: Subscriber, clock: Clock) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes()
    clock.set(day(2026, 3, 24))

    told = look(subscriber, "growth").details

    assert [line["amount"] for line in told["lines"]] == [2_032, -677]
    assert (told["next_total"], told["next_at"], told["effect"]) == (3_000, "2026-04-14T09:30:00Z", "now")


def test_the_tax_is_in_the_price_shown(subscriber: Subscriber, clock: Clock) -> None:
    with transaction(subscriber.session):
        rates.set_rate(
            subscriber.session, country="", region="", customer_type="", name="VAT", rate_ppm=190_000, number=None,
            reverse_charge=False, actor="test",
        )  # fmt: skip
    subscriber.gets(10_000)
    subscriber.subscribes()
    clock.set(day(2026, 3, 24))

    shown = look(subscriber, "growth")
    confirm(subscriber, shown)

    assert (shown.tax_minor, shown.due_minor) == (257, 1_612)
    assert shown.details["taxes"] == [{"name": "VAT", "percent": "19", "amount": 257}]
    assert subscriber.invoices[1].total_minor == 1_612
    assert subscriber.cents == 10_500 - 1_190 - 1_612


def test_a_preview_holds_for_ten_minutes(subscriber: Subscriber, clock: Clock) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes()
    shown = look(subscriber, "growth")

    clock.advance(minutes=10)

    with pytest.raises(PreviewExpired):
        confirm(subscriber, shown)
    assert subscriber.cents == 9_500


def test_confirming_twice_charges_once(subscriber: Subscriber) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes()
    shown = look(subscriber, "growth")
    confirm(subscriber, shown)

    again = confirm(subscriber, shown)

    assert again.state == "applied"
    assert subscriber.cents == 10_500 - 3_000


def test_a_preview_of_another_plan_is_void_once_one_was_taken(subscriber: Subscriber) -> None:
    subscriber.gets(20_000)
    subscriber.subscribes()
    first, second = look(subscriber, "growth"), look(subscriber, "prompt")
    confirm(subscriber, first)

    with pytest.raises(PreviewExpired):
        confirm(subscriber, second)


def test_a_wallet_that_is_short_changes_nothing(subscriber: Subscriber, clock: Clock) -> None:
    subscriber.gets(600)
    subscriber.subscribes()
    shown = look(subscriber, "growth")

    with pytest.raises(InsufficientFunds) as short:
        confirm(subscriber, shown)
    subscriber.gets(2_000)
    confirm(subscriber, shown)  # it still holds

    assert short.value.details["missing_minor"] == 2_000 - 100
    assert subscriber.sub.price_minor == 3_000
    assert [invoice.status for invoice in subscriber.invoices] == ["paid", "paid"]


def test_less_waits_for_the_periods_end(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes("growth")
    clock.set(day(2026, 3, 24))

    shown = look(subscriber, "starter")
    state = confirm(subscriber, shown).state
    before = subscriber.sub.price_minor
    clock.set(day(2026, 4, 14))
    works()

    assert (shown.due_minor, state, shown.effective_at) == (0, "scheduled", day(2026, 4, 14))
    assert (before, subscriber.sub.price_minor) == (3_000, 1_000)
    assert subscriber.cents == 10_500 - 3_000 - 1_000


def test_what_is_scheduled_can_be_taken_back(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes("growth")
    change(subscriber, "starter")

    undone = change_from_wallet.undo(subscriber.session, {}, subscriber.customer_id, actor="usr_1")
    nothing = change_from_wallet.undo(subscriber.session, {}, subscriber.customer_id, actor="usr_1")
    clock.set(day(2026, 4, 14))
    works()

    assert undone is not None
    assert undone.state == "undone"
    assert nothing is None
    assert subscriber.sub.price_minor == 3_000


def test_a_newer_change_replaces_what_was_scheduled(subscriber: Subscriber) -> None:
    subscriber.gets(50_000)
    subscriber.subscribes("growth")
    first = change(subscriber, "starter")

    second = change(subscriber, "growth", "year")

    subscriber.session.refresh(first)
    assert (first.state, second.state) == ("undone", "applied")


def test_an_immediate_downgrade_gives_the_difference_back(subscriber: Subscriber, clock: Clock) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes("prompt")
    clock.set(day(2026, 3, 24))

    shown = look(subscriber, "growth")
    confirm(subscriber, shown)

    assert shown.due_minor == 2_032 - 4_065
    assert subscriber.cents == 10_500 - 6_000 + 2_033
    assert subscriber.sub.price_minor == 3_000
    assert subscriber.invoices[0].credited_minor == 2_033
    subscriber.is_invoiced_without_a_gap()


def test_up_and_down_at_the_same_instant_costs_nothing(subscriber: Subscriber, clock: Clock) -> None:
    subscriber.gets(20_000)
    subscriber.subscribes("prompt")
    clock.set(day(2026, 3, 24))
    change(subscriber, "growth")
    between = subscriber.cents

    change(subscriber, "prompt")
    change(subscriber, "growth")

    assert subscriber.cents == between


def test_a_year_begins_now_and_the_month_is_credited(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    subscriber.gets(50_000)
    subscriber.subscribes()
    clock.set(day(2026, 3, 24))

    shown = look(subscriber, "starter", "year")
    confirm(subscriber, shown)
    clock.set(day(2027, 3, 24))
    works()

    assert shown.due_minor == 10_000 - 677
    assert subscriber.sub.period_end == day(2028, 3, 24)
    assert subscriber.cents == 50_500 - 1_000 - 9_323 - 10_000
    subscriber.is_invoiced_without_a_gap()


def test_a_month_begins_when_the_year_ends(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    subscriber.gets(50_000)
    subscriber.subscribes(interval="year")

    state = change(subscriber, "starter", "month").state
    clock.set(day(2027, 3, 14))
    works()

    assert state == "scheduled"
    assert subscriber.sub.period_end == day(2027, 4, 14)
    assert subscriber.cents == 50_500 - 10_000 - 1_000


def test_the_same_plan_is_no_change(subscriber: Subscriber) -> None:
    subscriber.gets(10_000)
    subscriber.subscribes()

    with pytest.raises(Conflict, match="already"):
        look(subscriber, "starter")


def test_no_change_while_a_payment_is_open(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    subscriber.gets(500)
    subscriber.subscribes()
    clock.set(day(2026, 4, 14))
    works()

    with pytest.raises(Conflict, match="still open"):
        look(subscriber, "growth")
