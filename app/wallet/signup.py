"""The sign-up credit: promotional money for a new customer, spent before paid money, never refunded (SPEC W1)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import activity, ledger
from app.people import addresses
from app.wallet import told
from app.wallet.accounts import promotions, wallet_of

KEY = "signup"


def give_credit(
    session: Session, customer_id: str, email: str, amount_micros: int, *, currency: str = "usd"
) -> ledger.Entry | None:
    """Credit a new customer's wallet once per customer, in micros. Zero means the credit is switched off: None.

    Once per person is claimed by the sign-up itself. Neither entry nor audit log can ever be edited, so they keep the
    hash of the person, not the address.
    """
    if amount_micros <= 0:
        return None
    entry = ledger.post(
        session,
        "signup_credit",
        {wallet_of(customer_id, currency): amount_micros, promotions(currency): -amount_micros},
        customer_id=customer_id,
        key=KEY,
        data={"description": "Welcome credit"},
    )
    if not entry.replayed:
        activity.record(
            session,
            actor="system",
            action="wallet.signup_credited",
            subject=customer_id,
            customer_id=customer_id,
            amount_micros=amount_micros,
            entry=entry.id,
            person=addresses.person_hash(email),
        )
        told.credited(session, entry, wallet_of(customer_id, currency), amount_micros)
    return entry
