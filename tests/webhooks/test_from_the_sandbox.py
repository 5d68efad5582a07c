"""The whole way: a top-up through the real adapter, paid at the sandbox, told by its signed webhooks over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from app import create_app, credits
from app.catalogue import file, publish, shipped
from app.customers.models import Customer
from app.db import transaction
from app.extensions import db
from app.flows import buy_pack, settle, sweep, top_up
from app.flows.buy_pack import Wish
from app.invoices import Invoice
from app.payments import Order, Payment, ProviderEvent
from app.sandbox.config import SandboxConfig
from app.sandbox.server import Running, running_sandbox
from app.sandbox.webhooks import deliveries
from tests.support.fake_provider import SECRET
from tests.support.payments import KEY, Buyer, again, wallet_minor


@dataclass
class World:
    """Our application on a port, the sandbox on another, and a worker by hand."""

    app: Flask
    sandbox: Running
    session: Session
    sessions: Any

    @property
    def providers(self) -> dict[str, Any]:
        return self.app.extensions["providers"]

    def tops_up(self, payer: Customer) -> Order:
        stripe = self.providers["stripe"]
        return top_up.start(
            self.session, stripe, payer, 5000, form_key="f", return_url="https://x.example/{order}", actor="usr_1"
        )

    def buys(self, payer: Customer) -> Order:
        """A pack of 500 credits for $45."""
        with transaction(self.session):
            publish.apply(self.session, file.read(shipped.text_of("view"), currency="usd"), actor="cli")
        back = "https://x.example/{order}"
        wish = Wish("medium", "f", "usr_1", back, back)
        return buy_pack.start(self.session, self.providers["stripe"], payer, wish)

    def pays(self, order: Order, card: str = "4242424242424242") -> str:
        return Buyer(self.sandbox).pays(str(order.provider_ref), card)

    def mode(self, word: str) -> None:
        with self.sandbox.sandbox.writing() as tx:
            deliveries.set_mode(tx, word)

    def works(self) -> None:
        while settle.apply_pending(self.sessions, self.providers):
            pass

    def credited(self, order: Order) -> int:
        return wallet_minor(self.session, order.customer_id)

    def payments(self) -> int:
        return self.session.scalar(select(func.count()).select_from(Payment)) or 0


@pytest.fixture
def world(settings: Any, sessions: Any, session: Session, tmp_path: Path, clock: Any) -> Iterator[World]:
    clock.set(datetime.now(UTC))  # the sandbox signs with the machine's time, as Stripe would
    made: dict[str, Any] = {}

    def application(environ: Any, start_response: Any) -> Any:
        return made["app"](environ, start_response)

    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    config = SandboxConfig(
        database=tmp_path / "sandbox.db",
        secret_key=KEY,
        strict=True,
        webhook_url=f"http://127.0.0.1:{server.server_port}/payment/webhook/stripe",
        webhook_secret=SECRET,
    )
    with running_sandbox(config, delivers=False) as running:
        made["app"] = create_app(replace(settings, stripe_secret_key=KEY, stripe_api_base=running.url))
        yield World(made["app"], running, session, sessions)
    server.shutdown()
    thread.join()
    server.server_close()
    with made["app"].app_context():
        db.session.remove()
        db.engine.dispose()


def test_a_paid_page_is_credited_when_its_webhook_was_applied(world: World, session: Session, payer: Customer) -> None:
    order = world.tops_up(payer)
    world.pays(order)
    assert world.credited(order) == 0, "paying is not yet being told"

    world.sandbox.deliver()
    world.works()

    assert world.credited(order) == 5000
    assert again(session, order).state == "paid"
    assert not set(session.scalars(select(ProviderEvent.state))) & {"pending", "dead"}


def test_a_pack_brings_its_credits_once_and_leaves_an_invoice(world: World, session: Session, payer: Customer) -> None:
    world.mode("duplicate")
    order = world.buys(payer)
    world.pays(order)
    assert credits.balance(session, payer.id).available == 0, "paying is not yet being told"
    session.rollback()

    world.sandbox.deliver()
    world.works()

    assert credits.balance(session, payer.id).available == 500
    assert (again(session, order).state, world.payments(), world.credited(order)) == ("paid", 1, 0)
    invoice = session.scalars(select(Invoice)).one()
    assert (invoice.reason, invoice.order_id, invoice.status, invoice.total_minor) == ("pack", order.id, "paid", 4500)
    assert not set(session.scalars(select(ProviderEvent.state))) & {"pending", "dead"}


def test_a_forged_payment_of_a_pack_is_turned_away(world: World, session: Session, payer: Customer) -> None:
    order = world.buys(payer)
    session_id, body = str(order.provider_ref), {"type": "checkout.session.completed", "id": "evt_forged"}
    body["data"] = {"object": {"id": session_id, "payment_status": "paid", "metadata": {"intent_id": order.id}}}

    signed = {"Stripe-Signature": "t=1773480600,v1=" + "0" * 64}
    answer = world.app.test_client().post("/payment/webhook/stripe", json=body, headers=signed)
    world.works()

    assert answer.status_code == 400
    assert session.scalars(select(ProviderEvent)).all() == []
    assert credits.balance(session, payer.id).available == 0


def test_webhooks_twice_and_in_any_order_credit_once(world: World, session: Session, payer: Customer) -> None:
    world.mode("duplicate")
    order = world.tops_up(payer)
    world.pays(order)
    world.sandbox.deliver()
    world.works()

    assert world.credited(order) == 5000
    assert world.payments() == 1
    assert session.scalar(select(func.max(ProviderEvent.deliveries))) == 2


def test_a_dropped_webhook_is_made_good_by_asking(world: World, payer: Customer, clock: Any) -> None:
    world.mode("drop")
    order = world.tops_up(payer)
    world.pays(order)
    world.sandbox.deliver()
    world.works()
    assert world.credited(order) == 0

    clock.advance(minutes=3)
    sweep.sweep(world.sessions, world.providers)
    world.works()

    assert world.credited(order) == 5000


def test_a_late_webhook_after_asking_credits_nothing_more(world: World, payer: Customer, clock: Any) -> None:
    world.mode("hold")
    order = world.tops_up(payer)
    world.pays(order)
    clock.advance(minutes=3)
    sweep.sweep(world.sessions, world.providers)
    world.works()
    with world.sandbox.sandbox.writing() as tx:
        deliveries.release_held(tx)
    world.sandbox.deliver()
    world.works()

    assert world.credited(order) == 5000
    assert world.payments() == 1


def test_a_declined_card_credits_nothing(world: World, session: Session, payer: Customer) -> None:
    order = world.tops_up(payer)
    world.pays(order, "4000000000000002")
    world.sandbox.deliver()
    world.works()

    assert world.credited(order) == 0
    assert again(session, order).state == "open", "another card may be tried on the same page"


def test_a_slow_payment_is_credited_when_the_bank_paid(world: World, session: Session, payer: Customer) -> None:
    order = world.tops_up(payer)
    world.pays(order, "000123456789")
    world.sandbox.deliver()
    world.works()
    assert (again(session, order).state, world.credited(order)) == ("processing", 0)

    world.sandbox.advance(4 * 86_400)
    world.sandbox.deliver()
    world.works()

    assert (again(session, order).state, world.credited(order)) == ("paid", 5000)


def test_a_slow_payment_that_fails_says_why(world: World, session: Session, payer: Customer) -> None:
    order = world.tops_up(payer)
    world.pays(order, "000111111116")
    world.sandbox.advance(4 * 86_400)
    world.sandbox.deliver()
    world.works()

    assert (again(session, order).state, world.credited(order)) == ("failed", 0)
    assert order.failure


def test_an_abandoned_page_expires(world: World, session: Session, payer: Customer) -> None:
    order = world.tops_up(payer)
    world.sandbox.advance(25 * 3600)
    world.sandbox.deliver()
    world.works()

    assert (again(session, order).state, world.credited(order)) == ("expired", 0)
