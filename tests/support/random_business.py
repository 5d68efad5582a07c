"""A business that did things at random: subscriptions with coupons, wallets, invoices, disputes, refunds, messages.

Money and credits move by the real verbs. What only has to be counted is written into its table as it is.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from sqlalchemy import JSON, insert, select
from sqlalchemy.orm import Session

from app import activity, credits, ids, ledger
from app import clock as the_clock
from app.catalogue.models import Plan
from app.coupons.models import Coupon, Redemption
from app.customers.models import Customer
from app.db import UTCDateTime, transaction
from app.invoices.models import Invoice
from app.ledger import Account
from app.outgoing.models import WebhookDelivery, WebhookEndpoint
from app.payments.models import Dispute, ProviderEvent, Refund
from app.subscriptions.models import Subscription
from tests.support.time import Clock

CUSTOMERS = 40
SPENDING = ("debit", "invocation", "overage", "compute", "llm", "subscription", "invoice")


def live(session: Session, clock: Clock, seed: int) -> None:
    """Forty days of it, with an audit at the end; needs plans on offer."""
    chance = random.Random(seed)
    customers = [ids.new("cus") for _ in range(CUSTOMERS)]
    with transaction(session):
        for number, each in enumerate(customers):
            put(session, Customer, id=each, name=f"=Customer {number}", email=f"{each}@example.com")
    _money(session, clock, chance, customers)
    with transaction(session):
        _subscriptions(session, chance, customers)
        for each in customers:
            _paper(session, chance, each)
        _messages(session, chance, customers)
        activity.record(session, "system", "books.audited", "books", faults=[], fault_count=0, checked={})


def put(session: Session, table: Any, **given: Any) -> str:
    """One row; a column that must have something and was given nothing has an empty value of its type."""
    columns = table.__table__.columns
    row = {c.name: given.get(c.name, None if c.nullable else _empty(c)) for c in columns}
    session.execute(insert(table).values(row))
    return str(row.get("id"))


def _empty(column: Any) -> Any:
    if isinstance(column.type, UTCDateTime):
        return the_clock.now()
    if isinstance(column.type, JSON):
        return []
    made: dict[type, Any] = {str: ids.new("x"), int: 0, bool: False, bytes: b""}
    return made[column.type.python_type]


def _money(session: Session, clock: Clock, chance: random.Random, customers: list[str]) -> None:
    start = clock.now - timedelta(days=41)
    for number in range(160):
        clock.set(start + timedelta(hours=number * 6, minutes=chance.randrange(300)))
        whose = chance.choice(customers)
        wallet = Account(whose, "wallet", "usd")
        with transaction(session):
            kind = chance.choice(("topup", "topup", "spend", "spend", "promo", "chargeback", "hold", "credits"))
            _move(session, chance, kind, wallet, f"k{number}")
            if number % 50 == 30:
                ledger.roll_up(session)
    clock.set(start + timedelta(days=41))  # whoever is signed in still is


def _move(session: Session, chance: random.Random, kind: str, wallet: Account, key: str) -> None:
    whose, size = wallet.customer_id, chance.randrange(1, 9_000_000) * 10
    can = ledger.balance(session, wallet).available
    if kind == "credits":
        given = {"source": "promo", "key": key, "actor": "test", "expires_at": None}
        credits.grant(session, whose, chance.randrange(1, 90), **given)
        return
    if kind == "hold" and can > 10:
        expires = the_clock.now() + timedelta(days=90)
        ledger.hold(session, wallet, chance.randrange(1, can), key=key, expires_at=expires)
        return
    if kind == "spend" and can > 10:
        kind, size, other = chance.choice(SPENDING), -chance.randrange(1, can), "revenue"
    elif kind == "chargeback":
        size, other = -size, "cash:stripe"
    else:
        kind, other = ("promo", "promotions") if kind == "promo" else ("topup", "cash:stripe")
    legs = {wallet: size, Account("house", other, "usd"): -size}
    ledger.post(session, kind, legs, customer_id=whose, key=key)


def _subscriptions(session: Session, chance: random.Random, customers: list[str]) -> None:
    now = the_clock.now()
    plans = list(session.scalars(select(Plan).where(Plan.key != "free")))
    scopes: list[dict[str, Any]] = [{}, {"plans": []}, {"plans": ["growth"]}, {"packs": []}]
    coupons = [
        put(session, Coupon, id=ids.new("coup"), code=f"C{place}", kind=kind, value=value, duration="forever",
            currency="usd" if kind == "amount" else None, scope=scope, most_per_customer=1)
        for place, (kind, value) in enumerate([("percent", 33), ("amount", 250), ("credits", 50), ("amount", 10**6)])
        for scope in [scopes[place]]
    ]  # fmt: skip
    for whose in customers:
        status = chance.choice(
            ("active", "active", "active", "past_due", "past_due", "restricted", "incomplete", "canceled")
        )
        late = status in ("past_due", "restricted")
        ends = now + timedelta(days=chance.choice((-1, 3, 20)))
        plan, wallet = chance.choice(plans), chance.random() < 0.5
        made = put(
            session, Subscription, customer_id=whose, id=ids.new("sub"), plan_id=plan.id, version=1, status=status,
            interval=chance.choice(("month", "year")), price_minor=chance.choice((0, 1_000, 999, 10_001, 29_000)),
            currency="usd", paid_by="wallet" if wallet else "card", provider_id=None if wallet else ids.new("p"),
            provider_state={}, time_zone="UTC", period_start=now - timedelta(days=30), period_end=ends,
            cancel_at_period_end=chance.random() < 0.3, past_due_since=now if late else None,
            grace_ends_at=now + timedelta(days=chance.choice((-1, 2))) if late else None,
            ended_at=now if status == "canceled" else None,
        )  # fmt: skip
        for _ in range(chance.choice((0, 1, 1, 2))):
            put(
                session, Redemption, customer_id=whose, id=ids.new("red"), coupon_id=chance.choice(coupons),
                key=ids.new("k"), subscription_id=made, left=chance.choice((None, 0, 3)), currency="usd",
                state=chance.choice(("redeemed", "redeemed", "released")),
                finished_at=now - timedelta(seconds=chance.randrange(10**6)),
            )  # fmt: skip


def _paper(session: Session, chance: random.Random, whose: str) -> None:
    """Invoices, disputes and refunds of one customer."""
    now = the_clock.now()
    for _ in range(chance.randrange(3)):
        total = chance.randrange(1, 90_000)
        status = chance.choice(("open", "open", "paid", "void"))
        put(
            session, Invoice, customer_id=whose, id=ids.new("inv"), source="stripe", number=ids.new("n"), status=status,
            reason="other", currency="usd", subtotal_minor=total, total_minor=total, seller={}, buyer={},
            paid_minor=chance.choice((0, 1)), failed_at=now if chance.random() < 0.6 else None, failure="=No",
            created_at=now - timedelta(days=chance.randrange(60)),
        )  # fmt: skip
    for _ in range(chance.choice((0, 0, 1))):
        put(
            session, Dispute, customer_id=whose, id=ids.new("dsp"), channel="stripe", paid_for="wallet",
            amount_minor=chance.randrange(1, 9_999), currency="usd", evidence="none",
            phase=chance.choice(("inquiry", "open", "lost", "won")), opened_at=now,
            due_by=chance.choice((None, now + timedelta(days=chance.randrange(9)))),
        )  # fmt: skip
    for _ in range(chance.choice((0, 1))):
        net = chance.randrange(1, 9_999)
        put(
            session, Refund, customer_id=whose, id=ids.new("ref"), kind="balance", net_minor=net, tax_minor=1,
            amount_minor=net + 1, currency="usd", state=chance.choice(("requested", "requested", "denied", "failed")),
            created_at=now - timedelta(minutes=chance.randrange(90)),
        )  # fmt: skip


def _messages(session: Session, chance: random.Random, customers: list[str]) -> None:
    now = the_clock.now()
    for _ in range(20):
        state, error = chance.choice((("pending", None), ("pending", "Later"), ("dead", "No"), ("done", None)))
        came = now - timedelta(minutes=chance.randrange(900))
        put(
            session, ProviderEvent, id=ids.new("whe"), provider="stripe", type="a.b", headers={}, state=state,
            error=error, received_at=came,
        )  # fmt: skip
    endpoint = put(session, WebhookEndpoint, id=ids.new("ep"), url="https://x.example/", state="on", failing_since=now)
    for _ in range(20):
        put(
            session, WebhookDelivery, customer_id=chance.choice(customers), id=ids.new("dlv"), endpoint_id=endpoint,
            type="a.b", state=chance.choice(("pending", "gave_up", "delivered")), tries=chance.choice((0, 2)),
        )  # fmt: skip
