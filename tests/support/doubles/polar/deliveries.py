"""Webhooks of the stand-in: signed, pulled by the test, in order at first, and tried ten times."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.providers import standard_webhooks
from tests.support.doubles.polar.shapes import Json, text

MOST_TRIES, GUARD = 10, timedelta(minutes=1)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=20)
Send = Callable[[bytes, dict[str, str]], int]  # the status it was answered with


@dataclass
class Sent:
    """One event, and every try to deliver it."""

    id: str
    kind: str
    body: bytes
    made_at: datetime
    due: datetime
    tries: int = 0
    taken: bool = False
    given_up: bool = False

    @property
    def waits(self) -> bool:
        return not self.taken and not self.given_up


@dataclass
class Deliveries:
    """What waits to be delivered, and what was tried. While `lost` is set, every try goes into the void."""

    now: Callable[[], datetime]
    key: bytes
    events: list[Sent] = field(default_factory=list)
    tried: list[Json] = field(default_factory=list)
    lost: bool = False
    enabled: bool = True
    failures: int = 0

    def tell(self, kind: str, thing: Json) -> None:
        now = self.now()
        said: Json = {"type": kind, "timestamp": text(now), "api_version": "2026-10", "data": thing}
        body = json.dumps(said, separators=(",", ":")).encode()
        self.events.append(Sent(str(uuid.uuid4()), kind, body, now, now))

    def headers(self, event: Sent) -> dict[str, str]:
        at = int(self.now().timestamp())
        signed = standard_webhooks.signature(event.body, self.key, event_id=event.id, at=at)
        values = (event.id, str(at), signed)
        names = (standard_webhooks.ID, standard_webhooks.TIME, standard_webhooks.SIGNATURE)
        return {**dict(zip(names, values, strict=True)), "Content-Type": "application/json"}

    def send_due(self, send: Send, *, times: int = 1, seed: int | None = None) -> int:
        """Deliver what is due, in order unless a seed shuffles it, each `times` over; how many were taken."""
        due = [event for event in self.events if event.waits and event.due <= self.now()]
        tries = due * times
        if seed is not None:
            random.Random(seed).shuffle(tries)
        for event in tries:
            if seed is None and not event.taken and self._must_wait(event):
                continue
            self._try(event, send)
        return sum(event.taken for event in due)

    def _must_wait(self, event: Sent) -> bool:
        """An earlier one goes first, as long as it is young: one that keeps failing holds nothing up for long."""
        earlier = self.events[: self.events.index(event)]
        return any(one.waits and self.now() - one.made_at < GUARD for one in earlier)

    def _try(self, event: Sent, send: Send) -> None:
        if not self.enabled:
            return
        status = 0 if self.lost else send(event.body, self.headers(event))
        event.tries += 1
        event.taken = event.taken or 200 <= status < 300
        self.tried.append(self._delivery(event, status))
        if 200 <= status < 300:
            self.failures = 0
            return
        event.due = self.now() + min(_FIRST_WAIT * 2**event.tries, _LONGEST_WAIT)
        if event.tries >= MOST_TRIES and event.waits:
            event.given_up = True
            self.failures += 1
            self.enabled = self.failures < MOST_TRIES

    def _delivery(self, event: Sent, status: int) -> Json:
        told: dict[str, Any] = {"id": event.id, "type": event.kind, "payload": event.body.decode(), "skipped": False}
        told |= {"succeeded": event.taken, "is_archived": False, "created_at": text(event.made_at)}
        shown = {"id": str(uuid.uuid4()), "created_at": text(self.now()), "http_code": status or None}
        return {**shown, "succeeded": 200 <= status < 300, "webhook_event": told}

    def redeliver(self, event_id: str) -> bool:
        """POST /v1/webhooks/events/:id/redeliver."""
        found = next((event for event in self.events if event.id == event_id), None)
        if found is None:
            return False
        found.taken, found.given_up, found.tries, found.due = False, False, 0, self.now()
        return True
