"""A life in six events: purchase, renewal, refund, dispute, upgrade, cancel; and what is left of it by their news.

Everything happens at the provider first, once. Then the news is told in one order after another, each time to another
customer with the same past and other names, and what is left of theirs in every table is compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from app.db import transaction
from app.flows import settle
from app.payments import inbox
from app.providers import standard_webhooks
from app.providers.port import Provider
from app.providers.values import Verified
from tests.support.card_paid import Cardholder
from tests.support.channels import CHANNELS
from tests.support.patron import Patron
from tests.support.retold import Names, Past, Remembering, past_of
from tests.support.time import Clock

NAMES = ("purchase", "renewal", "refund", "dispute", "upgrade", "cancel")
_OURS = r"\b(?!plan_|prod_|price_)[a-z]+(?:_test)?_(?:(?=[0-9A-Za-z]*\d)[0-9A-Za-z]{14,}|[0-9A-Za-z]{20,})\b"
_UUID = r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
_SHAPES = {
    "stripe": _OURS,
    "polar": f"{_OURS}|{_UUID}",
    "lemonsqueezy": rf"{_OURS}|{_UUID}|\b[5-9]\d{{6}}\b",
    "creem": rf"{_OURS}|\b(?:evt|cust|tran|ord|sub|ch|ref|disp)_\d+\b",
}
_APART = 1000  # more than there are numbers in one life
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
# Lemon Squeezy tells how much went back so far, and never in how many refunds: told late, two are found as one.
_SUMMED = {
    "lemonsqueezy": {"refund": "kind, state, payment_id, SUM(net_minor), SUM(amount_minor), SUM(own_loss_minor)"}
}
_BOOKS = "SELECT account, asset, SUM(amount) FROM ledger_leg WHERE customer_id = ? GROUP BY account, asset"
_NOT_APPLIED = "SELECT type, error FROM provider_event WHERE state IN ('pending', 'dead')"


@dataclass(frozen=True)
class Said:
    """One piece of news as it arrives: a delivery with its headers' name for it, or what we asked for ourselves."""

    body: str
    name: str
    polled: Verified | None = None


class Life:
    """The provider's side, the news of it by name, and the past to which it is told."""

    def __init__(
        self, who: Cardholder | Patron, channel: str, adapter: Any, news: Mapping[str, Said], kept: frozenset[str]
    ) -> None:
        self.channel, self.news, self.adapter = channel, news, adapter
        self.sessions: sessionmaker[Session] = who.sessions
        self.clock: Clock = who.clock
        self.at, self.lives = self.clock.now, 0
        self.names = Names(_SHAPES[channel], _renamed, kept)
        self.remembering = Remembering(adapter, self.names)
        self.providers: dict[str, Provider] = {channel: self.remembering}  # type: ignore[dict-item]
        self.customer_id = who.customer_id
        who.session.rollback()

    def keep(self, session: Session) -> None:
        """This is the past."""
        with transaction(session):
            self.past: Past = past_of(session.connection(), self.customer_id, self.names)

    def prepare(self, session: Session, lives: int) -> None:
        """So many more customers with this past."""
        with transaction(session):
            self.past.copy(session.connection(), range(self.lives + 1, self.lives + 1 + lives))

    def told(self, order: Sequence[str]) -> Any:
        """What is left of another customer in every table when the news comes in this order."""
        self.lives += 1
        self.clock.now = self.at
        return self.repeated(order)

    def repeated(self, order: Sequence[str]) -> Any:
        """The same of the customer who heard it last."""
        self.remembering.life = life = self.lives
        deliveries = {name: self._delivery(self.news[name], life) for name in set(order)}
        with self.sessions() as session:
            for name in order:
                self._hears(session, *deliveries[name])
            for _ in range(8):  # what came too early waits, longer each time
                if not self._not_applied(session):
                    break
                self.clock.now += timedelta(hours=2)
                settle.apply_pending(self.sessions, self.providers)
            return self._left(session, self.names.there(self.customer_id, life))

    def _delivery(self, said: Said, life: int) -> tuple[Verified, bytes]:
        """As it comes in, once its signature was found good."""
        body = self.names.there(said.body, life).encode()
        if said.polled is not None:
            return self.names.all_there(said.polled, life), body
        name = self.names.there(said.name, life)
        return self.adapter.verify(body, signed(self.channel, body, name, self.clock.now)), body

    def _hears(self, session: Session, verified: Verified, body: bytes) -> None:
        self.clock.now += timedelta(milliseconds=1)
        with transaction(session):
            inbox.keep(session, provider=self.channel, verified=verified, body=body, headers={})
        settle.apply_pending(self.sessions, self.providers)

    def _not_applied(self, session: Session) -> list[Any]:
        with transaction(session):
            return [tuple(row) for row in session.execute(text(_NOT_APPLIED))]

    def _left(self, session: Session, customer_id: str) -> Any:
        found: dict[str, Any] = {"not applied": self._not_applied(session)}
        with transaction(session):
            connection = session.connection()
            for table, columns in {**TABLES, **_SUMMED.get(self.channel, {})}.items():
                mine = connection.exec_driver_sql(
                    f"SELECT {columns} FROM {table} WHERE customer_id = ?", (customer_id,)
                )
                found[table] = sorted(self.names.here(repr(tuple(row))) for row in mine)
            found["books"] = sorted(map(repr, connection.exec_driver_sql(_BOOKS, (customer_id,))))
        return found


def _renamed(name: str, life: int) -> str:
    if name.isdigit():
        return str(int(name) + _APART * life)
    if name.count("-") == 4:
        return f"{life:08x}{name[8:]}"
    kind, _, number = name.rpartition("_")
    if number.isdigit() and len(number) < 14:
        return f"{kind}_{int(number) + _APART * life:0{len(number)}}"
    return f"{name}n{life}"


def signed(channel: str, body: bytes, name: str, at: datetime) -> dict[str, str]:
    """The headers of a delivery made at that time; `name` is the event's own, where it travels in them."""
    known = CHANNELS[channel]
    stamp = int(at.timestamp())
    if channel != "polar":
        return known.sign(body, known.secret, stamp)
    key = standard_webhooks.keys_of(known.secret)[0]
    proof = standard_webhooks.signature(body, key, event_id=name, at=stamp)
    names = (standard_webhooks.ID, standard_webhooks.TIME, standard_webhooks.SIGNATURE)
    return dict(zip(names, (name, str(stamp), proof), strict=True))


def doubled(order: Sequence[str]) -> tuple[str, ...]:
    """The order with each of its events told twice at once."""
    return tuple(name for name in order for _ in range(2))
