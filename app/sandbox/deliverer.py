"""The deliverer: posts due events, signed as Stripe signs them, and keeps what the endpoints said."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import logging
import threading
import time
from urllib.parse import urlsplit

from app.sandbox.clock import real_now
from app.sandbox.core import Sandbox
from app.sandbox.engine.due import run_due
from app.sandbox.webhooks import deliveries
from app.sandbox.webhooks.deliveries import Delivery

log = logging.getLogger(__name__)

_PATIENCE = 20  # seconds an endpoint may take
_FAREWELL = 5  # seconds a delivery under way may hold up the end
_NAP = 1  # seconds between two looks at the clock, which another program may move


def deliver_due(sandbox: Sandbox, limit: int = 1000) -> int:
    """Send what is due now, one after the other, and say how many attempts that took."""
    run_due(sandbox)
    for sent in range(limit):
        with sandbox.reading() as tx:
            if not tx.sql.execute(
                "SELECT 1 FROM deliveries WHERE state = 'pending' AND due <= ? LIMIT 1", (tx.now,)
            ).fetchone():
                return sent
        with sandbox.writing() as tx:
            delivery = deliveries.claim_due(tx)
        if delivery is None:
            return sent
        _send(sandbox, delivery)
    return limit


class Deliverer:
    """A thread that delivers until it is stopped."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-delivery", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the delivery under way, if that takes no more than seconds, and end; the outbox keeps the rest."""
        self._ended.set()
        self._sandbox.news.set()
        self._thread.join(timeout=_FAREWELL)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._sandbox.news.clear()
            try:
                sent = deliver_due(self._sandbox, limit=50)
            except Exception:  # a full disk, say: the outbox keeps everything, so try again later
                log.exception("The sandbox could not deliver")
                sent = 0
            if not sent:
                self._sandbox.news.wait(_NAP)


def signature(body: str, secret: str, at: int) -> str:
    """The `Stripe-Signature` header: `t` is real epoch seconds, `v1` an HMAC-SHA256 over `t.body`."""
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _send(sandbox: Sandbox, delivery: Delivery) -> None:
    with sandbox.reading() as tx:
        event = tx.get("event", delivery.event)
        endpoint = tx.get("webhook_endpoint", delivery.endpoint)
        secret = tx.hidden(endpoint["id"])["secret"]
        event["pending_webhooks"] = max(1, deliveries.undelivered(tx, delivery.event))
    body = json.dumps(event)
    began = time.monotonic_ns()
    status, said = _post(endpoint["url"], body, signature(body, secret, real_now()))
    took_ms = (time.monotonic_ns() - began) // 1_000_000
    with sandbox.writing() as tx:
        deliveries.record_attempt(tx, delivery, status, said, took_ms)


def _post(url: str, body: str, signed: str) -> tuple[int | None, str]:
    """Status and the start of the answer; no status when nobody answered. Redirects are not followed, as at Stripe."""
    where = urlsplit(url)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = kind(where.netloc, timeout=_PATIENCE)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signed,
        "User-Agent": "Stripe/1.0 (sandbox)",
        "Connection": "close",
    }
    try:
        connection.request(
            "POST", where.path + (f"?{where.query}" if where.query else "") or "/", body.encode(), headers
        )
        answer = connection.getresponse()
        return answer.status, answer.read(500).decode(errors="replace")
    except (OSError, http.client.HTTPException) as problem:
        return None, f"{type(problem).__name__}: {problem}"
    finally:
        connection.close()
