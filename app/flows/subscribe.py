"""Beginning a subscription at a provider (SPEC P5): by its hosted checkout, or at once with a saved card."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.flows.top_up import Payer
from app.payments.models import Order
from app.providers.port import Provider
from app.subscriptions.models import Subscription


def start_checkout(
    session: Session,
    provider: Provider,
    customer: Payer,
    plan_key: str,
    interval: str,
    *,
    form_key: str,
    return_url: str,
    actor: str,
    cancel_url: str | None = None,
    coupon: str | None = None,
) -> Order:
    """An order whose `checkout_url` is the page to subscribe on; the same `form_key` gives the same order and page.

    `return_url` (and `cancel_url`) may hold `{order}`. Raises AlreadySubscribed, PlanNotForSale, NotFound,
    CouponRefused, IdempotencyKeyReused, UnsupportedByChannel and ProviderDown.
    """
    raise NotImplementedError


def with_card(
    session: Session,
    provider: Provider,
    customer: Payer,
    plan_key: str,
    interval: str,
    *,
    form_key: str,
    actor: str,
    card_id: str | None = None,
    coupon: str | None = None,
) -> Subscription:
    """Subscribe at once with a saved card (None: the default one). The same `form_key` gives the same subscription.

    Raises as `start_checkout`, and PaymentRefused with the provider's reason (nothing is active), ActionRequired with
    the url where the customer confirms the payment.
    """
    raise NotImplementedError
