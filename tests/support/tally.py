"""Whether no cent was made or lost: our books against a provider's own, for every customer and for all (SPEC R1, V4).

What a customer holds, with what they spent and what went back to them, is what they paid; what the provider has of it
is our cash with it. Amounts are cents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app import credits, ledger
from app.db import transaction
from app.invoices import Invoice
from app.payments.models import ProviderEvent
from app.payments.refund_table import Refund
from tests.support.tills import Truth
from tests.support.trade import Buyer, Trade

_LEGS = """
SELECT entry.kind, leg.account, SUM(leg.amount) FROM ledger_leg AS leg JOIN ledger_entry AS entry
ON entry.customer_id = leg.customer_id AND entry.id = leg.entry_id
WHERE leg.customer_id = :customer AND leg.asset = 'usd' GROUP BY entry.kind, leg.account
"""
_PACK = 100  # credits


def faults(trade: Trade) -> list[str]:
    """What does not agree, in sentences. The sums that were compared are added to the trade's figures."""
    with trade.sessions() as session, transaction(session):
        found = [fault for buyer in trade.buyers for fault in _of(session, trade, buyer)]
        found += ledger.audit(session, full=True).faults
        waiting = select(ProviderEvent.type, ProviderEvent.error).where(ProviderEvent.state.in_(("pending", "dead")))
        found += [f"{row.type} was not applied: {row.error}" for row in session.execute(waiting)]
        mirrored = select(func.sum(Invoice.paid_minor)).where(
            Invoice.source == trade.channel, Invoice.order_id.is_(None), Invoice.subscription_id.is_not(None)
        )
        planned, here = trade.till.planned(), int(session.scalar(mirrored) or 0)
        found += [f"subscriptions brought {planned}, our invoices say {here}"] if planned != here else []
    trade.figures["cents of subscriptions"] = planned
    return found


def _of(session: Session, trade: Trade, buyer: Buyer) -> Iterator[str]:
    legs: Counter[str] = Counter()
    sold = 0
    for kind, account, amount in session.execute(text(_LEGS), {"customer": buyer.customer.id}):
        legs[account] += amount // 10_000
        sold -= amount // 10_000 if account in ("revenue", "tax") and kind != "debit" else 0
    sold = -sold
    topped, packs = _truths(trade, buyer.payments), _truths(trade, [payment for payment, _ in buyer.packs])
    who, figures = buyer.customer.id, trade.figures

    paid = sum(each.paid for each in [*topped, *packs])
    back = sum(min(each.paid, each.refunded + each.taken) for each in topped) + sum(each.refunded for each in packs)
    if legs["wallet"] + buyer.spent + sold != paid - back:
        yield f"{who} paid {paid}, got back {back}, spent {buyer.spent} and {sold}, but holds {legs['wallet']}"
    has = sum(map(_left_there, topped)) + sum(each.paid - each.refunded - _gone(each) for each in packs)
    here = -legs[f"cash:{trade.channel}"] - legs[f"chargebacks:{trade.channel}"]
    if has != here:
        yield f"{who}: the provider has {has}, our books say {here}"
    if legs["refunds"]:
        yield f"{who}: refunds of {legs['refunds']} are on the way for ever"
    # One whose refund failed after it had arrived is the customer's money instead, and its credits stay away.
    gone_back = set(session.scalars(select(Refund.payment_id).where(Refund.customer_id == who)))
    kept = [each for (name, _), each in zip(buyer.packs, packs, strict=True) if name not in gone_back]
    untouched = [each for each in kept if each.is_won or not each.taken]
    held = credits.balance(session, who).available
    if not _PACK * len(untouched) <= held <= _PACK * len(packs):
        yield f"{who} holds {held} credits of {len(untouched)} packs"
    figures["cents paid"] += paid
    figures["cents returned"] += back
    figures["cents spent"] += buyer.spent + sold
    figures["cents held"] += legs["wallet"]
    figures["cents at the provider"] += has
    figures["cents lost to banks"] -= legs["losses"]


def _truths(trade: Trade, payments: list[str]) -> list[Truth]:
    return [trade.till.truth(payment) for payment in payments]


def _left_there(each: Truth) -> int:
    """What the provider has of a top-up: while a case is open the bank has no more of it than there was."""
    if each.is_lost or not each.taken:
        return each.paid - each.refunded - _gone(each)
    return each.paid - min(each.paid, each.refunded + each.taken)


def _gone(each: Truth) -> int:
    """What a case cost that is decided."""
    return (each.taken if each.is_lost else 0) + (each.fee if each.is_lost or each.is_won else 0)


def report(trade: Trade) -> str:
    """What happened, one line each."""
    figures: dict[str, Any] = dict(sorted(trade.figures.items()))
    return "\n".join([f"{trade.channel}:", *(f"  {name}: {number}" for name, number in figures.items())])
