"""Payments in tests: `fake` is a provider in memory; `stripe` is the real adapter, talking to the `sandbox`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from app import clock as the_clock
from app import ids, ledger
from app.config import Settings
from app.customers.models import Customer
from app.db import transaction
from app.payments import Order, inbox
from app.providers import registry
from app.providers.errors import Unavailable
from app.providers.port import Provider
from app.sandbox.config import SandboxConfig
from app.sandbox.engine import cards, checkout, methods
from app.sandbox.server import Running, running_sandbox
from app.wallet.accounts import wallet_of
from tests.support.fake_provider import SECRET, FakeProvider, heard, told

KEY = "sk_test_of_the_tests"


@pytest.fixture
def fake() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def providers(fake: FakeProvider) -> dict[str, Provider]:
    return {fake.name: fake}


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """The factory a worker is given."""
    return sessionmaker(engine, expire_on_commit=False)


def make_customer(session: Session, name: str = "Ada Ltd") -> Customer:
    """A customer without people, for tests of payments alone."""
    with transaction(session):
        made = Customer(id=ids.new("cus"), name=name, email="ada@example.com", created_at=the_clock.now())
        session.add(made)
        ledger.open_account(session, wallet_of(made.id))
    return made


@pytest.fixture
def payer(session: Session) -> Customer:
    """A customer who tops up."""
    return make_customer(session)


@pytest.fixture
def tells(session: Session) -> Callable[..., bool]:
    """Puts an event of the double's into the inbox: tells("paid", order.id, amount=5000)."""

    def tell(kind: str, order: str | None, *, provider: str = "stripe", **more: Any) -> bool:
        news = heard(told(kind, order, **more))
        with transaction(session):
            return inbox.keep(session, provider=provider, verified=news.verified, body=news.body, headers={})

    return tell


def wallet_minor(session: Session, customer_id: str) -> int:
    """The wallet's balance in cents."""
    with transaction(session):
        return ledger.balance(session, wallet_of(customer_id)).balance // 10_000


def again(session: Session, order: Order) -> Order:
    """The order as it is in the database now."""
    with transaction(session):
        session.refresh(order)
    return order


# The sandbox.


VISA = "4242424242424242"


class Buyer:
    """Somebody in front of the sandbox's hosted page."""

    def __init__(self, running: Running) -> None:
        self.running = running

    def pays(self, session_id: str, card: str = VISA) -> str:
        """Fill in the page with this card; the status of the payment after it."""
        with self.running.sandbox.writing() as tx:
            session = tx.get("checkout.session", session_id)
            intent = checkout.submit(tx, session, _method(tx, card), checkout.Payer(email="ada@example.com"))
            return str(intent["status"])

    def leaves(self, session_id: str) -> None:
        with self.running.sandbox.writing() as tx:
            checkout.expire(tx, tx.get("checkout.session", session_id))


def _method(tx: Any, number: str) -> Any:
    of = cards.source(number)
    assert of is not None
    return methods.make(tx, of)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Running]:
    """A sandbox that answers over HTTP and delivers nothing by itself; what it says is held to the description."""
    config = SandboxConfig(database=tmp_path / "sandbox.db", secret_key=KEY, strict=True, shuffle=False)
    with running_sandbox(config, delivers=False) as running:
        yield running
        assert not running.sandbox.faults


@pytest.fixture
def buyer(sandbox: Running) -> Buyer:
    return Buyer(sandbox)


@pytest.fixture
def stripe(sandbox: Running) -> Any:
    """The real adapter and SDK, talking to the sandbox."""
    return stripe_adapter(api_base=sandbox.url)


def stripe_adapter(**more: Any) -> Any:
    """An adapter as the registry builds it."""
    settings = Settings(env="test", stripe_secret_key=KEY, stripe_webhook_secret=SECRET)
    return registry.build(replace(settings, **{f"stripe_{name}": value for name, value in more.items()}))["stripe"]


def lost() -> None:
    """For `fake.after`: the call was done and its answer never came."""
    raise Unavailable("No answer.")
