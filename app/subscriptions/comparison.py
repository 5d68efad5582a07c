"""What a change of plan does to limits, for the customer to see before they confirm (SPEC P6). Pure."""

from __future__ import annotations

from typing import Any

from app.catalogue.terms import Limit, PlanTerms


def limits_that_differ(before: PlanTerms, after: PlanTerms) -> list[dict[str, Any]]:
    """Each limit that is another one after the change: kind, key, and the amounts, None being no limit.

    A limit that only one of the plans speaks of is nothing on the other. Units already counted stay counted.
    """
    old = {(limit.kind, limit.key): limit for limit in before.limits}
    new = {(limit.kind, limit.key): limit for limit in after.limits}
    names = [*new, *(name for name in old if name not in new)]
    return [
        {"kind": kind, "key": key, "before": _amount(old.get((kind, key))), "after": _amount(new.get((kind, key)))}
        for kind, key in names
        if _amount(old.get((kind, key))) != _amount(new.get((kind, key)))
    ]


def takes_away(before: PlanTerms, after: PlanTerms) -> bool:
    """Whether anything but the price is worse afterwards: less of something, dearer beyond it, or a feature gone."""
    if set(before.features) - set(after.features) or after.included_credits < before.included_credits:
        return True
    if any(_is_less(each["before"], each["after"]) for each in limits_that_differ(before, after)):
        return True
    old = {(limit.kind, limit.key): limit for limit in before.limits}
    return any(_goes_on_worse(old.get((limit.kind, limit.key)), limit) for limit in after.limits)


def _is_less(before: int | None, after: int | None) -> bool:
    return after is not None and (before is None or after < before)


def _goes_on_worse(before: Limit | None, after: Limit) -> bool:
    """Whether what follows an allowance is another thing, or costs more. Without one before, it followed nothing."""
    if before is None or after.amount is None or before.amount is None:
        return False
    if before.overage_mode != after.overage_mode:
        return True
    return (after.overage_micros or 0) > (before.overage_micros or 0)


def _amount(limit: Limit | None) -> int | None:
    return 0 if limit is None else limit.amount
