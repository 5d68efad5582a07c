"""A simulated year: customers who act by chance, a provider whose news is late, twice and shuffled, and a worker."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from app import credits, ids, ledger
from app.customers.models import Customer
from app.db import transaction
from app.errors import Refusal
from app.flows import (
    cancel_plan,
    change_plan,
    dunning,
    pay_by,
    payer,
    renew,
    retry_payment,
    settle,
    subscribe,
    subscribe_from_wallet,
    sweep,
)
from app.payments import inbox
from app.providers.values import Verified
from app.sandbox.server import Running
from app.subscriptions import changes, lifecycle
from app.wallet import adjust
from app.wallet.accounts import wallet_of
from tests.support.card_paid import FAILS, GOOD
from tests.support.payments import stripe_adapter
from tests.support.time import Clock

CREDITS = 1_000  # bought on the side by each customer; no plan may touch them
SAID = "SELECT seq, body FROM objects WHERE object = 'event' AND seq > ? ORDER BY seq DESC"
PLANS = ("starter", "growth", "prompt")
_ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Auckland")


@dataclass(frozen=True)
class News:
    """An event on its way to us."""

    at: datetime
    event: dict[str, Any]


class Year:
    """`runs()` it, then look at what became of everybody. The same seed acts the same."""

    def __init__(
        self,
        session: Session,
        sessions: sessionmaker[Session],
        sandbox: Running,
        clock: Clock,
        *,
        customers: int,
        seed: int,
    ) -> None:
        self.session, self.sessions, self.sandbox, self.clock = session, sessions, sandbox, clock
        self.dice = random.Random(seed)
        self.stripe = stripe_adapter(api_base=sandbox.url)
        self.providers = {"stripe": self.stripe}
        self.did: Counter[str] = Counter()
        self._on_their_way: list[News] = []
        self._heard = 0  # how far the provider's events were read
        self.customers = [self._customer(number) for number in range(customers)]

    # Who they are.

    def _customer(self, number: int) -> Customer:
        with transaction(self.session):
            made = Customer(
                id=ids.new("cus"),
                name=f"Customer {number}",
                email=f"customer{number}@example.com",
                time_zone=self.dice.choice(_ZONES),
                created_at=self.clock.now,
            )
            self.session.add(made)
            self.session.flush()
            ledger.open_account(self.session, wallet_of(made.id))
            bought = {"source": "pack", "is_paid": True, "key": "pack", "actor": "system"}
            credits.grant(self.session, made.id, CREDITS, **bought)
        self._fills_wallet(made)
        if number % 4 != 3:  # one in four never saves a card
            self._saves_card(made, GOOD)
        return made

    def _saves_card(self, customer: Customer, alias: str) -> None:
        ref = payer.known(self.session, self.stripe, customer)
        card = self.stripe._stripe.call(lambda v1: v1.payment_methods.attach(alias, {"customer": ref.id}))["id"]
        self.stripe.set_default_card(ref, card)

    def _fills_wallet(self, customer: Customer) -> None:
        """As a top-up does: the money, and then what waited for it."""
        cents = self.dice.choice((300, 1_000, 3_000, 6_000, 40_000))
        with transaction(self.session):
            dunning.lock(self.session, customer.id)
            adjust.adjust(
                self.session, customer.id, cents * 10_000, reason="Money for a test", actor="system", key=ids.new("key")
            )
            dunning.wallet_filled(self.session, customer.id)

    # What they do.

    def _acts(self, customer: Customer) -> None:
        with transaction(self.session):
            subscribed = lifecycle.live(self.session, customer.id) is not None
        name, act = self.dice.choice(self._subscribed() if subscribed else self._not_subscribed())
        try:
            act(customer)
        except Refusal as refusal:
            self.did[f"{name}: {refusal.code}"] += 1
        else:
            self.did[name] += 1

    def _not_subscribed(self) -> list[tuple[str, Callable[[Customer], object]]]:
        return [
            ("subscribe from wallet", self._subscribes_from_wallet),
            ("subscribe by card", self._subscribes_by_card),
            ("fill wallet", self._fills_wallet),
        ]

    def _subscribed(self) -> list[tuple[str, Callable[[Customer], object]]]:
        who = (self.session, self.providers)
        actor = {"actor": "usr_1"}
        return [
            ("change plan", self._changes_plan),
            ("change plan", self._changes_plan),
            ("undo", lambda one: change_plan.undo(*who, one.id, **actor)),
            ("cancel", lambda one: cancel_plan.at_period_end(*who, one.id, reason=None, **actor)),
            ("resume", lambda one: cancel_plan.resume(*who, one.id, **actor)),
            ("cancel now", self._maybe_cancels_now),
            ("pay by", lambda one: pay_by.switch(*who, one.id, self.dice.choice(("wallet", "card")), **actor)),
            ("pay by", lambda one: pay_by.switch(*who, one.id, self.dice.choice(("wallet", "card")), **actor)),
            ("retry", lambda one: retry_payment.retry(*who, one.id, **actor)),
            ("fill wallet", self._fills_wallet),
            ("new card", lambda one: self._saves_card(one, self.dice.choice((GOOD, FAILS)))),
            *(("nothing", lambda _one: None) for _ in range(6)),
        ]

    def _subscribes_from_wallet(self, customer: Customer) -> None:
        plan, interval = self._wish()
        subscribe_from_wallet.start(self.session, customer, plan, interval, form_key=ids.new("form"), actor="usr_1")

    def _subscribes_by_card(self, customer: Customer) -> None:
        plan, interval = self._wish()
        subscribe.with_card(
            self.session, self.stripe, customer, plan, interval, form_key=ids.new("form"), actor="usr_1"
        )

    def _changes_plan(self, customer: Customer) -> None:
        plan, interval = self._wish()
        shown = change_plan.preview(self.session, self.providers, customer.id, plan, interval, actor="usr_1")
        change_id, shown_minor = shown.id, shown.due_minor
        if self.dice.random() < 0.9:
            done = change_plan.confirm(self.session, self.providers, customer.id, change_id, actor="usr_1")
            assert done.due_minor == shown_minor, "charged to the cent"

    def _maybe_cancels_now(self, customer: Customer) -> None:
        if self.dice.random() < 0.3:
            cancel_plan.now(self.session, self.providers, customer.id, reason=None, actor="usr_1")

    def _wish(self) -> tuple[str, str]:
        plan = self.dice.choice(PLANS)
        return plan, "year" if plan != "prompt" and self.dice.random() < 0.2 else "month"

    # What happens.

    def runs(self, days: int = 365) -> None:
        end = self.clock.now + timedelta(days=days)
        while self.clock.now < end:
            self._passes(timedelta(seconds=self.dice.randint(3_600, 6 * 86_400)))
            for customer in self.dice.sample(self.customers, max(1, len(self.customers) // 4)):
                self._acts(customer)
            self._hears()
            if self.dice.random() < 0.8:  # now and then the worker is down
                self.works()
        self.comes_to_rest()

    def comes_to_rest(self) -> None:
        """Everything that is on its way arrives, and the worker has nothing left to do."""
        for _ in range(4):
            self._hears(everything=True)
            self.works()
            self._passes(timedelta(hours=2))  # what was put off is tried again

    def _passes(self, step: timedelta) -> None:
        self.clock.advance(seconds=int(step.total_seconds()))
        self.sandbox.advance(int(step.total_seconds()))
        self.sandbox.deliver()

    def _hears(self, *, everything: bool = False) -> None:
        """News arrives up to three days late, in any order, and one in five twice."""
        with self.sandbox.sandbox.writing() as tx:
            rows = tx.sql.execute(SAID, (self._heard,)).fetchall()
        self._heard = rows[0][0] if rows else self._heard
        for event in (json.loads(body) for _, body in rows):
            for _ in range(2 if self.dice.random() < 0.2 else 1):
                late = self.dice.choice((0, 0, 0, 60, 3_600, 86_400, 3 * 86_400))
                self._on_their_way.append(News(self.clock.now + timedelta(seconds=late), event))
        here = [news for news in self._on_their_way if everything or news.at <= self.clock.now]
        self._on_their_way = [news for news in self._on_their_way if not everything and news.at > self.clock.now]
        self.dice.shuffle(here)
        for news in here:
            self._keeps(news.event)

    def _keeps(self, event: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(event["created"], UTC)
        told = Verified(event["id"], event["type"], at, event["livemode"], event["data"]["object"].get("id"))
        with transaction(self.session):
            inbox.keep(self.session, provider="stripe", verified=told, body=json.dumps(event).encode(), headers={})

    def works(self) -> None:
        """One round of a worker: events and renewals until nothing is due, and a sweep."""
        for _ in range(200):
            did = settle.apply_pending(self.sessions, self.providers)
            did += renew.renew_due(self.sessions, self.providers)
            if not did:
                break
        else:
            raise AssertionError("the worker never comes to rest")
        sweep.sweep(self.sessions, self.providers)
        with transaction(self.session):
            changes.expire_previews(self.session, 1_000)
