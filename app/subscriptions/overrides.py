"""Terms negotiated with one customer, laid over the plan they are on (SPEC P14), with a reason, by staff."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from app import activity, clock
from app.catalogue import reads
from app.catalogue.models import LIMIT_KINDS, OVERAGE_MODES
from app.catalogue.terms import Limit, PlanTerms
from app.errors import Invalid, NotFound
from app.subscriptions.models import PlanOverride

_LIMIT_PARTS = {"amount", "overage_mode", "overage_micros"}
_LIVE = (  # put together once: whoever asks where a customer stands asks this
    select(PlanOverride)
    .where(PlanOverride.customer_id == bindparam("customer"), PlanOverride.ended_at.is_(None))
    .order_by(PlanOverride.number.desc())
    .limit(1)
)
_MOST_PERCENT = 1_000  # of markup; a commission is at most the whole price


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What staff agreed: only what is set differs from the plan. Prices in minor units; `limits` as in PlanOverride.

    `plan_id`: only while on this plan; None is whatever plan they are on.
    """

    plan_id: str | None = None
    monthly_minor: int | None = None
    yearly_minor: int | None = None
    limits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    markup_percent: int | None = None
    commission_percent: int | None = None


def terms_of(session: Session, customer_id: str, plan_id: str, version: int) -> PlanTerms:
    """A version of a plan as this customer has it today."""
    return laid_over(reads.version_of(session, plan_id, version), live(session, customer_id))


def laid_over(terms: PlanTerms, override: PlanOverride | Negotiated | None) -> PlanTerms:
    """The plan as this customer has it: prices and limits of the override where it speaks of them. Pure."""
    if override is None or override.plan_id not in (None, terms.id):
        return terms
    limits = tuple(_changed(limit, override.limits.get(f"{limit.kind}:{limit.key}")) for limit in terms.limits)
    known = {f"{limit.kind}:{limit.key}" for limit in terms.limits}
    added = tuple(_added(name, said) for name, said in override.limits.items() if name not in known)
    return replace(
        terms,
        monthly_minor=terms.monthly_minor if override.monthly_minor is None else override.monthly_minor,
        yearly_minor=terms.yearly_minor if override.yearly_minor is None else override.yearly_minor,
        limits=limits + added,
    )


def _changed(limit: Limit, said: Mapping[str, Any] | None) -> Limit:
    if not said:
        return limit
    made = Limit(
        limit.kind,
        limit.key,
        said.get("amount", limit.amount),
        said.get("overage_mode", limit.overage_mode),
        said.get("overage_micros", limit.overage_micros),
    )
    return _plausible(made)


def _added(name: str, said: Mapping[str, Any]) -> Limit:
    kind, _, key = name.partition(":")
    return _plausible(Limit(kind, key, said.get("amount"), said.get("overage_mode"), said.get("overage_micros")))


def _plausible(limit: Limit) -> Limit:
    """Beyond no limit there is nothing, and an allowance with an end says how it goes on: a plan's own rules."""
    if limit.kind != "allowance" or limit.amount is None:
        return replace(limit, overage_mode=None, overage_micros=None)
    if limit.overage_mode in (None, "block") or limit.overage_micros is None:
        return replace(limit, overage_mode="block", overage_micros=None)
    return limit


def live(session: Session, customer_id: str) -> PlanOverride | None:
    """The override that counts: the newest that was not ended."""
    return session.scalars(_LIVE, {"customer": customer_id}).one_or_none()


def of_customer(session: Session, customer_id: str) -> list[PlanOverride]:
    """All there were, newest first."""
    mine = select(PlanOverride).where(PlanOverride.customer_id == customer_id)
    return list(session.scalars(mine.order_by(PlanOverride.number.desc())))


def set_override(session: Session, customer_id: str, terms: Negotiated, *, reason: str, actor: str) -> PlanOverride:
    """Put these terms in the place of the ones before. Raises Invalid with the field.

    What is billed already stays: a price counts from the next purchase or change of plan, and from the next renewal
    of a wallet-paid subscription.
    """
    reason = reason.strip()
    if not reason:
        raise Invalid("Say why: the customer's terms are in the audit log with it.", field="reason")
    _check(terms)
    before = live(session, customer_id)
    if before is not None:
        before.ended_at = clock.now()
    mine = PlanOverride.customer_id == customer_id
    last = session.scalar(select(func.max(PlanOverride.number)).where(mine)) or 0
    made = PlanOverride(
        customer_id=customer_id,
        number=last + 1,
        plan_id=terms.plan_id,
        monthly_minor=terms.monthly_minor,
        yearly_minor=terms.yearly_minor,
        limits={name: dict(said) for name, said in terms.limits.items()},
        markup_percent=terms.markup_percent,
        commission_percent=terms.commission_percent,
        reason=reason,
        created_by=actor,
        created_at=clock.now(),
        ended_at=None,
    )
    session.add(made)
    session.flush()
    activity.record(session, actor, "override.set", customer_id, customer_id=customer_id, reason=reason, **_told(made))
    return made


def end_override(session: Session, customer_id: str, *, reason: str, actor: str) -> PlanOverride:
    """The plan's own terms count again. Raises NotFound where none was negotiated, Invalid without a reason."""
    if not reason.strip():
        raise Invalid("Say why: it is kept in the audit log.", field="reason")
    found = live(session, customer_id)
    if found is None:
        raise NotFound("This customer has no terms of their own.")
    found.ended_at = clock.now()
    session.flush()
    told = {"reason": reason.strip(), "number": found.number}
    activity.record(session, actor, "override.ended", customer_id, customer_id=customer_id, **told)
    return found


def _check(terms: Negotiated) -> None:
    for name in ("monthly_minor", "yearly_minor"):
        price = getattr(terms, name)
        if price is not None and not 0 <= price <= 10**12:
            raise Invalid("Enter a price of nothing or more.", field=name)
    for name, most in (("markup_percent", _MOST_PERCENT), ("commission_percent", 100)):
        percent = getattr(terms, name)
        if percent is not None and not 0 <= percent <= most:
            raise Invalid(f"Enter a percentage from 0 to {most:,}.", field=name)
    for name, said in terms.limits.items():
        _check_limit(name, said)


def _check_limit(name: str, said: Mapping[str, Any]) -> None:
    kind, _, key = name.partition(":")
    if kind not in LIMIT_KINDS or not key or set(said) - _LIMIT_PARTS:
        raise Invalid(f"{name} is no limit of a plan.", field="limits")
    amount, mode, micros = said.get("amount"), said.get("overage_mode"), said.get("overage_micros")
    if amount is not None and (type(amount) is not int or not 0 <= amount <= 10**15):
        raise Invalid("Enter a whole number of nothing or more, or leave it without a limit.", field="limits")
    if kind == "flag" and amount not in (0, 1):
        raise Invalid("A permission is yes or no.", field="limits")
    if mode not in (None, *OVERAGE_MODES) or (micros is not None and (type(micros) is not int or micros < 0)):
        raise Invalid("Enter a price of nothing or more for each unit beyond the allowance.", field="limits")


def _told(made: PlanOverride) -> dict[str, Any]:
    names = ("number", "plan_id", "monthly_minor", "yearly_minor", "limits", "markup_percent", "commission_percent")
    return {name: getattr(made, name) for name in names if getattr(made, name) not in (None, {})}
