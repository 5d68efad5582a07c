"""`/v1/entitlements`: what a customer's plan allows now, asked without side effects (SPEC U7, §12.4)."""

from __future__ import annotations

import json
from typing import Any, Literal

from flask import Response
from pydantic import Field

from app import clock, entitlements
from app.api import calls
from app.api.answers import Instant
from app.api.values import Answer, Body, Quantity
from app.entitlements import Verdict, plan_now
from app.errors import Refusal
from app.extensions import db
from app.http import plan_limits

api_entitlements = calls.group(
    "api_entitlements", "Entitlements", "What a plan allows: ask before, and say why not in your own words."
)

_NUMBERS = ("available_micros", "needed_micros", "cap_micros", "spent_micros", "available", "needed", "retry_after")


class Check(Body):
    feature: str = Field(
        min_length=1,
        max_length=40,
        description="A meter, a kind of resource, `reads` or `writes`, a flag, or an action that costs credits.",
        examples=["wallets"],
    )
    quantity: Quantity = Field(default=1, description="How many more of it.")


class LimitAnswer(Answer):
    """One limit as it stands."""

    feature: str = Field(examples=["wallets"])
    kind: Literal["rate", "flag", "count", "allowance", "credits"] = Field(examples=["count"])
    allowed: bool = Field(description="Whether as much as was asked for, else one more, is allowed now.")
    limit: int | None = Field(
        description="Null for no limit. Of a flag 1 or 0; of an action, how often the credits pay for it.", examples=[3]
    )
    used: int = Field(examples=[2])
    left: int | None = Field(description="Null for no limit.", examples=[1])
    resets_at: Instant | None = Field(description="Null where nothing resets by itself.")


class CheckAnswer(LimitAnswer):
    """Whether it is allowed; and if not, why, and what would help. What there is not to say is left out."""

    plan: str = Field(description="The plan's key.", examples=["FREE"])
    reason: str | None = Field(default=None, description="The code that doing it would be refused with.")
    message: str | None = Field(default=None, description="Why, in a sentence for people.")
    remedy: str | None = Field(default=None, description="What to do next.")
    upgrade: str | None = Field(default=None, description="The cheapest plan that would allow it.")
    figures: dict[str, int] | None = Field(
        default=None, description="Of a wallet, a spend cap or credits that are short: what there is and what it takes."
    )

    def to_json(self) -> str:
        told = self.model_dump(mode="json")
        optional = ("reason", "message", "remedy", "upgrade", "figures")
        return json.dumps({name: one for name, one in told.items() if one is not None or name not in optional})


class EntitlementsAnswer(Answer):
    """Every limit there is for this customer: rates, flags, counts, then allowances."""

    plan: str = Field(description="The plan's key.", examples=["FREE"])
    status: str = Field(description="free, active, past_due, restricted or incomplete.", examples=["free"])
    limits: list[LimitAnswer]


@api_entitlements.get("/v1/entitlements", responses={200: EntitlementsAnswer})
@calls.call("billing:read")
def show() -> Response:
    """All limits, with what is used, what is left, and when it resets"""
    session, customer_id = db.session(), calls.customer_id()
    found = entitlements.all_limits(session, customer_id, rate_now=plan_limits.rate_now(customer_id))
    standing = plan_now.of(session, customer_id).standing
    limits = [LimitAnswer(**_facts(verdict)) for verdict in found]
    return calls.reply(EntitlementsAnswer(plan=standing.tier, status=standing.status, limits=limits))


@api_entitlements.post("/v1/entitlements/check", responses={200: CheckAnswer})
@calls.call("billing:read")
def check(body: Check) -> Response:
    """Whether something is allowed now

    Asking counts nothing and holds nothing. The answer is 200 either way: `allowed` says which, and `reason` is the
    code that doing it would be refused with. A feature there is not is refused with 422.
    """
    customer_id = calls.customer_id()
    rate_now = plan_limits.rate_now(customer_id)
    verdict = entitlements.check(db.session(), customer_id, body.feature, body.quantity, rate_now=rate_now)
    return calls.reply(CheckAnswer(**_facts(verdict), plan=verdict.plan, **_why(verdict.refusal)))


def _facts(verdict: Verdict) -> dict[str, Any]:
    return {
        "feature": verdict.feature,
        "kind": verdict.kind,
        "allowed": verdict.allowed,
        "limit": verdict.limit,
        "used": verdict.used,
        "left": verdict.left,
        "resets_at": clock.timestamp(verdict.resets_at) if verdict.resets_at else None,
    }


def _why(refusal: Refusal | None) -> dict[str, Any]:
    if refusal is None:
        return {}
    told = refusal.details
    figures = {name: told[name] for name in _NUMBERS if name in told}
    return {
        "reason": refusal.code,
        "message": refusal.sentence,
        "remedy": told.get("remedy"),
        "upgrade": told.get("upgrade"),
        "figures": figures or None,
    }
