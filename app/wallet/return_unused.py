"""Giving back to the wallet what was paid from it for time that is not used: never more than was paid (SPEC P7, P8).

New entries rather than a reversal: a part goes back, and the invoice stays paid. Promotional money was spent first
(W1), so it is what the used time cost; paid money comes back first, and what comes back of the promotional part is
promotional again. Nobody can turn one into the other by subscribing and leaving.
"""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.orm import Session

from app import activity, ledger
from app.errors import NotFound
from app.money import minor_to_micros
from app.wallet.accounts import revenue, tax, wallet_of


class PaidInvoice(Protocol):
    """What giving back needs to know of an invoice. `credited_minor`: what was given back before this time."""

    @property
    def id(self) -> str: ...
    @property
    def customer_id(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def credited_minor(self) -> int: ...
    @property
    def payment_id(self) -> str | None: ...


def return_unused(
    session: Session, invoice: PaidInvoice, *, net_minor: int, tax_minor: int, key: str, description: str
) -> list[ledger.Entry]:
    """Credit the wallet with net and tax, in minor units, once per `key`: a paid part, a promotional part, or both.

    Raises NotFound for an invoice the wallet did not pay. To be called before the credit note is counted in the
    invoice's `credited_minor`. The caller sees to it that all returns together stay within the invoice's total.
    """
    currency, customer_id = invoice.currency, invoice.customer_id
    paid_by = ledger.entry(session, customer_id, invoice.payment_id or "")
    wallet = wallet_of(customer_id, currency)
    if paid_by is None:
        raise NotFound("This invoice was not paid from the wallet.", invoice=invoice.id)
    leg = paid_by.leg(wallet)
    before, now = minor_to_micros(invoice.credited_minor, currency), minor_to_micros(net_minor + tax_minor, currency)
    assert before + now <= -leg.amount, "never more than was paid"
    paid_part = leg.promo_amount - leg.amount  # both are negative: the wallet's loss less its promotional part
    paid_back = min(before + now, paid_part) - min(before, paid_part)
    promo_back, net = now - paid_back, minor_to_micros(net_minor, currency)
    promo_net = min(promo_back, net)
    parts = [
        ("subscription_return", key, paid_back, net - promo_net),
        ("subscription_return_promo", f"{key}:promo", promo_back, promo_net),
    ]
    entries = []
    for kind, own_key, amount, earned in parts:
        if amount:
            legs = {wallet: amount, revenue(currency): -earned, tax(currency): earned - amount}
            data = {"description": description, "invoice": invoice.id}
            moved = {account: part for account, part in legs.items() if part}
            entries.append(ledger.post(session, kind, moved, customer_id=customer_id, key=own_key, data=data))
    if any(not entry.replayed for entry in entries):
        told = {"amount_micros": now, "promo_micros": promo_back, "entries": [entry.id for entry in entries]}
        activity.record(session, "system", "invoice.returned_to_wallet", invoice.id, customer_id=customer_id, **told)
    return entries
