"""Cancelling a subscription, whoever pays it: at the end of the period, taken back, or now with a refund (SPEC P8)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from app import clock
from app.credits import included
from app.db import transaction
from app.errors import Invalid
from app.flows import cancel_by_card, cancel_from_wallet
from app.providers.billing import CANCEL_REASONS
from app.providers.port import Provider
from app.subscriptions import changes, lifecycle
from app.subscriptions.models import Subscription, SubscriptionChange

Providers = Mapping[str, Provider]
_LONGEST_COMMENT = 500


def at_period_end(
    session: Session,
    providers: Providers,
    customer_id: str,
    *,
    reason: str | None,
    actor: str,
    comment: str | None = None,
) -> Subscription:
    """Access stays until the period's end, then the free plan. `reason` is one of CANCEL_REASONS.

    Drops a scheduled change. Cancelling again changes nothing. Raises NoSubscription, Conflict while a change is in
    flight, Invalid for an unknown reason, ProviderDown.
    """
    _check(reason, comment)
    if _is_from_wallet(session, customer_id):
        return cancel_from_wallet.at_period_end(session, providers, customer_id, reason=reason, actor=actor)
    return cancel_by_card.at_period_end(session, providers, customer_id, reason=reason, comment=comment, actor=actor)


def resume(session: Session, providers: Providers, customer_id: str, *, actor: str) -> Subscription:
    """Take the cancellation back, before the end. Not cancelled is no error. Raises NoSubscription, ProviderDown."""
    if _is_from_wallet(session, customer_id):
        return cancel_from_wallet.resume(session, providers, customer_id, actor=actor)
    return cancel_by_card.resume(session, providers, customer_id, actor=actor)


def now(
    session: Session, providers: Providers, customer_id: str, *, reason: str | None, actor: str
) -> SubscriptionChange:
    """End it now and pay back the unused share of the period: to the card, or to the wallet for a wallet-paid one.

    The answer's `due_minor`, which is negative, says what goes back, tax included;
    `details["returned_to"]` is "card", "wallet" or "nowhere". Raises NoSubscription, Conflict, ProviderDown (it is
    finished by itself; the same call may be made again).
    """
    _check(reason, None)
    if _is_from_wallet(session, customer_id, ending=True):
        return cancel_from_wallet.now(session, providers, customer_id, reason=reason, actor=actor)
    return cancel_by_card.now(session, providers, customer_id, reason=reason, actor=actor)


def preview_now(session: Session, providers: Providers, customer_id: str) -> tuple[int, str]:
    """What `now` would pay back at this moment: minor units with tax, and to where ("card", "wallet", "nowhere")."""
    if _is_from_wallet(session, customer_id):
        unused = cancel_from_wallet.unused_now(session, customer_id)
        back = unused.net + unused.tax
        return back, "wallet" if back else "nowhere"
    return cancel_by_card.preview_now(session, providers, customer_id)


def credits_now(session: Session, customer_id: str, back_minor: int) -> int:
    """How many credits `now` would take back with so much money: what the plan brought for that time, unspent."""
    with transaction(session):
        live = lifecycle.live(session, customer_id)
        return included.would_end(session, live, clock.now()) if live is not None and back_minor else 0


def _check(reason: str | None, comment: str | None) -> None:
    if reason is not None and reason not in CANCEL_REASONS:
        raise Invalid("Choose one of the reasons.", field="reason", known=list(CANCEL_REASONS))
    if comment is not None and len(comment) > _LONGEST_COMMENT:
        raise Invalid(f"Write at most {_LONGEST_COMMENT} characters.", field="comment")


def _is_from_wallet(session: Session, customer_id: str, *, ending: bool = False) -> bool:
    """Who pays for the subscription now. Raises NoSubscription.

    `ending`: one whose end is under way counts too, though it may be over already.
    """
    with transaction(session):
        running = changes.in_flight(session, customer_id) if ending else None
        if running is not None and running.kind == "cancel_now":
            return bool(running.details["from"]["paid_by"] == "wallet")
        return lifecycle.the_live(session, customer_id).paid_by == "wallet"
