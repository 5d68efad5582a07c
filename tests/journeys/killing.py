"""Load on a running installation that is being killed: clients that debit and providers that tell, each with a log.

What a client was answered decides what must be in the books afterwards (docs: an answer of 2xx is a promise).
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import itertools
import json
import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PATIENCE = 5  # seconds for one answer; a killed server never gives it
CENT = 10_000  # micros


@dataclass
class Promise:
    """One thing asked for: how much, and whether anybody answered that it is done."""

    customer_id: str
    cents: int
    acknowledged: bool = False
    lost_answers: int = 0


@dataclass
class Log:
    """What the clients know: debits by key, top-ups by payment."""

    debits: dict[str, Promise] = field(default_factory=dict)
    topups: dict[str, Promise] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def lost_answers(self) -> int:
        return sum(each.lost_answers for each in [*self.debits.values(), *self.topups.values()])


@dataclass(frozen=True)
class TopUp:
    """An order that waits for its payment."""

    order_id: str
    customer_id: str
    cents: int

    @property
    def payment_id(self) -> str:
        return "pi_" + self.order_id.removeprefix("ord_")


class Load:
    """Threads that debit and threads that tell of payments, until stopped."""

    def __init__(
        self, base_url: str, keys: Sequence[str], customers: Sequence[str], topups: Sequence[TopUp], secret: str
    ) -> None:
        self.log = Log()
        self._address = urlsplit(base_url).netloc
        self._keys, self._customers, self._secret = list(keys), list(customers), secret
        self._waiting = iter(topups)
        self._guard, self._over = threading.Lock(), threading.Event()
        self._turn = itertools.count()

    def start(self, *, debiting: int = 4, telling: int = 2) -> None:
        """Begin; each thread has its own dice, so a run differs from the next in timing alone."""
        verbs: list[Callable[[random.Random], None]] = [self._debit] * debiting + [self._tell] * telling
        self._threads = [threading.Thread(target=self._repeat, args=(verb, seed)) for seed, verb in enumerate(verbs)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let everyone finish what they asked for."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, verb: Callable[[random.Random], None], seed: int) -> None:
        dice = random.Random(seed)
        while not self._over.is_set():
            verb(dice)

    def _debit(self, dice: random.Random) -> None:
        key, promise = uuid.uuid4().hex, Promise(dice.choice(self._customers), dice.randint(1, 9))
        self.log.debits[key] = promise
        body = json.dumps({"amount_cents": promise.cents, "description": f"Run {key}"}).encode()
        headers = {
            "Authorization": "Bearer " + self._keys[next(self._turn) % len(self._keys)],
            "Purser-Customer": promise.customer_id,
            "Idempotency-Key": key,
            "Content-Type": "application/json",
        }
        # One in ten gives up after a lost answer: then nobody knows, and the books may hold it or not, but not twice.
        tries = 1 if dice.random() < 0.1 else 40
        self._ask("/v1/wallet/debits", body, lambda: headers, promise, tries)

    def _tell(self, dice: random.Random) -> None:
        with self._guard:
            topup = next(self._waiting, None)
        if topup is None:
            self._over.wait(0.2)
            return
        promise = Promise(topup.customer_id, topup.cents)
        self.log.topups[topup.payment_id] = promise
        body = paid_event(topup)
        for _ in range(2 if dice.random() < 0.3 else 1):  # providers tell twice, now and then
            self._ask("/payment/webhook/stripe", body, lambda: self._signed(body), promise, tries=40)
        self._over.wait(0.05)

    def _ask(
        self, path: str, body: bytes, headers: Callable[[], Mapping[str, str]], promise: Promise, tries: int
    ) -> None:
        for _ in range(tries):
            status, said = post(self._address, path, body, headers())
            if status in (200, 201):
                promise.acknowledged = True
                return
            if status is None or status >= 500:
                promise.lost_answers += status is None
            elif status != 429:
                self.log.refused.append(f"{path}: {status} {said[:200]}")
                return
            time.sleep(0.1)

    def _signed(self, body: bytes) -> dict[str, str]:
        stamp = str(int(time.time()))
        digest = hmac.new(self._secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        return {"Content-Type": "application/json", "Stripe-Signature": f"t={stamp},v1={digest}"}


def post(address: str, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int | None, str]:
    """Status and text; no status when the answer was lost or nobody listened."""
    connection = http.client.HTTPConnection(address, timeout=PATIENCE)
    try:
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return None, ""
    finally:
        connection.close()


def paid_event(topup: TopUp) -> bytes:
    """What Stripe tells when the checkout of this order was paid."""
    session = {
        "id": "cs_test_" + topup.order_id,
        "object": "checkout.session",
        "mode": "payment",
        "status": "complete",
        "payment_status": "paid",
        "payment_intent": topup.payment_id,
        "client_reference_id": topup.order_id,
        "amount_total": topup.cents,
        "total_details": {"amount_tax": 0},
        "currency": "usd",
        "customer": None,
        "invoice": None,
        "url": None,
        "expires_at": None,
        "livemode": False,
        "metadata": {"intent_id": topup.order_id},
    }
    event = {
        "id": "evt_" + topup.order_id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "livemode": False,
        "type": "checkout.session.completed",
        "data": {"object": session},
    }
    return json.dumps(event).encode()
