"""What the pages' tests need besides people: a payment provider to order about, and orders in any state.

Pages run on SQLite alone. What they ask of a database is tested on both where it is asked; that every page answers on
PostgreSQL too, to everybody, is in tests/rules/test_authorization.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app import clock, ids, metering
from app.catalogue import file, publish
from app.db import transaction
from app.metering import NewEvent
from app.payments import orders
from app.payments.models import Order
from app.providers.errors import Unavailable
from app.providers.events import Event
from app.providers.values import Cap, CheckoutRequest, CheckoutSession, CustomerRef, Heard, Verified
from app.wallet import topups
from tests.support.people import Person
from tests.web.usage_stories import METERS

PAGE = "https://checkout.stripe.com/c/pay/"
pytest.register_assert_rewrite("tests.web.page_recount")


class Till:
    """A provider for tests: keeps what it was asked, gives one page per key, and can be out of order."""

    name, title = "stripe", "The Till"
    capabilities = frozenset({Cap.CUSTOM_AMOUNT})
    livemode = False

    def __init__(self) -> None:
        self.asked: list[CheckoutRequest] = []
        self.pages: dict[str, CheckoutSession] = {}
        self.is_down = False

    def ensure_customer(self, *, customer_id: str, email: str, name: str | None, key: str) -> CustomerRef:
        self._answer()
        return CustomerRef(f"their_{customer_id}", customer_id)

    def create_checkout(self, request: CheckoutRequest, *, key: str) -> CheckoutSession:
        self._answer()
        self.asked.append(request)
        page = CheckoutSession(f"cs_{key}", PAGE + request.order_id, "open", False, request.order_id, None, None, None)
        return self.pages.setdefault(key, page)

    def get_checkout(self, session_id: str) -> CheckoutSession:
        return next(page for page in self.pages.values() if page.id == session_id)

    def recheck_checkout(self, session_id: str) -> Heard | None:
        return None

    def verify(self, body: bytes, headers: Mapping[str, str]) -> Verified:
        raise NotImplementedError

    def normalize(self, body: bytes) -> Sequence[Event]:
        raise NotImplementedError

    def _answer(self) -> None:
        if self.is_down:
            raise Unavailable("The till is closed.")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def till(app: Flask) -> Till:
    """The application's only provider."""
    made = Till()
    app.extensions["providers"] = {"stripe": made}
    return made


@pytest.fixture
def order_of(session: Session) -> Callable[..., Order]:
    """An order of this person in any state: `order_of(ada, "expired", cents=5000)`."""

    def make(who: Person, state: str = "open", cents: int = 5_000, **more: Any) -> Order:
        with transaction(session):
            order = orders.open_order(
                session,
                customer_id=who.customer_id,
                amount_minor=cents,
                currency="usd",
                channel="stripe",
                form_key=ids.new("form"),
                created_by=who.id,
            )
            if state != "pending":
                page = CheckoutSession(f"cs_{order.id}", PAGE + order.id, "open", False, order.id, None, None, None)
                orders.sent(session, order, page)
            if state == "paid":
                topups.credit(session, order, payment_id=f"pi_{order.id}", channel="stripe")
                orders.pay(session, order, f"pi_{order.id}", at=clock.now())
            elif state not in ("pending", "open"):
                orders.move(session, order, state, **more)
        return order

    return make


@pytest.fixture
def pay(session: Session) -> Callable[[str], None]:
    """What the worker does when a provider's event says that this order is paid."""

    def paid(order_id: str) -> None:
        with transaction(session):
            order = orders.find(session, order_id, lock=True)
            assert order is not None
            topups.credit(session, order, payment_id=f"pi_{order.id}", channel="stripe")
            orders.pay(session, order, f"pi_{order.id}", at=clock.now())

    return paid


@pytest.fixture
def metered(session: Session) -> None:
    """Meters, and a free plan and a paid one that allow some of each."""
    with transaction(session):
        publish.apply(session, file.read(METERS, currency="usd"), actor="test")


@pytest.fixture
def uses(session: Session, metered: None) -> Callable[..., None]:
    """Reports usage now: `uses(ada, "calls", 300, "eu")`; `ago` says how many days before it was used."""

    def report(who: Person, meter: str, quantity: int, source: str = "", *, ago: int = 0) -> None:
        used_at = clock.now() - timedelta(days=ago)
        with transaction(session):
            event = NewEvent(ids.new("evt"), meter, quantity, source, used_at)
            recorded = metering.record(session, who.customer_id, [event])
        assert recorded.accepted == 1, recorded.refused

    return report
