"""Which plan would allow what another one refuses (SPEC R8, U5). Pure."""

from __future__ import annotations

from collections.abc import Iterable

from app.catalogue.terms import PlanTerms


def cheapest(
    plans: Iterable[PlanTerms], kind: str, key: str, needed: int, *, but: str | None = None
) -> PlanTerms | None:
    """The cheapest of these plans whose limit `kind`, `key` is at least `needed`, or none; None where no plan's is.

    A plan that does not speak of the limit allows nothing of it, and one with a price by contract comes last. `but` is
    the key of the plan the customer has: its public terms are not theirs when they were negotiated.
    """
    found = [plan for plan in plans if plan.key != but and _allows(plan, kind, key, needed)]
    return min(found, key=_by_price, default=None)


def _allows(plan: PlanTerms, kind: str, key: str, needed: int) -> bool:
    limit = plan.limit(kind, key)
    return limit is not None and (limit.amount is None or limit.amount >= needed)


def _by_price(plan: PlanTerms) -> tuple[bool, int, int, str]:
    return plan.monthly_minor is None, plan.monthly_minor or 0, plan.rank, plan.key
