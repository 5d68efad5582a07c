"""The terms a meter is counted by for one customer now: allowance, and what happens beyond it (SPEC U3)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.catalogue import reads
from app.catalogue.terms import Limit, PlanTerms
from app.subscriptions.standing import Standing


@dataclass(frozen=True, slots=True)
class Terms:
    """`allowance` None is no limit; beyond one, `mode` is wallet, invoice or block, at `unit_micros` a unit."""

    allowance: int | None = None
    mode: str | None = None
    unit_micros: int | None = None


_NO_LIMIT, _NOT_INCLUDED = Terms(), Terms(0, "block")


def terms_of(session: Session, standing: Standing, meters: Collection[str]) -> dict[str, Terms]:
    """The terms of each of these meters: see `by_plan`."""
    return by_plan(standing.plan, meters, lambda: reads.offered_plans(session))


def by_plan(
    plan: PlanTerms | None, meters: Collection[str], offered: Callable[[], Iterable[PlanTerms]]
) -> dict[str, Terms]:
    """The terms of each of these meters for who is on this plan; what is `offered` is asked for where it matters.

    A plan that does not speak of a meter allows nothing of it where another plan on offer does; else it has no limit.
    """
    own = {limit.key: _of(limit) for limit in _allowances(plan)}
    if all(meter in own for meter in meters):
        return own
    others = {limit.key for each in offered() for limit in _allowances(each)}
    return {meter: own.get(meter) or (_NOT_INCLUDED if meter in others else _NO_LIMIT) for meter in meters}


def _allowances(plan: PlanTerms | None) -> list[Limit]:
    return [limit for limit in plan.limits if limit.kind == "allowance"] if plan else []


def _of(limit: Limit) -> Terms:
    return _NO_LIMIT if limit.amount is None else Terms(limit.amount, limit.overage_mode, limit.overage_micros)
