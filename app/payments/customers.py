"""Which customer of a provider's is which of ours."""

from __future__ import annotations

import hashlib

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import clock
from app.payments.models import ProviderCustomer
from app.providers.values import CustomerRef


def key_of(customer_id: str, *, email: str, name: str | None, attempt: int) -> str:
    """The idempotency key under which a provider makes its customer: another address is another request."""
    digest = hashlib.sha256(f"{email}\n{name}".encode()).hexdigest()
    return f"{customer_id}:customer:{digest[:12]}:{attempt}"


def known_as(session: Session, customer_id: str, channel: str) -> CustomerRef | None:
    """What this provider calls our customer, if it was told of it."""
    known = session.get(ProviderCustomer, (customer_id, channel))
    return CustomerRef(known.provider_id, customer_id) if known else None


def remember(session: Session, ref: CustomerRef, channel: str) -> CustomerRef:
    """Write down the provider's name for a customer; the first one stays, so two at once agree."""
    row = {
        "customer_id": ref.customer_id,
        "channel": channel,
        "provider_id": ref.id,
        "created_at": clock.now(),
    }
    unique = ["customer_id", "channel"]
    session.execute(insert(ProviderCustomer).values(row).on_conflict_do_nothing(index_elements=unique))
    known = known_as(session, ref.customer_id, channel)
    assert known is not None, "it was just written"
    return known


def forget(session: Session, customer_id: str, channel: str) -> None:
    """The provider no longer has this customer: it will be told of it anew."""
    gone = ProviderCustomer.customer_id == customer_id, ProviderCustomer.channel == channel
    session.execute(delete(ProviderCustomer).where(*gone))


def customer_behind(session: Session, channel: str, provider_id: str) -> str | None:
    """Our customer behind a provider's id."""
    return session.scalars(
        select(ProviderCustomer.customer_id)
        .where(ProviderCustomer.channel == channel, ProviderCustomer.provider_id == provider_id)
        .limit(1)
    ).one_or_none()
