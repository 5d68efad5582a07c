"""A sandbox without sockets: the real SDK and a browser without script, both calling it in this process.

Its time stands still at a known instant until a test moves it, so every amount and date is known too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import stripe
from flask import Flask
from flask.testing import FlaskClient

from app.sandbox import SandboxConfig, create_sandbox
from app.sandbox.application import open_sandbox
from app.sandbox.core import Sandbox
from app.sandbox.engine.due import run_due

KEY = "sk_test_of_these_tests"
DAY = 86400


def at(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


START = at(2026, 11, 1)


class InProcess(stripe.HTTPClient):
    """The SDK's transport, straight into the application."""

    name = "in-process"

    def __init__(self, app: Flask) -> None:
        super().__init__(verify_ssl_certs=False)
        self._client = app.test_client()

    def request(self, method: str, url: str, headers: Any, post_data: Any = None) -> tuple[str, int, Any]:
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        answer = self._client.open(path, method=method.upper(), headers=dict(headers), data=post_data or b"")
        return answer.text, answer.status_code, answer.headers

    def close(self) -> None:
        pass


@dataclass
class Desk:
    """A sandbox with its clock, its news, and a visitor for its pages."""

    app: Flask
    visitor: FlaskClient

    @property
    def sandbox(self) -> Sandbox:
        core: Sandbox = self.app.extensions["sandbox"]
        return core

    def to(self, instant: int) -> None:
        """Move the clock to an instant and let happen what is due until then."""
        self.sandbox.clock.advance(instant - self.sandbox.clock.now())
        run_due(self.sandbox)

    def news(self, *kinds: str) -> list[dict[str, Any]]:
        """Events so far, oldest first, all or those of these kinds."""
        with self.sandbox.reading() as tx:
            events = tx.every("event", limit=10_000)[::-1]
        return [event for event in events if not kinds or event["type"] in kinds]

    def kinds(self, since: int = 0) -> list[str]:
        return [event["type"] for event in self.news() if event["created"] >= since]

    def post(self, url: str, **form: str) -> Any:
        return self.visitor.post(urlsplit(url).path, data=form)

    def get(self, url: str) -> Any:
        return self.visitor.get(urlsplit(url).path)


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """One application for all tests; each gets a core and a database of its own."""
    return create_sandbox(SandboxConfig(database=tmp_path_factory.mktemp("sandbox") / "first.db"))


@pytest.fixture
def tax() -> int:
    """Basis points."""
    return 0


@pytest.fixture
def draft_for() -> int:
    """Seconds."""
    return 0


@pytest.fixture
def desk(application: Flask, tmp_path: Path, tax: int, draft_for: int) -> Iterator[Desk]:
    config = SandboxConfig(
        database=tmp_path / "sandbox.db",
        secret_key=KEY,
        base_url="http://sandbox.example",
        strict=True,
        still_at=START,
        tax_basis_points=tax,
        draft_for=draft_for,
    )
    application.extensions["sandbox"] = open_sandbox(config)
    made = Desk(application, application.test_client())
    yield made
    made.sandbox.close()
    assert not made.sandbox.faults


@pytest.fixture
def api(desk: Desk) -> Iterator[Any]:
    """`api.subscriptions.create(…)`, by the real SDK."""
    before, stripe.enable_telemetry = stripe.enable_telemetry, False
    client = stripe.StripeClient(KEY, http_client=InProcess(desk.app), max_network_retries=0)
    yield client.v1
    stripe.enable_telemetry = before


@pytest.fixture
def prices(api: Any) -> dict[str, str]:
    """Ids of the prices of two plans, per month and per year."""
    found = {}
    for name, month in (("Pro", 2900), ("Growth", 9900)):
        product = api.products.create({"name": name}).id
        for interval, amount in (("month", month), ("year", month * 10)):
            terms = {"currency": "usd", "unit_amount": amount, "recurring": {"interval": interval}}
            price = api.prices.create({"product": product, "tax_behavior": "exclusive", **terms})
            found[f"{name} {interval}"] = price.id
    return found


@pytest.fixture
def ada(api: Any) -> Any:
    return api.customers.create({"name": "Ada", "email": "ada@example.com"})


@pytest.fixture
def card(api: Any, ada: Any) -> Any:
    """Makes a card of Ada's, as her default."""

    def attach(alias: str = "pm_card_visa") -> str:
        method = api.payment_methods.attach(alias, {"customer": ada.id})
        api.customers.update(ada.id, {"invoice_settings": {"default_payment_method": method.id}})
        return str(method.id)

    return attach


@pytest.fixture
def pro(api: Any, ada: Any, card: Any, prices: dict[str, str]) -> Any:
    """Ada's subscription to Pro by the month, paid with a good card."""
    card()
    return api.subscriptions.create(
        {"customer": ada.id, "items": [{"price": prices["Pro month"]}], "metadata": {"org": "ada"}}
    )


@pytest.fixture
def bad_card(api: Any, ada: Any) -> Any:
    """Gives a subscription a card that declines every charge."""

    def give(subscription: Any, alias: str = "pm_card_chargeCustomerFail") -> str:
        method = api.payment_methods.attach(alias, {"customer": ada.id})
        api.subscriptions.update(subscription.id, {"default_payment_method": method.id})
        return str(method.id)

    return give
