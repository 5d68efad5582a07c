"""Granting credits: bought, included in a plan, or given away. Once per key, whatever reports it (SPEC C1, C2, C3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import activity, clock, ids, ledger
from app.credits import burn_down
from app.credits.accounts import adjustments, credits_of, issued, promotions
from app.credits.models import CreditGrant
from app.credits.words import TITLES
from app.errors import Invalid
from app.ledger import Account

LARGEST = 1_000_000_000  # credits in one movement

# source -> the kind of its ledger entry
_KINDS = {
    "pack": "pack",
    "welcome": "credit_grant",
    "included": "credit_grant",
    "checkin": "checkin",
    "coupon": "promo",
    "adjustment": "adjustment",
    "promo": "promo",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """Credits that came in at once, as they stand now. `replayed`: this key had been granted before, nothing was now.

    `entry_id` is the credit transaction (wtxn_…); `balance_after` its running balance.
    """

    customer_id: str
    id: str
    source: str
    is_paid: bool
    amount: int
    remaining: int
    expires_at: datetime | None
    key: str
    entry_id: str
    created_at: datetime
    balance_after: int
    replayed: bool = False


def grant(
    session: Session,
    customer_id: str,
    amount: int,
    *,
    source: str,
    key: str,
    actor: str,
    is_paid: bool = False,
    expires_at: datetime | None = None,
    priority: int = 0,
    data: Mapping[str, Any] | None = None,
) -> Grant:
    """Give whole credits, once per (customer, key): the same key and amount answer the first grant, `replayed`.

    `source` is one of `models.SOURCES`; `data["description"]` is what the customer reads beside the amount;
    `expires_at` None is never. Raises Invalid for an amount that is not 1 to a thousand million or an end that is over,
    and IdempotencyKeyReused when the key came with another amount or other data.
    """
    positive(amount)
    entry = ledger.post(
        session,
        _KINDS[source],
        {credits_of(customer_id): amount, _giver(source): -amount},
        customer_id=customer_id,
        key=key,
        data={"description": TITLES[source], "source": source, **(data or {})},
    )
    if entry.replayed:
        return value_of(_by_entry(session, entry), entry)
    if expires_at is not None and expires_at <= clock.now():
        raise Invalid("Credits must end in the future.", field="expires_at")
    made = _written(
        session, entry, source=source, is_paid=is_paid, amount=amount, expires_at=expires_at, priority=priority
    )
    told = {"amount": amount, "source": source, "entry": entry.id}
    if source != "adjustment":  # which staff's own words tell, with the reason
        activity.record(session, actor, "credits.granted", made.id, customer_id=customer_id, **told)
    return value_of(made, entry)


def find_grant(session: Session, customer_id: str, key: str) -> CreditGrant | None:
    """The grant under this key, None while there is none."""
    mine = select(CreditGrant).where(CreditGrant.customer_id == customer_id, CreditGrant.key == key)
    return session.scalars(mine).one_or_none()


def positive(amount: int) -> int:
    """The amount, when it is 1 to a thousand million credits. Raises Invalid otherwise."""
    if not 0 < amount <= LARGEST:
        raise Invalid("Give a number of credits above zero and within range.", field="amount", maximum=LARGEST)
    return amount


def value_of(row: CreditGrant, entry: ledger.Entry) -> Grant:
    return Grant(
        row.customer_id, row.id, row.source, row.is_paid, row.amount, row.remaining, row.expires_at, row.key,
        row.entry_id, row.created_at, entry.balance_after or 0, entry.replayed,
    )  # fmt: skip


def _written(session: Session, entry: ledger.Entry, *, amount: int, **told: Any) -> CreditGrant:
    """The grant's row, and its first movement: everything that is in it comes with the entry."""
    made = CreditGrant(
        customer_id=entry.customer_id,
        id=ids.new("grant"),
        amount=amount,
        remaining=0,
        key=entry.key,
        entry_id=entry.id,
        created_at=clock.now(),
        **told,
    )
    session.add(made)
    session.flush()
    burn_down.write(session, entry, {made: amount})
    return made


def _giver(source: str) -> Account:
    if source in ("pack", "included"):
        return issued()
    return adjustments() if source == "adjustment" else promotions()


def _by_entry(session: Session, entry: ledger.Entry) -> CreditGrant:
    mine = select(CreditGrant).where(CreditGrant.customer_id == entry.customer_id, CreditGrant.entry_id == entry.id)
    return session.scalars(mine).one()
