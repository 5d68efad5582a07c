"""Giving back what is unused of a period that invoices of ours were paid for: credit notes, and the money (P7, P8).

To the wallet, which pays for the subscription: also what a card had paid because the wallet was short once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app import invoices
from app.subscriptions.unused import Part
from app.wallet.return_unused import return_unused


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What went to the wallet, net and tax, in minor units."""

    net_minor: int = 0
    tax_minor: int = 0


def give_back(session: Session, parts: Sequence[Part], *, reason: str, key: str, actor: str) -> GivenBack:
    """Credit each part's invoice and the wallet. `key` names the occasion: once for each."""
    net, tax = 0, 0
    for part in parts:
        invoice = part.invoice
        note = invoices.credit(
            session,
            invoice,
            net_minor=part.net_minor,
            reason=reason,
            returned_to="wallet",
            key=f"{key}:{invoice.id}",
            actor=actor,
        )
        net, tax = net + note.net_minor, tax + note.tax_minor
        return_unused(
            session,
            invoice,
            net_minor=note.net_minor,
            tax_minor=note.tax_minor,
            before_minor=invoice.credited_minor - note.total_minor,
            key=f"credit_note:{note.id}",
            description=f"{reason}, credit note {note.number}",
        )
    return GivenBack(net, tax)
