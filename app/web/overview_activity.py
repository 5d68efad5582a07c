"""The latest of what happened to a customer's money and credits, in one list: each with its own unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app import activity, clock, ledger
from app.credits import words
from app.credits.accounts import credits_of
from app.http.filters import credit_count, exact, places_of
from app.ledger import Account
from app.people import looking
from app.wallet import reads

LATEST = 5
LOOKED_ON_FOR = timedelta(days=30)  # how long the overview tells that our support looked on


@dataclass(frozen=True, slots=True)
class Event:
    """One line. `change` comes formatted: `−$12.04`, `+10 credits`."""

    title: str
    detail: str
    at: datetime
    change: str
    is_gain: bool


def latest(session: Session, wallet: Account) -> Sequence[Event]:
    """The newest events: wallet, credits, and that our support looked on. Three SELECTs."""
    money = ledger.history(session, wallet, limit=LATEST)
    places = places_of(line.amount for line in money) if money else 2
    found = [
        (line.occurred_at, 1, line.seq, _event(line, exact(line.amount, sign=True, places=places))) for line in money
    ]
    of_credits = ledger.history(session, credits_of(wallet.customer_id), limit=LATEST)
    found += [(line.occurred_at, 0, line.seq, _of_credits(line)) for line in of_credits]
    found += _looked_on(session, wallet.customer_id)
    return [event for *_, event in sorted(found, key=lambda one: one[:3], reverse=True)[:LATEST]]


def _looked_on(session: Session, customer_id: str) -> list[tuple[datetime, int, int, Event]]:
    """Each time that staff looked on as this customer, of the last days: the customer may know."""
    times = activity.since(session, customer_id, looking.BEGAN, clock.now() - LOOKED_ON_FOR, limit=LATEST)
    words = "Our support looked at your account"
    return [(line.at, 2, number, Event(words, "", line.at, "", False)) for number, line in enumerate(reversed(times))]


def _event(line: ledger.Line, change: str) -> Event:
    title, detail = reads.line_title(line)
    return Event(title, detail, line.occurred_at, change, line.amount > 0)


def _of_credits(line: ledger.Line) -> Event:
    title, detail = words.line_title(line)
    return Event(title, detail or "Credits", line.occurred_at, credit_count(line.amount, sign=True), line.amount > 0)
