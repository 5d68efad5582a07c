"""Cancelling what the wallet pays: at the end, taken back, or now with the rest given back (SPEC P8, R7)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from app import credits, ledger
from app.db import transaction
from app.errors import Conflict
from app.flows import cancel_from_wallet, change_from_wallet
from app.invoices import rates
from app.subscriptions import standing
from app.subscriptions.models import Subscription, SubscriptionChange
from tests.flows.test_change_from_wallet import change
from tests.flows.test_renew import day
from tests.support.plans import Subscriber
from tests.support.time import Clock

Works = Callable[[], int]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """The locks are those of renewals, which are tested on both databases."""
    return sqlite_url


def cancel(who: Subscriber) -> Subscription:
    return cancel_from_wallet.at_period_end(who.session, {}, who.customer_id, reason="unused", actor="usr_1")


def cancel_now(who: Subscriber) -> SubscriptionChange:
    return cancel_from_wallet.now(who.session, {}, who.customer_id, reason="unused", actor="usr_1")


def test_access_stays_until_the_end(subscriber: Subscriber, works: Works, clock: Clock, session: Session) -> None:
    subscriber.gets(5_000)
    subscriber.subscribes()

    cancel(subscriber)
    before = standing.of(session, subscriber.customer_id)
    clock.set(day(2026, 4, 14))
    works()
    after = standing.of(session, subscriber.customer_id)

    assert (before.tier, before.ends_at) == ("starter", day(2026, 4, 14))
    assert after.tier == "free"
    assert subscriber.sub.ended_at == day(2026, 4, 14)
    assert subscriber.cents == 4_500


def test_it_can_be_taken_back(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    subscriber.gets(5_000)
    subscriber.subscribes()
    cancel(subscriber)

    cancel_from_wallet.resume(subscriber.session, {}, subscriber.customer_id, actor="usr_1")
    clock.set(day(2026, 4, 14))
    works()

    assert subscriber.sub.status == "active"
    assert subscriber.cents == 3_500


def test_it_cannot_be_taken_back_once_it_is_over(subscriber: Subscriber, clock: Clock) -> None:
    subscriber.gets(5_000)
    subscriber.subscribes()
    cancel(subscriber)
    clock.set(day(2026, 4, 14))

    with pytest.raises(Conflict):
        cancel_from_wallet.resume(subscriber.session, {}, subscriber.customer_id, actor="usr_1")


def test_cancelling_drops_what_was_scheduled(subscriber: Subscriber) -> None:
    subscriber.gets(5_000)
    subscriber.subscribes("growth")
    scheduled = change(subscriber, "starter")

    cancel(subscriber)

    subscriber.session.refresh(scheduled)
    assert scheduled.state == "undone"


def test_changing_the_plan_takes_the_cancellation_back(subscriber: Subscriber) -> None:
    subscriber.gets(5_000)
    subscriber.subscribes()
    cancel(subscriber)

    change(subscriber, "growth")

    assert not subscriber.sub.cancel_at_period_end


def test_cancelling_now_gives_the_rest_back_with_a_credit_note(subscriber: Subscriber, clock: Clock) -> None:
    with transaction(subscriber.session):
        rates.set_rate(
            subscriber.session, country="", region="", customer_type="", name="VAT", rate_ppm=190_000, number=None,
            reverse_charge=False, actor="test",
        )  # fmt: skip
    subscriber.gets(5_000)
    subscriber.subscribes()
    clock.set(day(2026, 3, 24))
    told = cancel_from_wallet.unused_now(subscriber.session, subscriber.customer_id)

    done = cancel_now(subscriber)

    assert (told.net, told.tax) == (677, 129)
    assert (done.state, done.due_minor, done.details["returned_to"]) == ("applied", -806, "wallet")
    assert subscriber.cents == 5_500 - 1_190 + 806
    assert subscriber.invoices[0].credited_minor == 806
    assert subscriber.sub.ended_at == day(2026, 3, 24)
    subscriber.is_invoiced_without_a_gap()


def test_the_gift_in_it_comes_back_as_a_gift(subscriber: Subscriber, clock: Clock) -> None:
    subscriber.gets(600)
    subscriber.subscribes()  # $5.00 of it welcome credit

    cancel_now(subscriber)  # in the same second: everything comes back

    stands = ledger.balance(subscriber.session, subscriber.person.wallet)
    assert (stands.promo // 10_000, stands.paid // 10_000) == (500, 600)


def test_after_an_upgrade_both_invoices_give_back(subscriber: Subscriber, clock: Clock) -> None:
    subscriber.gets(5_000)
    subscriber.subscribes()
    clock.set(day(2026, 3, 24))
    change(subscriber, "growth")
    clock.set(day(2026, 4, 3))  # 11 of 31 days are left

    cancel_now(subscriber)

    assert subscriber.cents == 5_500 - 1_000 - 1_355 + 1_065
    assert [invoice.credited_minor for invoice in subscriber.invoices] == [0, 1_065]


def test_what_was_bought_on_the_side_is_left_alone(subscriber: Subscriber) -> None:
    with transaction(subscriber.session):
        told = {"source": "pack", "is_paid": True, "key": "pack", "actor": "system"}
        credits.grant(subscriber.session, subscriber.customer_id, 700, **told)
    subscriber.gets(9_000)
    subscriber.subscribes()
    change(subscriber, "growth")

    cancel_now(subscriber)

    assert credits.balance(subscriber.session, subscriber.customer_id).available == 700


def test_cancelling_now_in_arrears_voids_the_open_invoice(subscriber: Subscriber, works: Works, clock: Clock) -> None:
    subscriber.gets(500)
    subscriber.subscribes()
    clock.set(day(2026, 4, 14))
    works()
    clock.advance(days=1)

    done = cancel_now(subscriber)

    assert [invoice.status for invoice in subscriber.invoices] == ["paid", "void"]
    assert (done.due_minor, done.details["returned_to"]) == (0, "nowhere")
    assert subscriber.cents == 0


def test_one_who_left_may_come_back(subscriber: Subscriber, clock: Clock) -> None:
    subscriber.gets(5_000)
    subscriber.subscribes()
    cancel_now(subscriber)
    clock.advance(days=3)

    subscriber.subscribes(form_key="form-2")

    assert subscriber.sub.status == "active"
    assert change_from_wallet.undo(subscriber.session, {}, subscriber.customer_id, actor="usr_1") is None


def test_cancelling_now_when_the_renewal_is_overdue_ends_with_the_period(subscriber: Subscriber, clock: Clock) -> None:
    subscriber.gets(5_000)
    subscriber.subscribes()
    clock.set(day(2026, 4, 16))

    cancel_now(subscriber)

    assert subscriber.sub.ended_at == day(2026, 4, 14)
    assert subscriber.cents == 4_500
    subscriber.is_invoiced_without_a_gap()
