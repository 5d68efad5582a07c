"""A running sandbox, the real SDK pointed at it, a browser without script, and somebody who gets its webhooks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from app.sandbox import Running, SandboxConfig, running_sandbox

KEY = "sk_test_of_these_tests"
SECRET = "whsec_of_these_tests"


@dataclass
class Receiver:
    """An endpoint that verifies what it gets with the SDK, and answers as it is told."""

    url: str = ""
    secret: str = SECRET
    answers: list[int] = field(default_factory=list)  # the next statuses; 200 when empty
    bodies: list[bytes] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)

    def take(self, body: bytes, signature: str) -> int:
        self.events.append(stripe.Webhook.construct_event(body, signature, self.secret))
        self.bodies.append(body)
        return self.answers.pop(0) if self.answers else 200

    @property
    def kinds(self) -> list[str]:
        return [event.type for event in self.events]

    def only(self, kind: str) -> Any:
        found = [event for event in self.events if event.type == kind]
        assert len(found) == 1, f"{len(found)} of {kind} among {self.kinds}"
        return found[0]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(told.take(body, self.headers["Stripe-Signature"]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}/hook?from=sandbox"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def config(tmp_path: Path, receiver: Receiver) -> SandboxConfig:
    return SandboxConfig(
        database=tmp_path / "sandbox.db", secret_key=KEY, webhook_url=receiver.url, webhook_secret=SECRET, strict=True
    )


@pytest.fixture
def sandbox(config: SandboxConfig) -> Iterator[Running]:
    """Delivers when told to, and may at no time have been anything but what Stripe describes."""
    with running_sandbox(config, delivers=False) as running:
        yield running
        assert not running.sandbox.faults


@pytest.fixture
def sdk(sandbox: Running) -> Iterator[Callable[..., stripe.StripeClient]]:
    """Makes clients of the real SDK; without retries, so that every answer is seen."""
    opened: list[stripe.HTTPClient] = []

    def client(key: str = KEY, **options: Any) -> stripe.StripeClient:
        transport = stripe.RequestsClient(timeout=10)
        opened.append(transport)
        options = {"max_network_retries": 0, "base_addresses": {"api": sandbox.url}, **options}
        return stripe.StripeClient(key, http_client=transport, **options)

    before, stripe.enable_telemetry = stripe.enable_telemetry, False
    yield client
    stripe.enable_telemetry = before
    for transport in opened:
        transport.close()


@pytest.fixture
def api(sdk: Callable[..., stripe.StripeClient]) -> Any:
    """`api.customers.create(…)`."""
    return sdk().v1


@pytest.fixture
def visitor() -> Iterator[httpx.Client]:
    """A browser without script that does not follow redirects by itself."""
    with httpx.Client(timeout=10, headers={"Sec-Fetch-Site": "same-origin"}) as client:
        yield client


@pytest.fixture
def raw(sandbox: Running) -> Iterator[httpx.Client]:
    """The API without the SDK in between."""
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=sandbox.url, timeout=10, headers=headers) as client:
        yield client


@pytest.fixture
def ada(api: Any) -> Any:
    return api.customers.create({"name": "Ada", "email": "ada@example.com", "metadata": {"org": "ada"}})


@pytest.fixture
def top_up(api: Any, ada: Any) -> Callable[..., Any]:
    """Opens a checkout session as a wallet top-up does."""

    def open_session(amount: int = 5000, **more: Any) -> Any:
        price = {"currency": "usd", "unit_amount": amount, "product_data": {"name": "Wallet top-up"}}
        return api.checkout.sessions.create(
            {
                "mode": "payment",
                "customer": ada.id,
                "client_reference_id": "ord_1",
                "line_items": [{"quantity": 1, "price_data": {**price, "tax_behavior": "exclusive"}}],
                "metadata": {"of": "session"},
                "payment_intent_data": {"metadata": {"of": "payment"}},
                "success_url": "http://shop.example/done?session_id={CHECKOUT_SESSION_ID}",
                "cancel_url": "http://shop.example/wallet",
                **more,
            }
        )

    return open_session
