"""A life in six events at Stripe: purchase, renewal, refund, dispute, upgrade, cancel; told to copies of one past.

Everything happens at the provider first. Then the news is told in one order after another, each time to a copy of the
database as it was before, and what is left in every table is compared.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from app import ledger
from app.db import make_engine, transaction
from app.flows import settle, top_up
from app.payments import inbox
from app.payments.models import ProviderEvent
from app.providers.port import Provider
from app.providers.values import Verified
from app.sandbox.engine import disputes, refunds
from tests.support.card_paid import Cardholder
from tests.support.time import Clock

NAMES = ("purchase", "renewal", "refund", "dispute", "upgrade", "cancel")
# What news decides. Our own clock's times and random names are left out.
TABLES = {
    "payment": "channel, payment_id, net_minor, tax_minor, currency, is_extra",
    "payment_order": "id, kind, state, amount_minor, payment_id",
    "refund": "kind, state, payment_id, net_minor, amount_minor, own_loss_minor, provider_refund_id",
    "dispute": "provider_dispute_id, paid_for, phase, amount_minor, reversed_minor, own_loss_minor, fee_minor, "
    "evidence, freezes, due_by, opened_at",
    "subscription": "id, plan_id, interval, status, price_minor, period_start, period_end, cancel_at_period_end",
    "subscription_period": "subscription_id, starts_at, ends_at, plan_id, interval",
    "invoice": "source, provider_id, number, status, total_minor, paid_minor, credited_minor, payment_id",
    "ledger_account": "kind, asset, balance, held, debt, promo, frozen",
    "credit_grant": "source, amount, remaining",
    "auto_topup": "state, why",
}


class Remembering:
    """An adapter whose provider no longer changes: what was asked of it once is known."""

    def __init__(self, real: Any) -> None:
        self._real, self._known = real, {}  # type: ignore[var-annotated]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not name.startswith(("get_", "list_", "preview")):
            return found

        def ask(*args: Any, **kwargs: Any) -> Any:
            asked = (name, repr(args), repr(kwargs))
            if asked not in self._known:
                self._known[asked] = found(*args, **kwargs)
            return self._known[asked]

        return ask


class Life:
    """The provider's side, the news of it by name, and the past to which it is told."""

    def __init__(self, who: Cardholder, home: Path) -> None:
        self.who, self.home, self.file = who, home, home / "told.db"
        self.providers: dict[str, Provider] = {"stripe": Remembering(who.stripe)}  # type: ignore[dict-item]
        self.clock: Clock = who.clock
        self.news = self._lives()
        self.past = self._kept()
        self.at = self.clock.now
        self.engine = make_engine(f"sqlite:///{self.file}")
        self.sessions = sessionmaker(self.engine, expire_on_commit=False)

    def _lives(self) -> dict[str, dict[str, Any]]:
        """What happens, in the only order in which it can; of each happening the event that tells of it."""
        who, told = self.who, {}
        who.subscribes()
        who.hears()
        order = top_up.start(
            who.session, who.stripe, who.customer, 5000, form_key="six", return_url="https://x.example/", actor="usr_1"
        )
        who.pays(order)
        told["purchase"] = self._one("checkout.session.completed")
        who.passes(days=32)
        told["renewal"] = self._one("invoice.paid")
        with who.sandbox.sandbox.writing() as tx:
            charge = next(each for each in tx.every("charge") if each["amount"] == 5000)
            refunds.refund(tx, charge, 2000)
        told["refund"] = self._one("refund.created")
        with who.sandbox.sandbox.writing() as tx:
            disputes.begin(tx, tx.get("charge", charge["id"]))
        told["dispute"] = self._one("charge.dispute.created")
        provider_id = who.sub.provider_id  # type: ignore[union-attr]
        dearer = who.plan_at("growth").provider_price_id
        item = self._api(lambda v1: v1.subscriptions.retrieve(provider_id))["items"]["data"][0]["id"]
        change: Any = {"items": [{"id": item, "price": dearer}], "proration_behavior": "always_invoice"}
        self._api(lambda v1: v1.subscriptions.update(provider_id, change))
        told["upgrade"] = self._one("customer.subscription.updated")
        self._api(lambda v1: v1.subscriptions.update(provider_id, {"cancel_at_period_end": True}))
        told["cancel"] = self._one("customer.subscription.updated")
        return told

    def _api(self, call: Any) -> Any:
        return self.who.stripe._stripe.call(call)

    def _one(self, kind: str) -> dict[str, Any]:
        [told] = [event for event in self.who.news() if event["type"] == kind][-1:]
        return told

    def _kept(self) -> Path:
        """The database as it is now, in a file of its own."""
        now = self.who.session.get_bind().engine.url.database
        assert now is not None, "the database is a file"
        return _copied(Path(now), self.home / "past.db")

    def told(self, order: Sequence[str]) -> Any:
        """What is left in every table when the news comes in this order."""
        _copied(self.past, self.file)
        self.clock.now = self.at
        with self.sessions() as session:
            for name in order:
                self._hears(session, self.news[name])
            for _ in range(20):  # what came too early waits, longer each time
                if session.scalar(select(ProviderEvent.id).where(ProviderEvent.state == "pending")) is None:
                    break
                self.clock.now += timedelta(minutes=2)
                settle.apply_pending(self.sessions, self.providers)
                session.rollback()
            return self._left(session)

    def close(self) -> None:
        self.engine.dispose()

    def _hears(self, session: Session, event: dict[str, Any]) -> None:
        self.clock.now += timedelta(milliseconds=1)
        at = datetime.fromtimestamp(event["created"], UTC)
        told = Verified(event["id"], event["type"], at, event["livemode"], event["data"]["object"].get("id"))
        with transaction(session):
            inbox.keep(session, provider="stripe", verified=told, body=json.dumps(event).encode(), headers={})
        settle.apply_pending(self.sessions, self.providers)

    def _left(self, session: Session) -> Any:
        with transaction(session):
            found: dict[str, Any] = {
                table: sorted(map(repr, session.execute(text(f"SELECT {columns} FROM {table}"))))
                for table, columns in TABLES.items()
            }
            found["books"] = [(row.account, row.asset, row.balance) for row in ledger.trial_balance(session)]
            found["faults"] = ledger.audit(session, full=True).faults
            dead = select(ProviderEvent.type, ProviderEvent.error).where(ProviderEvent.state.in_(("pending", "dead")))
            found["not applied"] = [tuple(row) for row in session.execute(dead)]
        return found


def _copied(source: Path, target: Path) -> Path:
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)
    return target


def doubled(order: Sequence[str]) -> tuple[str, ...]:
    """The order with each of its events told twice at once, and all of them again at the end."""
    return (*(name for name in order for _ in range(2)), *order)
