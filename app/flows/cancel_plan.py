"""Cancelling a subscription, whoever pays it: at the end of the period, taken back, or now with a refund (SPEC P8)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.providers.port import Provider
from app.subscriptions.models import Subscription, SubscriptionChange

Providers = Mapping[str, Provider]


def at_period_end(
    session: Session,
    providers: Providers,
    customer_id: str,
    *,
    reason: str | None,
    actor: str,
    comment: str | None = None,
) -> Subscription:
    """Access stays until the period's end, then the free plan. `reason` is one of `providers.billing.CancelReason`.

    Drops a scheduled change. Cancelling again changes nothing. Raises NoSubscription, Conflict while a change is in
    flight, Invalid for an unknown reason, ProviderDown.
    """
    raise NotImplementedError


def resume(session: Session, providers: Providers, customer_id: str, *, actor: str) -> Subscription:
    """Take the cancellation back, before the end. Not cancelled is no error. Raises NoSubscription, ProviderDown."""
    raise NotImplementedError


def now(
    session: Session, providers: Providers, customer_id: str, *, reason: str | None, actor: str
) -> SubscriptionChange:
    """End it now and pay back the unused share of the period: to the card, or to the wallet for a wallet-paid one.

    The answer's `credit_minor`, `tax_minor` and `due_minor` (their sum, negative: money back) say what goes back;
    `details["returned_to"]` is "card", "wallet" or "nowhere". Raises NoSubscription, Conflict, ProviderDown (it is
    finished by itself; the same call may be made again).
    """
    raise NotImplementedError


def preview_now(session: Session, providers: Providers, customer_id: str) -> tuple[int, str]:
    """What `now` would pay back at this moment: minor units with tax, and to where."""
    raise NotImplementedError
