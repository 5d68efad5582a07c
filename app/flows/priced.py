"""A price of ours as a provider knows it: remembered, or made there now (SPEC P5)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.db import transaction
from app.providers import port
from app.providers.port import Provider
from app.providers.values import PlanRef
from app.subscriptions import prices
from app.subscriptions.sale import Sale


def plan_at(session: Session, provider: Provider, sale: Sale) -> PlanRef:
    """What to name to the provider for this sale. Network, so never within a transaction. Raises ProviderError.

    Two who ask at once agree: the provider finds a price by its terms.
    """
    role = port.subscriptions_of(provider)
    terms, interval, price = sale.terms, sale.interval, sale.price
    with transaction(session):
        known = prices.known(session, provider.name, sale)
    if known is None:
        known = role.ensure_price(
            plan=terms.key,
            version=terms.version,
            interval=interval.value,
            price=price,
            name=terms.name,
            key=f"price:{terms.id}:{terms.version}",
        )
        with transaction(session):
            prices.remember(session, provider.name, sale, known)
    return PlanRef(terms.key, interval.value, price, known, terms.version)
