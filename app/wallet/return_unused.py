"""Giving back to the wallet what was paid from it for time that is not used: never more than was paid (SPEC P7, P8).

New entries rather than a reversal: a part goes back, and the invoice stays paid. Promotional money was spent first
(W1), so it is what the used time cost; paid money comes back first, and what comes back of the promotional part is
promotional again. Nobody can turn one into the other by subscribing and leaving.
"""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.orm import Session

from app import activity, ledger
from app.money import minor_to_micros
from app.wallet import told
from app.wallet.accounts import revenue, tax, wallet_of


class PaidInvoice(Protocol):
    """What giving back needs to know of an invoice; `app.invoices.Invoice` is one."""

    @property
    def id(self) -> str: ...
    @property
    def customer_id(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def total_minor(self) -> int: ...
    @property
    def payment_id(self) -> str | None: ...


def return_unused(
    session: Session,
    invoice: PaidInvoice,
    *,
    net_minor: int,
    tax_minor: int,
    before_minor: int,
    key: str,
    description: str,
) -> list[ledger.Entry]:
    """Credit the wallet with net and tax, in minor units, once per `key`: a paid part, a promotional part, or both.

    `before_minor` is what was given back of this invoice before this time, tax included. What a card had paid, because
    the wallet was short, comes back as paid money.
    """
    currency, customer_id = invoice.currency, invoice.customer_id
    paid_by = ledger.entry(session, customer_id, invoice.payment_id or "")
    wallet = wallet_of(customer_id, currency)
    total = minor_to_micros(invoice.total_minor, currency)
    before, now = minor_to_micros(before_minor, currency), minor_to_micros(net_minor + tax_minor, currency)
    assert before + now <= total, "never more than was paid"
    paid_part = total + (paid_by.leg(wallet).promo_amount if paid_by else 0)  # the leg's is negative: it was spent
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
        facts = {"amount_micros": now, "promo_micros": promo_back, "entries": [entry.id for entry in entries]}
        activity.record(session, "system", "invoice.returned_to_wallet", invoice.id, customer_id=customer_id, **facts)
    for entry in entries:
        told.credited(session, entry, wallet, entry.leg(wallet).amount)
    return entries
