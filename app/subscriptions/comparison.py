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


def _amount(limit: Limit | None) -> int | None:
    return 0 if limit is None else limit.amount
