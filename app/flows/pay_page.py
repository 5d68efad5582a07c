"""The provider's page on which one order is paid: what is asked for, in plain values, and the asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from sqlalchemy.orm import Session

from app.flows import payer
from app.money import Money
from app.payments import orders
from app.payments.models import Order
from app.providers.port import Provider
from app.providers.values import CheckoutRequest, CheckoutSession


@dataclass(frozen=True, slots=True)
class Asked:
    """The order in plain values: reading the row after a commit would open a transaction around the network call."""

    order_id: str
    kind: Literal["topup", "credit_pack"]
    title: str  # the line of the invoice
    customer: payer.Told
    attempt: int
    amount: Money
    key: str
    request: Mapping[str, Any]

    @classmethod
    def of(
        cls, order: Order, request: Mapping[str, Any], *, kind: Literal["topup", "credit_pack"], title: str, name: str
    ) -> Self:
        """`request` is what the order keeps of the first try, `name` what its payer was called then."""
        customer = payer.Told(order.customer_id, name=name, email=request["email"])
        amount = Money(order.amount_minor, order.currency)
        return cls(order.id, kind, title, customer, order.attempt, amount, orders.key_of(order), request)


def opened(session: Session, provider: Provider, asked: Asked) -> CheckoutSession:
    """The provider's page for this order. No transaction is open while it is asked. Raises ProviderError."""
    wanted = CheckoutRequest(
        order_id=asked.order_id,
        kind=asked.kind,
        customer=payer.known(session, provider, asked.customer, attempt=asked.attempt),
        title=asked.title,
        success_url=asked.request["success_url"],
        cancel_url=asked.request["cancel_url"],
        amount=asked.amount,
        product_id=asked.request.get("product_id"),
        email=asked.customer.email,
        name=asked.customer.name,
    )
    return provider.create_checkout(wanted, key=asked.key)
