"""Top-ups: money that a provider's verified event says was paid becomes wallet money (SPEC W2, R3)."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy.orm import Session

from app import activity, ledger
from app.money import minor_to_micros
from app.wallet import frozen, told
from app.wallet.accounts import cash, wallet_of


class PaidOrder(Protocol):
    """What a top-up needs to know of an order; `app.payments.Order` is one."""

    @property
    def id(self) -> str: ...
    @property
    def customer_id(self) -> str: ...
    @property
    def amount_minor(self) -> int: ...
    @property
    def currency(self) -> str: ...


def credit(
    session: Session,
    order: PaidOrder,
    *,
    payment_id: str,
    channel: str,
    description: str = "Top-up",
    paid_minor: int | None = None,
) -> ledger.Entry:
    """Credit the wallet with what the order says, once per payment whatever reports it (R3).

    The key is the payment, not the event: providers announce one payment under several events and ids. The caller
    has compared amount and currency with the provider's. `paid_minor` is less than the order where a code of the
    provider's own took the rest off: nobody is given what nobody paid.
    """
    amount = minor_to_micros(order.amount_minor if paid_minor is None else paid_minor, order.currency)
    entry = ledger.post(
        session,
        "topup",
        {wallet_of(order.customer_id, order.currency): amount, cash(channel, order.currency): -amount},
        customer_id=order.customer_id,
        key=f"topup:{channel}:{payment_id}",
        data={"description": description, "order": order.id, "channel": channel, "payment": payment_id},
    )
    if not entry.replayed:
        activity.record(
            session,
            actor=channel,
            action="wallet.topped_up",
            subject=order.id,
            customer_id=order.customer_id,
            amount_micros=amount,
            entry=entry.id,
            payment=payment_id,
        )
        told.credited(session, entry, wallet_of(order.customer_id, order.currency), amount)
        frozen.filled(session, order.customer_id, order.currency)
    return entry
