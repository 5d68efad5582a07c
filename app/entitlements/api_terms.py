"""What a plan says to the customer's own programs: how often they may call us, and whether live keys may write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.entitlements import plan_now, production, refusals
from app.entitlements.verdicts import RateNow
from app.errors import TooManyRequests


@dataclass(frozen=True, slots=True)
class ApiTerms:
    """`calls`: reads and writes a minute, None without a limit; one that is missing the plan does not speak of."""

    calls: Mapping[str, int | None]
    has_production: bool


def of(session: Session, customer_id: str) -> ApiTerms:
    """What counts now. An unpaid plan keeps its rates, or nobody could pay for it by API."""
    now = plan_now.of(session, customer_id)
    limits = now.standing.plan.limits if now.standing.plan else ()
    calls = {limit.key: limit.amount for limit in limits if limit.kind == "rate"}
    return ApiTerms(calls, production.refusal(now) is None)


def too_fast(session: Session, customer_id: str, name: str, limit: int, rate_now: RateNow) -> TooManyRequests:
    """The refusal of a call beyond the plan's calls a minute, with the plan that would allow more."""
    used, ends = rate_now(name, limit)
    return refusals.too_fast(plan_now.of(session, customer_id), name, limit, used, ends)
