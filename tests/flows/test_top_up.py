"""Starting a top-up: the order first, then the provider's page; once per form, whatever happens in between."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from app.customers.models import Customer
from app.db import transaction
from app.errors import IdempotencyKeyReused, Invalid, ProviderDown, UnsupportedByChannel
from app.flows import settle, top_up
from app.payments import Order, orders
from app.providers.errors import AuthFailed, InvalidRequest, RateLimited, Unavailable
from tests.support.crashes import Crash, Doom
from tests.support.fake_provider import FakeProvider
from tests.support.payments import again, lost, make_customer, wallet_minor

RETURN = "https://purser.example/wallet/topups/{order}"


def start(session: Session, fake: FakeProvider, payer: Customer, cents: int = 5000, form: str = "form-1") -> Order:
    return top_up.start(session, fake, payer, cents, form_key=form, return_url=RETURN, actor="usr_1")


def test_it_opens_a_page_for_the_order(session: Session, fake: FakeProvider, payer: Customer) -> None:
    order = start(session, fake, payer)

    assert order.state == "open"
    assert order.checkout_url == "https://pay.example/cs_1"
    asked = fake.pages["cs_1"].request
    assert (asked.order_id, asked.amount.minor, asked.amount.currency) == (order.id, 5000, "usd")
    assert asked.success_url == f"https://purser.example/wallet/topups/{order.id}"
    assert wallet_minor(session, payer.id) == 0, "a page is not money"


def test_the_same_form_gives_the_same_order_and_page(session: Session, fake: FakeProvider, payer: Customer) -> None:
    first = start(session, fake, payer)
    second = start(session, fake, payer)

    assert (first.id, first.checkout_url) == (second.id, second.checkout_url)
    assert [verb for verb, _ in fake.calls] == ["ensure_customer", "create_checkout"]


def test_the_same_form_with_another_amount_is_refused(session: Session, fake: FakeProvider, payer: Customer) -> None:
    start(session, fake, payer)

    with pytest.raises(IdempotencyKeyReused):
        start(session, fake, payer, 6000)


def test_another_form_is_another_order(session: Session, fake: FakeProvider, payer: Customer) -> None:
    first, second = start(session, fake, payer), start(session, fake, payer, form="form-2")

    assert first.id != second.id
    assert len(fake.customers) == 1, "the provider knows the customer already"


@pytest.mark.parametrize("cents", [999, 0, -5, 1_000_001, 10**15, 10**30])
def test_an_amount_out_of_range_is_refused_before_anything_is_kept(
    session: Session, fake: FakeProvider, payer: Customer, cents: int
) -> None:
    with pytest.raises(orders.AmountOutOfRange) as refused:
        start(session, fake, payer, cents)

    assert refused.value.field == "amount"
    assert "$10 to $10,000" in refused.value.sentence
    assert session.scalar(select(func.count()).select_from(Order)) == 0
    assert fake.calls == []


@pytest.mark.parametrize("key", ["", "x" * 201, "a\0b", "a\nb", "\ud800"])
def test_a_form_key_that_cannot_be_stored_is_refused(
    session: Session, fake: FakeProvider, payer: Customer, key: str
) -> None:
    with pytest.raises(Invalid):
        start(session, fake, payer, form=key)


def test_a_provider_without_free_amounts_is_refused(session: Session, payer: Customer) -> None:
    with pytest.raises(UnsupportedByChannel):
        start(session, FakeProvider("creem", caps=frozenset()), payer)


@pytest.mark.parametrize("error", [Unavailable("x"), RateLimited("x"), AuthFailed("x")])
def test_a_provider_that_is_down_leaves_an_order_to_try_again(
    session: Session, fake: FakeProvider, payer: Customer, error: Exception
) -> None:
    def down(verb: str) -> None:
        if verb == "create_checkout":
            raise error

    fake.before = down
    with pytest.raises(ProviderDown) as refused:
        start(session, fake, payer)
    assert refused.value.details == {"channel": "stripe"}
    fake.before = lambda _verb: None

    order = start(session, fake, payer)

    assert order.state == "open"
    assert session.scalar(select(func.count()).select_from(Order)) == 1


def test_a_lost_answer_is_asked_for_again_with_the_same_key(
    session: Session, fake: FakeProvider, payer: Customer
) -> None:
    fake.after = lambda verb: lost() if verb == "create_checkout" else None
    with pytest.raises(ProviderDown):
        start(session, fake, payer)
    fake.after = lambda _verb: None
    with transaction(session):
        payer.email = "new@example.com"  # what is asked was frozen: another address must not change it

    order = start(session, fake, payer)

    assert len(fake.pages) == 1
    assert order.provider_ref == "cs_1"


def test_a_definite_no_makes_the_next_try_a_new_attempt(session: Session, fake: FakeProvider, payer: Customer) -> None:
    def refuse(verb: str) -> None:
        if verb == "create_checkout":
            raise InvalidRequest("No such tax rate.")

    fake.before = refuse
    with pytest.raises(ProviderDown):
        start(session, fake, payer)
    fake.before = lambda _verb: None

    order = start(session, fake, payer)

    keys = [key for verb, key in fake.calls if verb == "create_checkout"]
    assert keys == [f"{order.id}:2"]
    assert order.state == "open"


def test_a_customer_the_provider_lost_is_made_anew(session: Session, fake: FakeProvider, payer: Customer) -> None:
    start(session, fake, payer)
    fake.customers.clear()
    with pytest.raises(ProviderDown):
        start(session, fake, payer, form="form-2")
    fake._answers.clear()

    order = start(session, fake, payer, form="form-2")

    assert order.state == "open"


def test_a_payment_told_before_our_answer_is_not_taken_back(
    session: Session, fake: FakeProvider, payer: Customer, sessions: sessionmaker[Session], providers, tells
) -> None:
    def pays_at_once(verb: str) -> None:
        if verb != "create_checkout":
            return
        with sessions() as other:
            order = other.scalars(select(Order)).one()
        tells("paid", order.id)
        settle.apply_pending(sessions, providers)

    fake.after = pays_at_once

    order = again(session, start(session, fake, payer))

    assert order.state == "paid"
    assert order.checkout_url is None
    assert wallet_minor(session, payer.id) == 5000


def test_it_survives_a_crash_between_any_two_steps(session: Session, sessions, engine: Engine) -> None:
    """A crash before or after each commit and each call: the same form always ends in one order and one page."""
    crashes = 0
    for point in count():
        fake, payer = FakeProvider(), make_customer(session)
        try:
            with Doom(point, fake).sessions(engine)() as doomed:
                start(doomed, fake, payer)
            break
        except Crash:
            crashes += 1
        fake.before = fake.after = lambda _verb: None
        with sessions() as fresh:
            order = start(fresh, fake, payer)
            assert order.state == "open"
            assert order.provider_ref in fake.pages
        assert len(fake.pages) == 1, "one page, however often it was asked for"

    assert crashes >= 10
    assert session.scalar(select(func.count()).select_from(Order)) == crashes + 1


def test_twenty_submits_at_once_make_one_order(sessions, session: Session, fake: FakeProvider, payer: Customer) -> None:
    ready = threading.Barrier(20)

    def submit(_number: int) -> str:
        ready.wait()
        with sessions() as own:
            return start(own, fake, payer).id

    with ThreadPoolExecutor(20) as pool:
        found = set(pool.map(submit, range(20)))

    assert len(found) == 1
    assert len(fake.pages) == 1


def test_corpus_046_the_key_is_a_function_of_the_order_alone(
    session: Session, fake: FakeProvider, payer: Customer
) -> None:
    order = start(session, fake, payer)

    assert orders.key_of(order) == f"{order.id}:1"
    assert ("create_checkout", f"{order.id}:1") in fake.calls


def test_corpus_044_a_storm_of_retries_with_lost_answers_makes_one_page(
    session: Session, fake: FakeProvider, payer: Customer
) -> None:
    fake.after = lambda verb: lost() if verb == "create_checkout" else None
    for _ in range(10):
        with pytest.raises(ProviderDown):
            start(session, fake, payer)
    fake.after = lambda _verb: None

    start(session, fake, payer)

    assert len(fake.pages) == 1
    assert len({key for verb, key in fake.calls if verb == "create_checkout"}) == 1
