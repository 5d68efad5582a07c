"""Somebody whose plan a provider runs: real adapter and sandbox over HTTP, one clock for both, its news by hand."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.customers.models import Customer
from app.db import transaction
from app.flows import cancel_plan, change_plan, payer, priced, settle, subscribe, sweep
from app.invoices import Invoice
from app.payments import inbox
from app.payments.models import ProviderEvent
from app.providers.values import CustomerRef, PlanRef, Verified
from app.sandbox.config import SandboxConfig
from app.sandbox.server import Running, running_sandbox
from app.subscriptions import sale, standing
from app.subscriptions.models import Subscription, SubscriptionChange, SubscriptionPeriod
from tests.support import paid_periods
from tests.support.losing import Losing
from tests.support.payments import KEY, VISA, Buyer, stripe_adapter
from tests.support.time import Clock

_AT_A_TIME = 5  # shuffled news is applied in handfuls

GOOD, FAILS, ASKS = "pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"


@pytest.fixture
def provider_at_rest(tmp_path: Path, clock: Clock) -> Iterator[Running]:
    """A sandbox whose time is the test's: it stands until the subscriber's `passes` moves both."""
    config = SandboxConfig(
        database=tmp_path / "sandbox.db",
        secret_key=KEY,
        strict=True,
        shuffle=False,
        still_at=int(clock.now.timestamp()),
    )
    with running_sandbox(config, delivers=False) as running:
        yield running
        assert not running.sandbox.faults


@pytest.fixture
def cardholder(
    session: Session,
    sessions: sessionmaker[Session],
    provider_at_rest: Running,
    clock: Clock,
    payer: Customer,
    plans: None,
) -> Cardholder:
    """A customer with a saved card that works."""
    made = Cardholder(session, sessions, provider_at_rest, clock, payer)
    made.saves_card()
    return made


class Cardholder:
    """What they do, what the provider tells of it, and what is here after it."""

    def __init__(
        self, session: Session, sessions: sessionmaker[Session], sandbox: Running, clock: Clock, customer: Customer
    ) -> None:
        self.session, self.sessions, self.sandbox, self.clock, self.customer = (
            session,
            sessions,
            sandbox,
            clock,
            customer,
        )
        self.customer_id = customer.id
        self.stripe = stripe_adapter(api_base=sandbox.url)
        self.providers = {"stripe": self.stripe}
        self._heard: set[str] = set()
        self._forms = 0

    def ref(self) -> CustomerRef:
        """The customer as the provider knows them."""
        return payer.known(self.session, self.stripe, self.customer)

    # What they do.

    def saves_card(self, alias: str = GOOD) -> str:
        """A card that is charged from now on; its id."""
        ref = self.ref()
        card = self.stripe._stripe.call(lambda v1: v1.payment_methods.attach(alias, {"customer": ref.id}))["id"]
        self.stripe.set_default_card(ref, card)
        sub = self.sub
        if sub is not None and sub.ended_at is None:
            self.stripe.set_subscription_card(self.stripe.get_subscription(sub.provider_id), None, key=f"card:{card}")
        return str(card)

    def subscribes(self, plan: str = "starter", interval: str = "month", **how: Any) -> Subscription:
        return subscribe.with_card(
            self.session,
            self.stripe,
            self.customer,
            plan,
            interval,
            **{"form_key": self.form(), "actor": "usr_1", **how},
        )

    def opens_page(self, plan: str = "starter", interval: str = "month", **how: Any) -> Any:
        wanted = {"form_key": self.form(), "actor": "usr_1", "return_url": "https://x.example/{order}", **how}
        return subscribe.start_checkout(self.session, self.stripe, self.customer, plan, interval, **wanted)

    def pays(self, order: Any, card: str = VISA) -> None:
        Buyer(self.sandbox).pays(str(order.provider_ref), card)

    def form(self) -> str:
        self._forms += 1
        return f"form-{self._forms}"

    def looks_at(self, plan: str, interval: str = "month") -> SubscriptionChange:
        return change_plan.preview(self.session, self.providers, self.customer_id, plan, interval, actor="usr_1")

    def confirms(self, change: SubscriptionChange) -> SubscriptionChange:
        return change_plan.confirm(self.session, self.providers, self.customer_id, change.id, actor="usr_1")

    def changes_to(self, plan: str, interval: str = "month") -> SubscriptionChange:
        return self.confirms(self.looks_at(plan, interval))

    def undoes(self) -> SubscriptionChange | None:
        return change_plan.undo(self.session, self.providers, self.customer_id, actor="usr_1")

    def cancels(self, reason: str | None = None) -> Subscription:
        return cancel_plan.at_period_end(self.session, self.providers, self.customer_id, reason=reason, actor="usr_1")

    def stays(self) -> Subscription:
        return cancel_plan.resume(self.session, self.providers, self.customer_id, actor="usr_1")

    def cancels_now(self) -> SubscriptionChange:
        return cancel_plan.now(self.session, self.providers, self.customer_id, reason=None, actor="usr_1")

    def answers_bank(self, url: str, answer: str = "approve") -> None:
        """What their bank asks on the provider's page."""
        with httpx.Client(timeout=10, headers={"Sec-Fetch-Site": "same-origin"}) as browser:
            browser.get(url + "/authenticate")
            assert browser.post(url + "/authenticate", data={"answer": answer}).status_code < 400

    def loses(self, verb: str, *, done: bool = True) -> None:
        """The next call of this verb is not answered: it was `done` there, or never came through."""
        self.providers["stripe"] = self.stripe = Losing(self.stripe, verb, done=done)

    # What happens.

    def passes(self, **step: int) -> None:
        """Time passes, here and there; the provider does what is due, and nothing is told yet."""
        seconds = int(timedelta(**step).total_seconds())
        self.clock.advance(seconds=seconds)
        self.sandbox.advance(seconds)
        self.sandbox.deliver()

    def news(self) -> list[dict[str, Any]]:
        """What the provider has said since the last time, oldest first."""
        with self.sandbox.sandbox.writing() as tx:
            said = [event for event in tx.every("event", limit=10_000) if event["id"] not in self._heard]
        self._heard |= {event["id"] for event in said}
        return said[::-1]

    def hears(self, *, news: Sequence[dict[str, Any]] | None = None, seed: int | None = None, times: int = 1) -> None:
        """The news arrives and is applied: in another order with a seed, several times each with `times`."""
        said = list(self.news() if news is None else news) * times
        if seed is not None:
            random.Random(seed).shuffle(said)
        for place, event in enumerate(said):
            body = json.dumps(event).encode()
            at = datetime.fromtimestamp(event["created"], UTC)
            told = Verified(event["id"], event["type"], at, event["livemode"], event["data"]["object"].get("id"))
            with transaction(self.session):
                inbox.keep(self.session, provider="stripe", verified=told, body=body, headers={})
            if seed is not None and place % _AT_A_TIME == 0:
                self.applies()
        self.applies()

    def applies(self) -> None:
        self.clock.advance(milliseconds=1)  # what came together is looked at once, as where time goes on by itself
        while settle.apply_pending(self.sessions, self.providers):
            pass

    def sweeps(self) -> int:
        return sweep.sweep(self.sessions, self.providers)

    def replays(self) -> None:
        """Staff have all of it applied again."""
        with transaction(self.session):
            for event in self.session.scalars(select(ProviderEvent.id)):
                inbox.replay(self.session, event, actor="staff:usr_9")
        self.applies()

    def waiting_news(self) -> list[tuple[str, str | None]]:
        """News that was not applied, and why."""
        with transaction(self.session):
            rows = self.session.execute(
                select(ProviderEvent.type, ProviderEvent.error).where(ProviderEvent.state.in_(("pending", "dead")))
            )
            return [(row.type, row.error) for row in rows]

    def tried(self) -> int:
        """How often the provider has tried to charge a card."""
        with self.sandbox.sandbox.reading() as tx:
            return len(tx.every("charge", limit=1_000))

    def plan_at(self, plan: str, interval: str = "month") -> PlanRef:
        """A plan as the provider knows it."""
        with transaction(self.session):
            bought = sale.offered(self.session, self.customer_id, plan, sale.every(interval))
        return priced.plan_at(self.session, self.stripe, bought)

    # What is here.

    @property
    def now(self) -> datetime:
        """The time in whole seconds, as the provider counts."""
        return self.clock.now.replace(microsecond=0)

    @property
    def sub_id(self) -> str:
        sub = self.sub
        assert sub is not None
        return sub.id

    @property
    def sub(self) -> Subscription | None:
        """The newest subscription as it is in the database now."""
        with transaction(self.session):
            mine = select(Subscription).where(Subscription.customer_id == self.customer_id)
            newest = mine.order_by(Subscription.started_at.desc(), Subscription.id.desc())
            return self.session.scalars(newest.execution_options(populate_existing=True)).first()

    @property
    def standing(self) -> standing.Standing:
        with transaction(self.session):
            return standing.of(self.session, self.customer_id)

    @property
    def invoices(self) -> list[Invoice]:
        """Oldest first."""
        with transaction(self.session):
            mine = select(Invoice).where(Invoice.customer_id == self.customer_id)
            found = self.session.scalars(mine.execution_options(populate_existing=True))
            return sorted(found, key=lambda invoice: (invoice.created_at, invoice.number or ""))

    @property
    def periods(self) -> list[SubscriptionPeriod]:
        sub = self.sub
        assert sub is not None
        with transaction(self.session):
            return paid_periods.periods_of(self.session, sub)

    def change(self, change_id: str) -> SubscriptionChange:
        with transaction(self.session):
            return self.session.get_one(SubscriptionChange, (self.customer_id, change_id), populate_existing=True)

    def newest_change(self) -> SubscriptionChange:
        with transaction(self.session):
            mine = select(SubscriptionChange).where(SubscriptionChange.customer_id == self.customer_id)
            return self.session.scalars(mine.order_by(SubscriptionChange.id.desc()).limit(1)).one()

    def refunded(self) -> int:
        """What the provider paid back to cards, in minor units."""
        with self.sandbox.sandbox.reading() as tx:
            return sum(refund["amount"] for refund in tx.every("refund"))

    def is_invoiced_without_a_gap(self) -> None:
        """Every second of the subscription is in exactly one period."""
        sub = self.sub
        assert sub is not None
        spans = [(each.starts_at, each.ends_at) for each in self.periods if each.starts_at < each.ends_at]
        assert spans[0][0] == sub.started_at
        assert spans[-1][1] == (sub.ended_at or sub.period_end)
        assert all(first[1] == second[0] for first, second in pairwise(spans))

    def everything(self) -> Any:
        """All that news decides, for comparing two ways of hearing it."""
        sub, names = self.sub, ("plan_id", "interval", "status", "period_start", "period_end", "ended_at", "anchor_at")
        return (
            {name: getattr(sub, name) for name in (*names, "cancel_at_period_end", "past_due_since", "price_minor")},
            [(invoice.number, invoice.status, invoice.total_minor, invoice.paid_minor) for invoice in self.invoices],
            [(each.starts_at, each.ends_at, each.plan_id, each.interval) for each in self.periods] if sub else [],
        )
