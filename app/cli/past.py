"""Living through the past: the seed runs the real verbs at instants gone by, and tells payments as Stripe would."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock, ids
from app.config import Settings
from app.coupons.models import Coupon
from app.customers.models import Customer
from app.db import transaction
from app.flows import buy_pack, close_usage, grant_credits, renew, settle, subscribe_from_wallet
from app.notices import outbox
from app.payments import inbox, orders
from app.payments.models import Order
from app.providers import registry
from app.providers.port import Provider

Happening = tuple[int, Callable[[], object]]  # how many days ago, and what


class Past:
    """A session with a clock that this process alone sees. `settings` name the currency; no network is needed."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self.session = session
        self.settings = settings
        self.today = clock.now()
        # The adapter reads and checks a signed body without the network, so any test key will do.
        if not settings.stripe_secret_key:
            settings = replace(settings, stripe_secret_key="sk_test_seed", stripe_webhook_secret="whsec_" + "seed" * 8)
        self._secret = settings.stripe_webhook_secret
        self._providers = registry.build(settings)

    @contextmanager
    def at(self, days_ago: int, hour: int = 10, minute: int = 0) -> Iterator[datetime]:
        """Make it that time of that day; nothing in here may be later than now."""
        day = self.today - timedelta(days=days_ago)
        moment = min(day.replace(hour=hour, minute=minute, second=0, microsecond=0), self.today)
        with clock.frozen(lambda: moment):
            yield moment

    def top_up(self, customer_id: str, amount_minor: int, *, by: str) -> Order:
        """A top-up that was paid: the order, then Stripe's event through the inbox to the wallet."""
        order = self._order(customer_id, amount_minor, by)
        self._told(
            "checkout.session.completed", _session(order, payment_status="paid", intent=_stripe_id("pi", order.id))
        )
        return order

    def declined_top_up(self, customer_id: str, amount_minor: int, *, by: str, message: str) -> Order:
        """A top-up whose card was declined: nothing is credited, and the order says why."""
        order = self._order(customer_id, amount_minor, by)
        error = {"code": "card_declined", "message": message}
        intent = {"id": _stripe_id("pi", order.id), "object": "payment_intent", "last_payment_error": error}
        self._told("checkout.session.async_payment_failed", _session(order, payment_status="unpaid", intent=intent))
        return order

    def buys_pack(self, customer: Customer, pack_key: str, *, by: str) -> Order:
        """A pack of credits that was paid for on the provider's page."""
        wish = buy_pack.Wish(pack_key, ids.new("seed"), by, success_url="/credits", cancel_url="/credits")
        with transaction(self.session):
            order = buy_pack.open_order(self.session, self._providers["stripe"], customer, wish)
        intent = _stripe_id("pi", order.id)
        self._told("checkout.session.completed", _session(order, payment_status="paid", intent=intent))
        self.throw_mail_away()
        return order

    def abandoned_top_up(self, customer_id: str, amount_minor: int, *, by: str) -> Order:
        """A checkout page that was left and closed by itself."""
        order = self._order(customer_id, amount_minor, by)
        self._told("checkout.session.expired", _session(order, payment_status="unpaid", intent=None))
        return order

    def subscribes(self, customer: Customer, plan_key: str, *, by: str, coupon: str | None = None) -> None:
        """A monthly plan, paid from the wallet from then on."""
        form_key = ids.new("seed")
        subscribe_from_wallet.start(
            self.session, customer, plan_key, "month", form_key=form_key, actor=by, coupon=coupon
        )

    def coupon(self, code: str) -> str | None:
        """The code, where the shop has such a coupon."""
        return self.session.scalar(select(Coupon.code).where(Coupon.code == code, Coupon.retired_at.is_(None)))

    def renews(self) -> None:
        """Whatever is due at that instant is renewed, as the worker would."""
        self.session.rollback()  # the renewals have a session of their own, and SQLite one writer
        renew.renew_due(lambda: Session(self.session.get_bind(), expire_on_commit=False), self._providers)

    def closes_usage(self) -> None:
        """What the worker does after a day and after a period: books what was held, closes and invoices."""
        self.session.rollback()
        close_usage.close_due(lambda: Session(self.session.get_bind(), expire_on_commit=False), self._providers)

    def grants_credits(self) -> None:
        """What plans include and promise in credits is granted, and what is over ends, as the worker would."""
        self.session.rollback()
        grant_credits.grant_due(lambda: Session(self.session.get_bind(), expire_on_commit=False))

    def throw_mail_away(self) -> None:
        """Mail queued at this past instant goes nowhere: its readers do not exist."""
        with transaction(self.session):
            for letter in outbox.take(self.session, limit=100):
                outbox.sent(self.session, letter)

    def _order(self, customer_id: str, amount_minor: int, by: str) -> Order:
        with transaction(self.session):
            return orders.open_order(
                self.session,
                customer_id=customer_id,
                amount_minor=amount_minor,
                currency=self.settings.currency,
                channel="stripe",
                form_key=ids.new("seed"),
                created_by=by,
            )

    def _told(self, event_type: str, session: dict[str, Any]) -> None:
        body = json.dumps(_event(event_type, session), indent=2).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": self._signature(body)}
        provider: Provider = self._providers["stripe"]
        verified = provider.verify(body, headers)
        with transaction(self.session):
            inbox.keep(self.session, provider="stripe", verified=verified, body=body, headers=headers)
            claims = inbox.claim(self.session, limit=20)  # at once, so that no worker takes it at another time
        for claim in claims:
            settle.apply(self.session, self._providers, claim)

    def _signature(self, body: bytes) -> str:
        stamp = int(clock.now().timestamp())
        digest = hmac.new(self._secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={stamp},v1={digest}"


def _event(event_type: str, session: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": _stripe_id("evt", session["id"] + event_type),
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(clock.now().timestamp()),
        "livemode": False,
        "pending_webhooks": 1,
        "request": None,
        "type": event_type,
        "data": {"object": session},
    }


def _session(order: Order, *, payment_status: str, intent: Any) -> dict[str, Any]:
    """The part of a checkout session that matters here."""
    return {
        "id": _stripe_id("cs_test", order.id),
        "object": "checkout.session",
        "mode": "payment",
        "status": "complete" if intent else "expired",
        "payment_status": payment_status,
        "payment_intent": intent,
        "client_reference_id": order.id,
        "amount_subtotal": order.amount_minor,
        "amount_total": order.amount_minor,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "currency": order.currency,
        "customer": None,
        "invoice": None,
        "livemode": False,
        "metadata": {"intent_id": order.id},
        "url": None,
        "expires_at": int(clock.now().timestamp()),
    }


def _stripe_id(prefix: str, of: str) -> str:
    return f"{prefix}_{hashlib.sha256(of.encode()).hexdigest()[:24]}"
