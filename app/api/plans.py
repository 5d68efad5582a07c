"""`/subscription/plans`: the plans on offer, in the envelope of SPEC §12.2."""

from __future__ import annotations

from typing import Literal

from flask import Response
from pydantic import Field

from app.api import calls
from app.api.values import Answer
from app.catalogue import reads
from app.catalogue.terms import PlanTerms
from app.extensions import db

subscription_plans = calls.group("api_plans", "Plans", "What can be subscribed to.")


class PlanAnswer(Answer):
    """A plan as it is offered now. Prices are in cents, before tax; null where there is none."""

    id: str = Field(examples=["plan_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    name: str = Field(examples=["Pro"])
    description: str = Field(examples=["For everyday use, with credits every month."])
    price_monthly: int | None = Field(description="Null for a plan whose price is negotiated.", examples=[999])
    price_yearly: int | None = Field(description="Null for a plan that is not sold by the year.", examples=[9990])
    credits_included: int = Field(description="Credits that come with it each month.", examples=[10000])
    features: list[str] = Field(examples=[["Unlimited AI chat", "Priority support"]])


class PlansAnswer(Answer):
    """The plans, in the order in which they are shown."""

    success: Literal[True] = True
    data: list[PlanAnswer]


@subscription_plans.get("/subscription/plans", responses={200: PlansAnswer})
@calls.call("billing:read", for_a_customer=False)
def index() -> Response:
    """The plans on offer"""
    return calls.reply(PlansAnswer(data=[_told(plan) for plan in reads.offered_plans(db.session())]))


def _told(plan: PlanTerms) -> PlanAnswer:
    return PlanAnswer(
        id=plan.id,
        name=plan.name,
        description=plan.description,
        price_monthly=plan.monthly_minor,
        price_yearly=plan.yearly_minor,
        credits_included=plan.included_credits,
        features=list(plan.features),
    )
