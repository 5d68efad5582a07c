"""A price of ours as a provider knows it: remembered, or made there now (SPEC P5)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.db import transaction
from app.providers import port
from app.providers.errors import NotConfigured
from app.providers.port import Provider
from app.providers.values import PlanRef
from app.subscriptions import prices
from app.subscriptions.models import Subscription
from app.subscriptions.sale import Sale


def plan_at(session: Session, provider: Provider, sale: Sale, *, instead_of: tuple[str, str] | None = None) -> PlanRef:
    """What to name to the provider for this sale. Network, so never within a transaction. Raises ProviderError.

    Two who ask at once agree: the provider finds a price by its terms. `instead_of` is the subscription that is to have
    it: NotConfigured where what the provider would charge is what it charges already, and not this.
    """
    role = port.subscriptions_of(provider)
    terms, interval, price = sale.terms, sale.interval, sale.price
    with transaction(session):
        known = prices.known(session, provider.name, sale)
        has = session.get(Subscription, instead_of) if instead_of else None
        is_same = has is not None and known is not None and known == has.provider_state.get(prices.KNOWN_AS)
        if has is not None and is_same and (has.interval, has.price_minor) != (interval.value, price.minor):
            sentence = f"{terms.name} is named {known} at {provider.title}, which is sold at another price."
            raise NotConfigured(f"{sentence} Make one for {price.minor} {price.currency} (minor units).")
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
