"""Webhooks of the stand-in: signed, sent when the test pulls, tried again after 5, 25 and 125 seconds of its clock."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

RETRIES = tuple(timedelta(seconds=wait) for wait in (5, 25, 125))
Send = Callable[[bytes, dict[str, str]], int]  # the status it was answered with


@dataclass
class Delivery:
    """One event on its way."""

    name: str
    body: bytes
    due: datetime
    tries: int = 0


class Deliveries:
    """What waits to be delivered. `failed` was given up; `lost` never left."""

    def __init__(self, now: Callable[[], datetime], secret: str) -> None:
        self._now, self.secret = now, secret
        self.waiting: list[Delivery] = []
        self.failed: list[Delivery] = []
        self.lost: list[Delivery] = []
        self.are_lost = False  # while True, nothing leaves at all

    def tell(self, event: dict[str, Any]) -> None:
        body = json.dumps(event, separators=(",", ":")).encode()
        made = Delivery(event["meta"]["event_name"], body, self._now())
        (self.lost if self.are_lost else self.waiting).append(made)

    def headers(self, delivery: Delivery) -> dict[str, str]:
        signature = hmac.new(self.secret.encode(), delivery.body, hashlib.sha256).hexdigest()
        return {"X-Event-Name": delivery.name, "X-Signature": signature, "Content-Type": "application/json"}

    def send_due(self, send: Send, *, times: int = 1, seed: int | None = None) -> int:
        """Deliver what is due, each `times` over and in another order with a seed; how many tries that took.

        Only a 200 counts as taken, whatever else may mean well.
        """
        due = [one for one in self.waiting if one.due <= self._now()]
        tries = due * times
        if seed is not None:
            random.Random(seed).shuffle(tries)
        answers: dict[int, list[int]] = {}
        for one in tries:
            answers.setdefault(id(one), []).append(send(one.body, self.headers(one)))
        for one in due:
            self._after(one, 200 in answers[id(one)])
        return len(tries)

    def _after(self, one: Delivery, taken: bool) -> None:
        one.tries += 1
        if not taken and one.tries <= len(RETRIES):
            one.due = self._now() + RETRIES[one.tries - 1]
            return
        self.waiting.remove(one)
        if not taken:
            self.failed.append(one)

    def resend(self, one: Delivery) -> None:
        """By hand, in the dashboard: the same bytes once more."""
        self.waiting.append(Delivery(one.name, one.body, self._now()))
