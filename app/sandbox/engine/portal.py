"""What customers do in the portal, and the configuration of it that every account has from the start."""

from __future__ import annotations

from app.sandbox.blanks import Object
from app.sandbox.engine import standing
from app.sandbox.tx import Tx


def announce_end(tx: Tx, subscription: Object, *, on: bool) -> None:
    """End it with its period, or take that back."""
    at = standing.period_of(subscription)[1] if on else None
    details = {**subscription["cancellation_details"], "reason": "cancellation_requested" if on else None}
    canceled = tx.now if on else None
    standing.amend(
        tx,
        subscription,
        cancel_at_period_end=on,
        cancel_at=at,
        canceled_at=canceled,
        cancellation_details=details,
    )


def default_configuration(tx: Tx) -> Object:
    """The one used when a session names none."""
    return tx.every("billing_portal.configuration", is_default=True)[0]


def prepare(tx: Tx) -> None:
    """Make the default configuration, once per database."""
    if not tx.every("billing_portal.configuration", is_default=True):
        made = tx.new("billing_portal.configuration", is_default=True, updated=tx.now)
        cancels = {**made["features"]["subscription_cancel"], "enabled": True}
        tx.change(made, features={**made["features"], "subscription_cancel": cancels})
