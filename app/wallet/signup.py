"""The sign-up credit: promotional money for a new customer, spent before paid money, never refunded (SPEC W1)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import activity, ledger
from app.wallet.accounts import promotions, wallet_of

KEY = "signup"


def give_credit(
    session: Session, customer_id: str, email: str, amount_micros: int, *, currency: str = "usd"
) -> ledger.Entry | None:
    """Credit a new customer's wallet once per customer, in micros. Zero means the credit is switched off: None.

    Once per normalised e-mail is claimed by the sign-up itself. The e-mail goes to the activity log, which can be
    anonymised, and not to the entry, which cannot.
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
            email=email,
        )
    return entry
