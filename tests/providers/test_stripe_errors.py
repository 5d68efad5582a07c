"""Stripe's errors in our words, from a server that answers whatever the test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.money import Money
from app.providers import errors
from app.providers.values import CustomerRef
from tests.support.payments import stripe_adapter

SAMPLES = Path(__file__).parent / "payloads" / "stripe" / "errors"
ADA = CustomerRef("cus_1", "cus_ada")


class Answers(BaseHTTPRequestHandler):
    """Gives every request the same answer, and counts them."""

    status, body, asked = 200, b"{}", 0

    def do_POST(self) -> None:
        type(self).asked += 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.send_header("Request-Id", "req_1")
        self.send_header("Stripe-Should-Retry", "false")
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_POST  # noqa: N815 - the server looks for this name

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    answers = type("TheseAnswers", (Answers,), {})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), answers)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    answers.adapter = stripe_adapter(api_base=f"http://127.0.0.1:{listening.server_port}")
    yield answers
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.mark.parametrize(
    ("sample", "status", "kind"),
    [
        ("400_charge_already_refunded", 400, errors.InvalidRequest),
        ("400_idempotency_error", 400, errors.Conflict),
        ("402_card_declined", 402, errors.Declined),
        ("404_resource_missing", 404, errors.NotFound),
        ("409_lock_timeout", 409, errors.Conflict),
        ("429_rate_limit", 429, errors.RateLimited),
    ],
)
def test_an_error_has_its_kind_code_and_request(server: Any, sample: str, status: int, kind: type) -> None:
    server.status, server.body = status, (SAMPLES / f"{sample}.json").read_bytes()

    with pytest.raises(errors.ProviderError) as raised:
        server.adapter.get_checkout("cs_1")

    assert type(raised.value) is kind or isinstance(raised.value, kind)
    assert raised.value.request_id == "req_1"
    assert raised.value.code == json.loads(server.body)["error"].get("code", "idempotency_error")


@pytest.mark.parametrize(
    ("param", "kind"),
    [
        ("line_items[0][price]", errors.NotConfigured),
        ("items[0][price]", errors.NotConfigured),
        ("discounts[0][promotion_code]", errors.NotConfigured),
        ("customer", errors.NotFound),
        ("payment_method", errors.NotFound),
    ],
)
def test_what_is_named_and_not_there_is_told_from_a_customer_who_is_not(server: Any, param: str, kind: type) -> None:
    said = {"type": "invalid_request_error", "code": "resource_missing", "param": param, "message": "No such x: 'x_1'"}
    server.status, server.body = 400, json.dumps({"error": said}).encode()

    with pytest.raises(errors.InvalidRequest, match="No such x: 'x_1'") as raised:
        server.adapter.get_checkout("cs_1")

    assert (type(raised.value), raised.value.code) == (kind, "resource_missing")


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_accepted_never_shows(server: Any, status: int) -> None:
    error = {"error": {"type": "invalid_request_error", "message": "Invalid API Key provided: sk_test_of_the_tests"}}
    server.status, server.body = status, json.dumps(error).encode()

    with pytest.raises(errors.AuthFailed) as raised:
        server.adapter.get_checkout("cs_1")

    assert "sk_test" not in str(raised.value)


@pytest.mark.parametrize(("status", "body"), [(500, b"{}"), (502, b"<html>"), (200, b"not json"), (503, b"")])
def test_an_answer_to_nothing_is_an_unknown_outcome(server: Any, status: int, body: bytes) -> None:
    server.status, server.body = status, body

    with pytest.raises(errors.Unavailable):
        server.adapter.get_checkout("cs_1")


def test_a_declined_charge_is_a_result_with_its_payment(server: Any) -> None:
    server.status, server.body = 402, (SAMPLES / "402_card_declined.json").read_bytes()

    result = _charge(server.adapter)

    assert (result.status, result.payment_id, result.decline_code) == ("failed", "pi_3SAuto43", "insufficient_funds")
    assert result.retry_advice == "later"
    assert result.action_secret is None


def test_a_charge_that_needs_the_person_says_so(server: Any) -> None:
    server.status, server.body = 402, (SAMPLES / "402_authentication_required.json").read_bytes()

    result = _charge(server.adapter)

    assert (result.status, result.payment_id) == ("requires_action", "pi_3SAuto43")
    assert result.action_secret == "pi_3SAuto43_secret_Xq"


def test_a_decline_without_a_payment_is_raised(server: Any) -> None:
    server.status = 402
    server.body = json.dumps({"error": {"type": "card_error", "code": "card_declined", "message": "No."}}).encode()

    with pytest.raises(errors.Declined):
        _charge(server.adapter)


def _charge(adapter: Any) -> Any:
    return adapter.charge_saved_card(
        ADA, Money(5000, "usd"), card_id="pm_1", description="d", key="k", metadata={"kind": "auto_topup"}
    )
