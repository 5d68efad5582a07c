"""Adjusting credits by hand: staff give or take them, with a reason, and the audit log has it (SPEC C6, R10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from app import activity, clock, ledger
from app.credits import burn_down, expire
from app.credits.accounts import adjustments, credits_of
from app.credits.grants import LARGEST, grant
from app.errors import Invalid
from app.wallet import words
from app.wallet.books import key_of


def adjust(
    session: Session,
    customer_id: str,
    amount: int,
    *,
    reason: str,
    actor: str,
    key: str,
    ticket: str | None = None,
    expires_at: datetime | None = None,
) -> ledger.Entry:
    """Give (above zero) or take (below) credits, once per key; a taking never goes below zero.

    What is given may expire. Raises Invalid for the amount, the reason or the end, InsufficientFunds when more is taken
    than there is, and IdempotencyKeyReused when the key came with another adjustment.
    """
    if amount == 0 or abs(amount) > LARGEST:
        raise Invalid("Give a number of credits other than zero.", field="amount", maximum=LARGEST)
    why, own_key = words.reason(reason), key_of("adjust_credits", key)
    data = {"description": why, "by": actor}
    if ticket:
        data["ticket"] = words.plain(ticket, field="ticket", least=1, most=100)
    if amount > 0 and expires_at is not None:  # part of what the key stands for
        data["expires_at"] = clock.timestamp(expires_at)
    before = ledger.find_entry(session, customer_id, own_key)
    if amount > 0:
        given = grant(
            session,
            customer_id,
            amount,
            source="adjustment",
            key=own_key,
            actor=actor,
            expires_at=expires_at,
            data=data,
        )
        entry_id = given.entry_id
    else:
        entry_id = _take(session, customer_id, -amount, own_key, data)
    entry = ledger.entry(session, customer_id, entry_id)
    assert entry is not None, "it was just written"
    if before is None:
        told = {"amount": amount, "reason": why, "ticket": data.get("ticket"), "entry": entry_id}
        activity.record(session, actor, "credits.adjusted", customer_id, customer_id=customer_id, **told)
    return replace(entry, replayed=before is not None)


def _take(session: Session, customer_id: str, amount: int, key: str, data: dict[str, str]) -> str:
    account = credits_of(customer_id)
    ledger.lock_account(session, account)
    grants = expire.without_expired(session, burn_down.open_grants(session, customer_id), clock.now())
    entry = ledger.post(
        session, "adjustment", {account: -amount, adjustments(): amount}, customer_id=customer_id, key=key, data=data
    )
    if not entry.replayed:
        burn_down.write(session, entry, burn_down.shares_of(grants, amount))
    return entry.id
