"""A provider for tests: it keeps its books in memory, honours idempotency keys, and can be made to fail."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app import clock as the_clock
from app import ids
from app.money import Money
from app.providers.errors import BadSignature, Conflict, NotFound
from app.providers.events import (
    CheckoutCompleted,
    CheckoutExpired,
    DisputeChanged,
    Event,
    Ignored,
    PaymentFailed,
    PaymentSucceeded,
    RefundChanged,
)
from app.providers.values import Cap, CheckoutRequest, CheckoutSession, CustomerRef, Heard, Verified
from tests.support.outgoing import refuse_inside_a_transaction

SECRET = "whsec_of_the_tests_only"


@dataclass
class Page:
    """A hosted page of the double's."""

    request: CheckoutRequest
    session: CheckoutSession


class FakeProvider:
    """A provider in memory. `before` and `after` run around every call: raise there to fail or to crash."""

    def __init__(self, name: str = "stripe", *, livemode: bool = False, caps: frozenset[Cap] | None = None) -> None:
        self.name, self.title, self.sold_as = name, name.capitalize(), "product"
        self.livemode = livemode
        self.capabilities = frozenset({Cap.CUSTOM_AMOUNT, Cap.EXPIRE_CHECKOUT}) if caps is None else caps
        self.calls: list[tuple[str, str]] = []
        self.customers: dict[str, CustomerRef] = {}
        self.pages: dict[str, Page] = {}
        self.heard: dict[str, Heard] = {}
        self.expired: list[str] = []
        self._answers: dict[str, tuple[Any, Any]] = {}
        self._lock = threading.Lock()
        self.before: Callable[[str], None] = lambda _verb: None
        self.after: Callable[[str], None] = lambda _verb: None

    def _once(self, verb: str, key: str, content: Any, make: Callable[[], Any]) -> Any:
        refuse_inside_a_transaction(verb)
        self.before(verb)
        with self._lock:
            self.calls.append((verb, key))
            known = self._answers.get(key)
            if known and known[0] != content:
                raise Conflict("Same key, other content.", code="idempotency_error")
            answer = known[1] if known else make()
            self._answers[key] = (content, answer)
        self.after(verb)
        return answer

    def ensure_customer(self, *, customer_id: str, email: str, name: str | None, key: str) -> CustomerRef:
        def make() -> CustomerRef:
            ref = CustomerRef(f"pc_{len(self.customers) + 1}", customer_id)
            self.customers[ref.id] = ref
            return ref

        return self._once("ensure_customer", key, (customer_id, email, name), make)

    def create_checkout(self, request: CheckoutRequest, *, key: str) -> CheckoutSession:
        def make() -> CheckoutSession:
            if request.customer.id not in self.customers:
                raise NotFound("No such customer.", code="resource_missing")
            number = f"cs_{len(self.pages) + 1}"
            expires = the_clock.now() + timedelta(hours=24)
            url = f"https://pay.example/{number}"
            session = CheckoutSession(number, url, "open", False, request.order_id, None, None, expires)
            self.pages[number] = Page(request, session)
            return session

        return self._once("create_checkout", key, request, make)

    def get_checkout(self, session_id: str) -> CheckoutSession:
        refuse_inside_a_transaction("get_checkout")
        if session_id not in self.pages:
            raise NotFound("No such page.")
        return self.pages[session_id].session

    def recheck_checkout(self, session_id: str) -> Heard | None:
        refuse_inside_a_transaction("recheck_checkout")
        self.before("recheck_checkout")
        self.calls.append(("recheck_checkout", session_id))
        if session_id not in self.pages:
            raise NotFound("No such page.")
        return self.heard.get(session_id)

    def expire_checkout(self, session_id: str) -> CheckoutSession:
        refuse_inside_a_transaction("expire_checkout")
        page = self.pages[session_id]
        page.session = replace(page.session, status="expired", url=None)
        self.expired.append(session_id)
        self.heard[session_id] = heard(told("expired", page.session.order_id, event_id=f"poll:{session_id}:expired"))
        return page.session

    def verify(self, body: bytes, headers: Mapping[str, str]) -> Verified:
        if headers.get("x-signature") != hashlib.sha256(SECRET.encode() + body).hexdigest():
            raise BadSignature("No signature matches.")
        return heard(json.loads(body)).verified

    def normalize(self, body: bytes) -> Sequence[Event]:
        said = json.loads(body)
        if said["type"] == "poison":
            raise RuntimeError("this event breaks its reader")
        base: dict[str, Any] = {
            "provider": self.name,
            "event_id": said["id"],
            "raw_type": said["type"],
            "occurred_at": datetime.fromtimestamp(said["at"], UTC),
            "livemode": said["livemode"],
        }
        return _READ[said["type"]](said, base)


def _paid(said: Any, base: Any) -> list[Event]:
    return [
        PaymentSucceeded(
            payment_id=said["payment"],
            order_id=said["order"],
            net=Money(said["amount"], said["currency"]),
            tax=said.get("tax", 0),
            customer_id=said.get("customer"),
            invoice_id=None,
            **base,
        )
    ]


def _completed(said: Any, base: Any) -> list[Event]:
    page = CheckoutSession("cs", None, "complete", False, said["order"], said["payment"], None, None)
    return [CheckoutCompleted(session=page, order_id=said["order"], **base)]


_READ: dict[str, Callable[[Any, Any], list[Event]]] = {
    "paid": _paid,
    "completed": _completed,
    "completed_paid": lambda said, base: _completed(said, base) + _paid(said, base),
    "failed": lambda said, base: [
        PaymentFailed(
            payment_id=said["payment"],
            order_id=said["order"],
            amount=Money(said["amount"], said["currency"]),
            code="card_declined",
            message="Your bank said no.",
            invoice_id=None,
            **base,
        )
    ],
    "expired": lambda said, base: [CheckoutExpired(session_id="cs", order_id=said["order"], **base)],
    "dispute": lambda said, base: [
        DisputeChanged(
            dispute_id=said.get("dispute", "dp_1"),
            payment_id=said["payment"],
            amount=Money(said["amount"], said["currency"]),
            phase=said["phase"],
            reason=said.get("reason", "fraudulent"),
            due_by=datetime.fromtimestamp(said["due"], UTC) if "due" in said else None,
            fee=said.get("fee", 0),
            evidence=said.get("evidence", "none"),
            **base,
        )
    ],
    "refund": lambda said, base: [
        RefundChanged(
            refund_id=said.get("refund", "re_1"),
            payment_id=said["payment"],
            status=said.get("status", "succeeded"),
            amount=Money(said["amount"], said["currency"]),
            cumulative=said.get("cumulative"),
            our_refund_id=said.get("ours"),
            failure=said.get("failure"),
            **base,
        )
    ],
    "other": lambda _said, base: [Ignored(why="This type of event is not used.", **base)],
}


def told(kind: str, order: str | None, **more: Any) -> dict[str, Any]:
    """What the double would say; `event_id` and every other word can be chosen."""
    said = {
        "id": more.pop("event_id", None) or ids.new("evt"),
        "type": kind,
        "at": int(the_clock.now().timestamp()),
        "livemode": False,
        "order": order,
        "payment": "pay_1",
        "amount": 5000,
        "currency": "usd",
    }
    return said | more


def heard(said: dict[str, Any]) -> Heard:
    body = json.dumps(said).encode()
    at = datetime.fromtimestamp(said["at"], UTC)
    return Heard(Verified(said["id"], said["type"], at, said["livemode"], said["payment"]), body)
