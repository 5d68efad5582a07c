"""`/admin/billing/plans`: staff read the plans and change them by program, as SPEC §12.2 documents."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Any, Literal

from flask import Response
from pydantic import BaseModel, Field, StringConstraints

from app.api import calls
from app.api.answers import Instant
from app.api.values import Answer, Body, Count
from app.catalogue import edit, reads
from app.catalogue.edit import PlanWrong
from app.catalogue.models import Plan
from app.catalogue.terms import Limit, PlanTerms
from app.clock import timestamp
from app.db import transaction
from app.errors import Conflict, Invalid
from app.extensions import db

staff_plans = calls.group("api_staff_plans", "Plans, by staff", "What is sold, and changing it.")

Text = Annotated[str, StringConstraints(max_length=200)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern="^[A-Za-z][A-Za-z0-9_-]*$")]
LimitKey = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern="^[a-z][a-z0-9_]*$")]
_FIELDS = {"monthly": "price_monthly", "yearly": "price_yearly", "included_credits": "credits_included"}


class LimitBody(Body):
    """One limit. Without an `amount` there is none. An allowance with one says what happens past it."""

    kind: Literal["allowance", "count", "rate", "flag"]
    key: LimitKey = Field(examples=["views"])
    amount: Count | None = Field(default=None, description="For a flag 1 is yes.", examples=[150000])
    overage: Literal["wallet", "invoice", "block"] | None = Field(default=None, examples=["invoice"])
    overage_micros: Count | None = Field(default=None, description="The price of one past it.", examples=[1500])


class PlanBody(Body):
    """A plan. Prices are in cents, before tax. Limits, provider ids, place and the rest stay when they are left out."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60)] = Field(examples=["Pro"])
    description: Text = Field(default="", examples=["For everyday use."])
    price_monthly: Count | None = Field(default=None, description="Left out: none.", examples=[999])
    price_yearly: Count | None = Field(default=None, description="Left out: not sold by the year.", examples=[9990])
    credits_included: Count = Field(default=0, description="Credits each month.", examples=[10000])
    features: Annotated[list[Text], Field(max_length=30)] = Field(default_factory=list, examples=[["Priority support"]])
    key: Key | None = Field(default=None, description="What programs call it; fixed once made.", examples=["pro"])
    custom: bool | None = Field(default=None, description="Its price is negotiated, and not public.")
    welcome_credits: Count | None = Field(default=None, description="Credits once, to begin with.")
    rank: Annotated[int, Field(ge=0, le=1000)] | None = Field(default=None, description="The lowest comes first.")
    downgrade: Literal["period_end", "immediate"] | None = None
    limits: Annotated[list[LimitBody], Field(max_length=200)] | None = None
    provider_ids: dict[LimitKey, dict[LimitKey, Text]] | None = Field(
        default=None, examples=[{"creem": {"product_id": "prod_123"}}]
    )
    retired: bool | None = Field(default=None, description="No longer offered; who has it keeps it.")


class LimitAnswer(Answer):
    """One limit; an `amount` of null is none."""

    kind: Literal["allowance", "count", "rate", "flag"]
    key: str = Field(examples=["views"])
    amount: int | None = Field(examples=[150000])
    overage: Literal["wallet", "invoice", "block"] | None = Field(examples=["invoice"])
    overage_micros: int | None = Field(examples=[1500])


class StaffPlanAnswer(Answer):
    """A plan as staff see it. Prices are in cents, before tax."""

    id: str = Field(examples=["plan_01k9yq3v7n4m8s2t6w0x5z1b3d"])
    key: str = Field(examples=["pro"])
    name: str = Field(examples=["Pro"])
    description: str = Field(examples=["For everyday use."])
    rank: int
    price_monthly: int | None = Field(examples=[999])
    price_yearly: int | None = Field(examples=[9990])
    custom: bool
    credits_included: int = Field(examples=[10000])
    welcome_credits: int
    downgrade: Literal["period_end", "immediate"]
    features: list[str] = Field(examples=[["Priority support"]])
    limits: list[LimitAnswer]
    provider_ids: dict[str, dict[str, str]] = Field(examples=[{"creem": {"product_id": "prod_123"}}])
    version: int = Field(examples=[1])
    sold: bool = Field(description="Whether this version was bought: then the next change makes a new one.")
    retired_at: Instant | None


class StaffPlansAnswer(Answer):
    """All plans, those on offer first."""

    success: Literal[True] = True
    data: list[StaffPlanAnswer]


class OneStaffPlanAnswer(Answer):
    """One plan."""

    success: Literal[True] = True
    data: StaffPlanAnswer


class PlanPath(BaseModel):
    plan_id: str = Field(max_length=200)


@staff_plans.get("/admin/billing/plans", responses={200: StaffPlansAnswer})
@calls.call("staff:read", kinds=("staff",), for_a_customer=False)
def index() -> Response:
    """All plans, retired ones too"""
    rows = edit.every_plan(db.session())
    terms = reads.with_limits(db.session(), rows)
    return calls.reply(
        StaffPlansAnswer(data=[_told(*each) for each in zip((plan for plan, _ in rows), terms, strict=True)])
    )


@staff_plans.post("/admin/billing/plans", responses={201: OneStaffPlanAnswer})
@calls.call("staff:admin", kinds=("staff",), for_a_customer=False)
def create(body: PlanBody) -> Response:
    """Offer a new plan

    Without a `key` it is made from the name. A key that exists is refused with 409.
    """
    key = body.key or re.sub(r"[^a-z0-9]+", "_", body.name.lower()).strip("_")
    taken = [plan for plan, _ in edit.every_plan(db.session()) if plan.key == key]
    if taken:
        raise Conflict(f"There is a plan {key} already.", field="key", id=taken[0].id)
    before = PlanTerms(key=key, rank=0, name="", description="", currency=calls.currency())
    with transaction(db.session):
        _save(body, before)
        plan = next(plan for plan, _ in edit.every_plan(db.session()) if plan.key == key)
        if body.retired:
            edit.retire_plan(db.session(), plan.id, actor=calls.caller().key_id)
    return calls.reply(OneStaffPlanAnswer(data=_told(plan, _offered(plan))), 201)


@staff_plans.put("/admin/billing/plans/<plan_id>", responses={200: OneStaffPlanAnswer})
@calls.call("staff:admin", kinds=("staff",), for_a_customer=False)
def update(path: PlanPath, body: PlanBody) -> Response:
    """Change a plan

    Where its version was bought, a new version is offered, and those who have the old one keep it.
    """
    found = edit.one_plan(db.session(), path.plan_id)
    if body.key not in (None, found.terms.key):
        raise Invalid("The key of a plan is fixed.", field="key")
    retired = found.retired_at is not None if body.retired is None else body.retired
    with transaction(db.session):
        _save(body, found.terms)
        verb = edit.retire_plan if retired else edit.offer_again
        plan = verb(db.session(), found.terms.id, actor=calls.caller().key_id)
    return calls.reply(OneStaffPlanAnswer(data=_told(plan, _offered(plan))))


def _save(body: PlanBody, before: PlanTerms) -> None:
    try:
        edit.save_plan(db.session(), _wanted(body, before), actor=calls.caller().key_id)
    except PlanWrong as wrong:
        faults = [each | {"field": _FIELDS.get(each["field"], each["field"])} for each in wrong.details["mistakes"]]
        raise Invalid(wrong.sentence, field=faults[0]["field"], errors=faults[:20]) from wrong


def _wanted(body: PlanBody, before: PlanTerms) -> PlanTerms:
    """The documented fields as they came; of ours those that came."""
    ours: dict[str, Any] = {
        "is_custom": body.custom,
        "welcome_credits": body.welcome_credits,
        "rank": body.rank,
        "downgrade": body.downgrade,
        "limits": None if body.limits is None else tuple(_limit(each) for each in body.limits),
        "provider_ids": body.provider_ids,
    }
    return replace(
        before,
        name=body.name,
        description=body.description,
        monthly_minor=body.price_monthly,
        yearly_minor=body.price_yearly,
        included_credits=body.credits_included,
        features=tuple(body.features),
        **{name: value for name, value in ours.items() if value is not None},
    )


def _limit(body: LimitBody) -> Limit:
    return Limit(body.kind, body.key, body.amount, body.overage, body.overage_micros)


def _offered(plan: Plan) -> PlanTerms:
    return reads.version_of(db.session(), plan.id, plan.current_version)


def _told(plan: Plan, terms: PlanTerms) -> StaffPlanAnswer:
    return StaffPlanAnswer(
        id=plan.id,
        key=plan.key,
        name=terms.name,
        description=terms.description,
        rank=terms.rank,
        price_monthly=terms.monthly_minor,
        price_yearly=terms.yearly_minor,
        custom=terms.is_custom,
        credits_included=terms.included_credits,
        welcome_credits=terms.welcome_credits,
        downgrade=terms.downgrade,  # type: ignore[arg-type]  # the table's CHECK allows these words only
        features=list(terms.features),
        limits=[_limit_told(limit) for limit in terms.limits],
        provider_ids={channel: dict(names) for channel, names in terms.provider_ids.items()},
        version=terms.version,
        sold=terms.is_sold,
        retired_at=timestamp(plan.retired_at) if plan.retired_at else None,
    )


def _limit_told(limit: Limit) -> LimitAnswer:
    return LimitAnswer(
        kind=limit.kind,  # type: ignore[arg-type]  # the table's CHECK allows these words only
        key=limit.key,
        amount=limit.amount,
        overage=limit.overage_mode,  # type: ignore[arg-type]
        overage_micros=limit.overage_micros,
    )
