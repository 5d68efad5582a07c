"""What the subscription calls answer: where a customer stands, and what a change of plan would cost (SPEC §12.1)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from app import clock
from app.api.answers import Instant
from app.api.values import Answer
from app.entitlements.excess import Excess
from app.providers.values import Card
from app.subscriptions.models import SubscriptionChange
from app.subscriptions.standing import Standing

PlanKey = Field(description="The plan's key.", examples=["STARTER"])
_WAYS = {"wallet": "WALLET", "card": "CARD"}


class PendingChange(Answer):
    """A change that is confirmed and not done: `in_flight` until it is paid, or `scheduled` for `effective_at`."""

    id: str = Field(examples=["chg_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    state: str = Field(examples=["scheduled"])
    plan: str = PlanKey
    interval: str = Field(examples=["month"])
    effective_at: Instant
    action_url: str | None = Field(description="Where the customer confirms the payment with their bank, if they must.")


class StateAnswer(Answer):
    """Where the customer stands. `tier` and `plan` are both the plan's key; amounts are in cents, before tax."""

    tier: str = PlanKey
    plan: str = PlanKey
    plan_name: str = Field(examples=["Starter"])
    status: str = Field(description="free, active, past_due, restricted or incomplete.", examples=["active"])
    subscription_id: str | None = Field(examples=["sub_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    interval: str | None = Field(examples=["month"])
    price_cents: int | None = Field(examples=[9900])
    currency: str | None = Field(examples=["usd"])
    payment_method: Literal["WALLET", "CARD"] | None = Field(description="What pays for the plan.", examples=["CARD"])
    next_payment_method: Literal["WALLET", "CARD"] | None = Field(
        description="What pays from the next period on.", examples=["CARD"]
    )
    current_period_start: Instant
    current_period_end: Instant
    next_billing_date: Instant | None = Field(description="Null when nothing will be billed.")
    effective_at: Instant = Field(description="Since when, or from when on, this is so.")
    ends_at: Instant | None = Field(description="Cancelled: access lasts until then.")
    grace_ends_at: Instant | None = Field(description="A payment failed: nothing is taken away until then.")
    pending_change: PendingChange | None


class SavedCard(Answer):
    """A card the provider keeps; its number is never here."""

    id: str = Field(examples=["pm_1S42"])
    brand: str = Field(examples=["visa"])
    last4: str = Field(examples=["4242"])
    exp_month: int = Field(examples=[4])
    exp_year: int = Field(examples=[2031])


class BillingAnswer(StateAnswer):
    """Where the customer stands, with the card that is charged."""

    saved_payment_method: SavedCard | None
    provider_available: bool = Field(description="False: the provider did not answer, so saved cards are not known.")


class PreviewLine(Answer):
    description: str = Field(examples=["Growth, 14 to 31 March 2026"])
    amount_cents: int = Field(examples=[14250])


class ExcessAnswer(Answer):
    """What there is more of than the plan would allow. It stays; only new ones would be refused."""

    feature: str = Field(
        description="A kind of resource, or `production_access` for live API keys.", examples=["wallets"]
    )
    in_use: int = Field(examples=[5])
    limit: int = Field(examples=[3])


class PreviewAnswer(Answer):
    """What a change would cost and when it takes effect. It holds until `expires_at` and is charged to the cent.

    Unless it is an estimate: some providers say no figure beforehand, and theirs is the one that counts.
    """

    change_id: str = Field(examples=["chg_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    plan: str = PlanKey
    interval: str = Field(examples=["month"])
    effect: str = Field(description="now or period_end.", examples=["now"])
    effective_at: Instant
    charge_cents: int = Field(description="For the new plan, to the period's end.", examples=[14250])
    credit_cents: int = Field(description="What is not used of the old plan.", examples=[5658])
    tax_cents: int = Field(examples=[0])
    due_now_cents: int = Field(description="With tax.", examples=[8592])
    currency: str = Field(examples=["usd"])
    lines: list[PreviewLine]
    next_total_cents: int | None = Field(description="The invoice after this one.", examples=[24900])
    next_at: Instant | None
    exceeds: list[ExcessAnswer] = Field(description="More in use than the plan would allow.")
    is_estimate: bool = Field(description="The amounts are about right, before tax. The provider's own are charged.")
    expires_at: Instant


def facts(standing: Standing, plan_of: dict[str, str]) -> dict[str, Any]:
    """The fields of a StateAnswer. `plan_of` has the keys of plans by id, for the pending change."""
    live, plan = standing.subscription, standing.plan
    return {
        "tier": standing.tier,
        "plan": standing.tier,
        "plan_name": plan.name if plan else "No plan",
        "status": standing.status,
        "subscription_id": live.id if live else None,
        "interval": standing.interval.value if standing.interval else None,
        "price_cents": standing.price.minor if standing.price else None,
        "currency": standing.price.currency if standing.price else None,
        "payment_method": _WAYS[live.paid_by] if live else None,
        "next_payment_method": _WAYS[live.pays_next_by or live.paid_by] if live else None,
        "current_period_start": clock.timestamp(live.period_start if live else standing.period.start),
        "current_period_end": clock.timestamp(live.period_end if live else standing.period.end),
        "next_billing_date": clock.timestamp(standing.next_billing_at) if standing.next_billing_at else None,
        "effective_at": clock.timestamp(_effective_at(standing)),
        "ends_at": clock.timestamp(standing.ends_at) if standing.ends_at else None,
        "grace_ends_at": clock.timestamp(standing.grace_ends_at) if standing.grace_ends_at else None,
        "pending_change": _pending(standing.pending, plan_of) if standing.pending else None,
    }


def card(saved: Card | None) -> SavedCard | None:
    """A card as the API tells it."""
    if saved is None:
        return None
    return SavedCard(
        id=saved.id, brand=saved.brand, last4=saved.last4, exp_month=saved.exp_month, exp_year=saved.exp_year
    )


def preview(change: SubscriptionChange, plan_of: dict[str, str], exceeds: list[Excess]) -> PreviewAnswer:
    """A previewed change as the API tells it."""
    told = change.details
    return PreviewAnswer(
        change_id=change.id,
        plan=plan_of[change.plan_id],
        interval=change.interval,
        effect=told["effect"],
        effective_at=clock.timestamp(change.effective_at),
        charge_cents=change.charge_minor,
        credit_cents=change.credit_minor,
        tax_cents=change.tax_minor,
        due_now_cents=change.due_minor,
        currency=change.currency,
        lines=[PreviewLine(description=line["description"], amount_cents=line["amount"]) for line in told["lines"]],
        next_total_cents=told.get("next_total"),
        next_at=told.get("next_at"),
        exceeds=[ExcessAnswer(feature=one.feature, in_use=one.in_use, limit=one.limit) for one in exceeds],
        is_estimate=bool(told.get("estimated")),
        expires_at=clock.timestamp(change.expires_at),
    )


def _pending(change: SubscriptionChange, plan_of: dict[str, str]) -> PendingChange:
    return PendingChange(
        id=change.id,
        state=change.state,
        plan=plan_of[change.plan_id],
        interval=change.interval,
        effective_at=clock.timestamp(change.effective_at),
        action_url=change.action_url,
    )


def _effective_at(standing: Standing) -> Any:
    if standing.pending is not None and standing.pending.state == "scheduled":
        return standing.pending.effective_at
    return standing.subscription.period_start if standing.subscription else standing.period.start
