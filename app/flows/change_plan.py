"""Changing the plan of a subscription, whoever pays it: preview, confirm, take back (SPEC P6, P7, P9)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from app.db import transaction
from app.errors import Conflict
from app.flows import change_by_card, change_from_wallet, preview_by_card
from app.providers.port import Provider
from app.subscriptions import changes, lifecycle, sale
from app.subscriptions.models import SubscriptionChange
from app.subscriptions.sale import Move

Providers = Mapping[str, Provider]


def preview(
    session: Session,
    providers: Providers,
    customer_id: str,
    plan_key: str,
    interval: str,
    *,
    actor: str,
    move: Move | None = None,
) -> SubscriptionChange:
    """What the change costs and when it takes effect, kept for ten minutes. Its `details` (JSON):

    lines: [{description, amount}]; taxes: [{name, percent, amount}]; discount; from_balance; next_total, next_at (or
    None); effect: "now" or "period_end"; limits: [{kind, key, before, after}], None being no limit, of what differs.
    Raises NoSubscription, PlanNotForSale, NotFound, Conflict (same plan; one in flight; past due), ProviderDown.
    """
    every = sale.every(interval).value
    if _is_from_wallet(session, customer_id):
        return change_from_wallet.preview(session, providers, customer_id, plan_key, every, actor=actor, move=move)
    return preview_by_card.preview(session, providers, customer_id, plan_key, every, actor=actor, move=move)


def confirm(
    session: Session, providers: Providers, customer_id: str, change_id: str, *, actor: str
) -> SubscriptionChange:
    """Carry out what was previewed, charged to the cent. The same confirmation again answers how it ended.

    The answer's state: applied; scheduled (takes effect at `effective_at`); in_flight with `action_url`, where the
    customer confirms the payment. Raises PaymentRefused with the reason (the old plan stands), PreviewExpired,
    Conflict (another change is in flight; of a move, the customer wants something else), InsufficientFunds (wallet),
    ProviderDown (we do not know yet: it is settled by itself, and the same call may be made again).
    """
    if _is_from_wallet(session, customer_id):
        return change_from_wallet.confirm(session, providers, customer_id, change_id, actor=actor)
    return change_by_card.confirm(session, providers, customer_id, change_id, actor=actor)


def undo(session: Session, providers: Providers, customer_id: str, *, actor: str) -> SubscriptionChange | None:
    """Take back the scheduled change, or one whose payment waits for the customer; None where there was none.

    Raises Conflict for one that staff make for many: it is not the customer's to take back.
    """
    with transaction(session):
        waiting = changes.scheduled(session, customer_id)
        if waiting and changes.is_of_move(waiting) and not changes.in_flight(session, customer_id):
            raise Conflict("The old terms of this plan end then. Choose another plan, or cancel this one.")
    return take_back(session, providers, customer_id, actor=actor)


def take_back(session: Session, providers: Providers, customer_id: str, *, actor: str) -> SubscriptionChange | None:
    """The same, whoever began it."""
    if _is_from_wallet(session, customer_id):
        return change_from_wallet.undo(session, providers, customer_id, actor=actor)
    return change_by_card.undo(session, providers, customer_id, actor=actor)


def _is_from_wallet(session: Session, customer_id: str) -> bool:
    """Who pays for the subscription now. Raises NoSubscription."""
    with transaction(session):
        return lifecycle.the_live(session, customer_id).paid_by == "wallet"
