"""The hosted pages in a real browser, with and without script: the policy lets people pay and leave."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])]


@pytest.fixture
def shop() -> Iterator[str]:
    """A shop at another origin, which is where success_url leads."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!doctype html><title>Shop</title><link rel=icon href='data:,'><h1>Back in the shop</h1>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def session(top_up: Any, shop: str) -> Any:
    return top_up(success_url=shop + "/done?session_id={CHECKOUT_SESSION_ID}", cancel_url=shop + "/wallet")


def test_a_declined_card_then_a_good_one_lead_back_to_the_shop(page, session, shop):
    page.goto(session.url)
    page.get_by_label("Is declined").check()
    page.get_by_role("button", name="Pay $50.00").click()
    refusal = page.get_by_role("alert").inner_text()

    page.get_by_label("Pays at once").check()
    page.get_by_role("button", name="Pay $50.00").click()
    page.wait_for_url(re.compile("/done"))

    assert "Your card was declined." in refusal
    assert page.url == f"{shop}/done?session_id={session.id}"


def test_3d_secure_is_approved_on_a_second_page(page, session, shop):
    page.goto(session.url)
    page.get_by_label("Card number").fill("4000 0025 0000 3155")
    page.get_by_role("button", name="Pay $50.00").click()
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url(re.compile("/done"))

    assert page.url.startswith(shop)


def test_somebody_leaves(page, session, shop):
    page.goto(session.url)
    page.get_by_role("link", name="Leave without paying").click()

    assert page.url == shop + "/wallet"


def test_the_console_breaks_and_mends_a_webhook(page, ada, sandbox, receiver):
    page.goto(sandbox.url)
    page.get_by_role("button", name="Hold: customer.created").click()
    page.get_by_role("button", name="Release the held").click()
    page.get_by_role("button", name="Advance 1 hour").click()
    sandbox.deliver()

    page.get_by_role("link", name="customer.created").click()

    assert "200" in page.get_by_role("row").nth(1).inner_text()
    assert sandbox.sandbox.clock.offset() == 3600
    assert receiver.kinds == ["customer.created"]
