"""Settling with crashes, many workers and many deliveries at once: exactly one credit, always."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from app.activity.models import Activity
from app.customers.models import Customer
from app.db import transaction
from app.flows import settle, top_up
from app.payments import Order, Payment, ProviderEvent, inbox
from tests.support.crashes import Crash, Doom
from tests.support.fake_provider import FakeProvider, heard, told
from tests.support.payments import again, make_customer, wallet_minor


def buy(session: Session, fake: FakeProvider, payer: Customer) -> Order:
    return top_up.start(session, fake, payer, 5000, form_key="f", return_url="https://x.example/", actor="usr_1")


def keep(session: Session, order: Order, kind: str, **more: object) -> None:
    news = heard(told(kind, order.id, **more))
    with transaction(session):
        inbox.keep(session, provider="stripe", verified=news.verified, body=news.body, headers={})


def test_corpus_007_it_survives_a_crash_between_any_two_commits(
    session: Session, sessions, engine: Engine, fake: FakeProvider, clock
) -> None:
    """A crash before or after each commit of a worker: the next worker finishes, and credits once."""
    crashes = 0
    for point in count():
        payer = make_customer(session)
        order = buy(session, fake, payer)
        keep(session, order, "completed", payment=f"pay_{point}")
        keep(session, order, "paid", payment=f"pay_{point}")
        crashed = False
        try:
            settle.apply_pending(Doom(point).sessions(engine), {"stripe": fake})
        except Crash:
            crashed = True
            crashes += 1
        clock.advance(minutes=3)  # until the dead worker's lease is over
        settle.apply_pending(sessions, {"stripe": fake})

        assert wallet_minor(session, payer.id) == 5000
        assert again(session, order).state == "paid"
        if not crashed:
            break

    assert crashes >= 8
    assert set(session.scalars(select(ProviderEvent.state))) == {"done"}


def test_corpus_008_twenty_deliveries_at_once_are_kept_once_and_none_fails(
    sessions, session: Session, fake: FakeProvider, payer: Customer
) -> None:
    order = buy(session, fake, payer)
    said, ready = heard(told("paid", order.id)), threading.Barrier(20)

    def deliver(_number: int) -> bool:
        ready.wait()
        with sessions() as own, transaction(own):
            return inbox.keep(own, provider="stripe", verified=said.verified, body=said.body, headers={})

    with ThreadPoolExecutor(20) as pool:
        new = list(pool.map(deliver, range(20)))

    assert sum(new) == 1
    assert session.scalar(select(ProviderEvent.deliveries)) == 20


def test_corpus_009_eight_workers_and_overlapping_events_credit_once(
    sessions, session: Session, fake: FakeProvider
) -> None:
    """Different events of one payment, applied at the same time, never credit twice and never go backwards."""
    bought = []
    for number in range(6):
        payer = make_customer(session)
        order = buy(session, fake, payer)
        bought.append((payer.id, order))
        for kind in ("completed", "completed_paid", "paid", "expired"):
            keep(session, order, kind, payment=f"pay_{number}")
    ready = threading.Barrier(8)

    def work(_number: int) -> int:
        ready.wait()
        done = 0
        while found := settle.apply_pending(sessions, {"stripe": fake}, limit=2):
            done += found
        return done

    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(work, range(8)))

    assert done == 24
    assert [wallet_minor(session, customer) for customer, _ in bought] == [5000] * 6
    assert {again(session, order).state for _, order in bought} == {"paid"}
    assert session.scalar(select(func.count()).select_from(Payment)) == 6


def test_a_worker_that_lost_its_lease_changes_nothing(
    sessions, session: Session, fake: FakeProvider, payer: Customer, clock
) -> None:
    order = buy(session, fake, payer)
    keep(session, order, "completed")
    with transaction(session):
        (slow,) = inbox.claim(session, limit=1)
    clock.advance(minutes=3)
    with transaction(session):
        (quick,) = inbox.claim(session, limit=1)

    settle.apply(session, {"stripe": fake}, slow)

    assert again(session, order).state == "open", "the slow worker's effects were rolled back"
    settle.apply(session, {"stripe": fake}, quick)
    assert again(session, order).state == "processing"


def test_the_same_id_with_other_content_is_not_taken_over(
    sessions, session: Session, fake: FakeProvider, payer: Customer
) -> None:
    order = buy(session, fake, payer)
    keep(session, order, "paid", event_id="evt_1")
    keep(session, order, "paid", event_id="evt_1", amount=999_999)
    settle.apply_pending(sessions, {"stripe": fake})

    assert wallet_minor(session, payer.id) == 5000
    changed = select(func.count()).select_from(Activity).where(Activity.action == "webhook.changed_content")
    assert session.scalar(changed) == 1
