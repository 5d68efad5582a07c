"""The sweep: pages whose webhook never came, orders given up, holds that ran out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import ledger
from app.customers.models import Customer
from app.db import transaction
from app.errors import ProviderDown
from app.flows import settle, sweep, top_up
from app.payments import Order, ProviderEvent
from app.providers.errors import Unavailable
from app.wallet import adjust
from app.wallet.accounts import wallet_of
from tests.support.fake_provider import FakeProvider, heard, told
from tests.support.payments import again, lost, wallet_minor


@pytest.fixture
def order(session: Session, fake: FakeProvider, payer: Customer) -> Order:
    return top_up.start(session, fake, payer, 5000, form_key="form", return_url="https://x.example/", actor="usr_1")


@pytest.fixture
def look(sessions, providers) -> Callable[[], int]:
    """Sweep, then apply what the sweep found."""

    def once() -> int:
        touched = sweep.sweep(sessions, providers)
        settle.apply_pending(sessions, providers)
        return touched

    return once


def paid_without_telling(fake: FakeProvider, order: Order) -> None:
    page = str(order.provider_ref)
    fake.heard[page] = heard(told("completed_paid", order.id, event_id=f"poll:{page}:paid"))


def test_a_payment_whose_webhook_was_lost_is_found_and_credited_once(
    session: Session, fake: FakeProvider, order: Order, look, clock
) -> None:
    paid_without_telling(fake, order)
    assert look() == 0, "a webhook deserves two minutes"
    clock.advance(minutes=3)

    for _ in range(3):
        look()
        clock.advance(days=1)

    assert again(session, order).state == "paid"
    assert wallet_minor(session, order.customer_id) == 5000
    assert session.scalar(select(func.count()).select_from(ProviderEvent)) == 1


def test_the_late_webhook_after_the_poll_credits_nothing_more(
    session: Session, fake: FakeProvider, order: Order, look, clock, tells
) -> None:
    paid_without_telling(fake, order)
    clock.advance(minutes=3)
    look()
    tells("completed_paid", order.id, event_id="evt_late")
    look()

    assert wallet_minor(session, order.customer_id) == 5000


def test_it_asks_less_and_less_often(fake: FakeProvider, order: Order, look, clock) -> None:
    for _ in range(120):
        clock.advance(minutes=1)
        look()

    assert 4 <= len([call for call in fake.calls if call[0] == "recheck_checkout"]) <= 7


def test_a_page_past_its_end_is_closed_and_the_order_expires(
    session: Session, fake: FakeProvider, order: Order, look, clock
) -> None:
    for _ in range(30):
        clock.advance(hours=3)
        look()

    assert fake.expired == [order.provider_ref]
    assert again(session, order).state == "expired"


def test_a_page_the_provider_does_not_know_expires_the_order(
    session: Session, fake: FakeProvider, order: Order, look, clock
) -> None:
    fake.pages.clear()
    clock.advance(minutes=3)
    look()

    assert again(session, order).state == "expired"


def test_an_order_that_never_reached_the_provider_is_given_up_after_a_day(
    session: Session, fake: FakeProvider, payer: Customer, look, clock
) -> None:
    fake.before = lambda _verb: lost()
    with pytest.raises(ProviderDown):
        top_up.start(session, fake, payer, 5000, form_key="form", return_url="https://x.example/", actor="usr_1")
    fake.before = lambda _verb: None
    clock.advance(hours=1)
    look()
    (order,) = session.scalars(select(Order)).all()
    assert again(session, order).state == "pending"
    for _ in range(3):
        clock.advance(days=1)
        look()

    assert again(session, order).state == "expired"


def test_a_provider_that_is_down_is_asked_again_later(
    session: Session, fake: FakeProvider, order: Order, look, clock
) -> None:
    def down(_verb: str) -> None:
        raise Unavailable("away")

    paid_without_telling(fake, order)
    fake.before = down
    clock.advance(minutes=3)
    look()
    fake.before = lambda _verb: None
    clock.advance(minutes=10)
    look()

    assert again(session, order).state == "paid"


def test_a_channel_without_keys_any_more_is_left_alone(session: Session, sessions, order: Order, clock) -> None:
    clock.advance(minutes=3)
    sweep.sweep(sessions, {})

    assert again(session, order).state == "open"


def test_holds_that_ran_out_are_given_back(session: Session, payer: Customer, look, clock) -> None:
    wallet = wallet_of(payer.id)
    with transaction(session):
        adjust.adjust(session, payer.id, 5_000_000, reason="Money for a test", actor="system", key="k")
        ledger.hold(session, wallet, 2_000_000, key="h", expires_at=the_clock.now() + timedelta(minutes=5))
    clock.advance(minutes=6)

    assert look() == 1
    with transaction(session):
        assert ledger.balance(session, wallet).available == 5_000_000
