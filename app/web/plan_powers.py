"""What can be done about a plan, by who runs it: what the wallet pays is ours to do, a provider does what it declares.

Pages leave out the rest (SPEC V1); the flows behind them refuse it too.
"""

from __future__ import annotations

from flask import current_app

from app.providers.port import Provider
from app.providers.values import Cap
from app.subscriptions.models import Subscription


def runs(live: Subscription | None) -> Provider | None:
    """The provider that runs it; None where the wallet pays, or its provider is not configured any more."""
    if live is None or live.paid_by == "wallet":
        return None
    found: Provider | None = current_app.extensions["providers"].get(live.channel or "")
    return found


def can(live: Subscription | None, cap: Cap) -> bool:
    """Whether who runs it can do that. Of a provider that cannot be asked, the flow says what is wrong."""
    provider = runs(live)
    return provider is None or cap in provider.capabilities


def page_of(live: Subscription | None) -> Provider | None:
    """The provider whose own page is the subscriber's; None where there is none."""
    provider = runs(live)
    return provider if provider is not None and Cap.PORTAL in provider.capabilities else None
