"""A customer as a provider knows them: looked up, or made known now (SPEC R4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from app.db import transaction
from app.payments import customers
from app.providers.port import Provider
from app.providers.values import CustomerRef


class Payer(Protocol):
    """Who pays, as far as a provider is told; `app.customers.Customer` is one."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def email(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Told:
    """A payer as an order told of them, whatever they are called by now: a second try must say the same again."""

    id: str
    name: str
    email: str


def known(session: Session, provider: Provider, customer: Payer, *, attempt: int = 1) -> CustomerRef:
    """The provider's customer for ours. Network, so never within a transaction. Raises ProviderError.

    `attempt` counts the definite refusals before: each is followed by another key.
    """
    customer_id, email, name = customer.id, customer.email, customer.name
    found = if_known(session, provider, customer_id)
    if found is not None:
        return found
    key = customers.key_of(customer_id, email=email, name=name, attempt=attempt)
    made = provider.ensure_customer(customer_id=customer_id, email=email, name=name, key=key)
    with transaction(session):
        return customers.remember(session, made, provider.name)


def if_known(session: Session, provider: Provider, customer_id: str) -> CustomerRef | None:
    """The provider's customer for ours, None while it was never told of them."""
    with transaction(session):
        return customers.known_as(session, customer_id, provider.name)
