"""Telling the host product that money came into a wallet (SPEC §12.4)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import ledger, outgoing
from app.ledger import Account
from app.wallet.kinds import named


def credited(session: Session, entry: ledger.Entry, wallet: Account, amount_micros: int) -> None:
    """Emit `wallet.credited`, once for each entry, in the transaction that posts it. Of a taking nothing is told."""
    if entry.replayed or amount_micros <= 0:
        return
    told = {
        "transaction": entry.id,
        "type": named(entry.kind).api,
        "amount_micros": amount_micros,
        "currency": wallet.asset,
        "description": entry.data.get("description", ""),
    }
    outgoing.emit(session, wallet.customer_id, "wallet.credited", told, key=entry.id)
