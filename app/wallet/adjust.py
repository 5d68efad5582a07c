"""Adjusting a wallet by hand: staff give or take money, with a reason, and the audit log has it (SPEC C6, R10)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import activity, ledger
from app.errors import Invalid
from app.wallet import frozen, told, words
from app.wallet.accounts import adjustments, wallet_of
from app.wallet.books import key_of

LARGEST_MICROS = 1_000_000_000_000  # a million dollars: more than that by hand is a typing mistake


def adjust(
    session: Session,
    customer_id: str,
    amount_micros: int,
    *,
    reason: str,
    actor: str,
    key: str,
    ticket: str | None = None,
    currency: str = "usd",
) -> ledger.Entry:
    """Give (above zero) or take (below) micros once per key; a taking never goes below zero.

    Raises Invalid for the amount or the reason, InsufficientFunds when more is taken than is available, and
    IdempotencyKeyReused when the key came with another adjustment.
    """
    if amount_micros == 0 or abs(amount_micros) > LARGEST_MICROS:
        raise Invalid(
            "Give an amount other than zero, at most 1,000,000.00.", field="amount", maximum_micros=LARGEST_MICROS
        )
    why = words.reason(reason)
    data = {"description": why, "by": actor}
    if ticket:
        data["ticket"] = words.plain(ticket, field="ticket", least=1, most=100)
    entry = ledger.post(
        session,
        "adjustment",
        {wallet_of(customer_id, currency): amount_micros, adjustments(currency): -amount_micros},
        customer_id=customer_id,
        key=key_of("adjust", key),
        data=data,
    )
    if not entry.replayed:
        activity.record(
            session,
            actor=actor,
            action="wallet.adjusted",
            subject=customer_id,
            customer_id=customer_id,
            amount_micros=amount_micros,
            reason=why,
            ticket=data.get("ticket"),
            entry=entry.id,
        )
        told.credited(session, entry, wallet_of(customer_id, currency), amount_micros)
        if amount_micros > 0:
            frozen.filled(session, customer_id, currency)
    return entry
