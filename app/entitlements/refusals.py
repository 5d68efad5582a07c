"""Refusals in words: which limit, the number, and what to do next (SPEC R8). The first sentence names the limit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from app import clock
from app.catalogue.terms import PlanTerms
from app.entitlements.plan_now import PlanNow
from app.errors import LimitReached, SubscriptionRestricted, TooManyRequests

PRODUCTION = "production_access"  # the one flag there is
_FLAGS = {PRODUCTION: "production access"}


def full(now: PlanNow, kind: str, limit: int, used: int, needed: int = 1) -> LimitReached:
    """A count limit has no room for `needed` more."""
    upgrade = now.upgrade("count", kind, used + needed)
    more = upgrade.limit("count", kind) if upgrade else None
    includes = f"{now.name} includes {counted(limit, kind)}." if limit else f"{now.name} includes no {said(kind)}."
    first = f"{includes} {used:,} {'is' if used == 1 else 'are'} in use." if used else includes
    remedy = _remedy(upgrade, _for(more.amount if more else None, kind), _fewer(kind, used) if limit else "")
    return LimitReached(f"{first} {remedy}", **_details(now, kind, limit, used, upgrade), remedy=remedy)


def without(now: PlanNow, flag: str, first: str = "") -> LimitReached:
    """The plan does not have the flag. `first` is what to do without another plan: `Make a test key`."""
    upgrade, what = now.upgrade("flag", flag, 1), _FLAGS.get(flag, said(flag))
    remedy = _remedy(upgrade, f"for {what}", first)
    sentence = f"{now.name} does not include {what}. {remedy}"
    return LimitReached(sentence, **_details(now, flag, 0, 0, upgrade), remedy=remedy)


def too_fast(now: PlanNow, name: str, limit: int, used: int, ends: datetime) -> TooManyRequests:
    """The calls of a minute are used up until it `ends`. `name` is reads or writes. Details also: retry_after."""
    wait = max(1, -((clock.now() - ends) // timedelta(seconds=1)))
    upgrade = now.upgrade("rate", name, limit + 1)
    more = upgrade.limit("rate", name) if upgrade else None
    again = f"Try again in {wait} second{'' if wait == 1 else 's'}"
    remedy = _remedy(upgrade, _for(more.amount if more else None, name) + " a minute", again)
    details = _details(now, name, limit, min(used, limit), upgrade)
    told = {**details, "resets_at": clock.timestamp(ends), "remedy": remedy, "retry_after": wait}
    return TooManyRequests(f"{now.name} allows {counted(limit, name)} a minute. {remedy}", **told)


def restricted(now: PlanNow, *, feature: str, limit: int | None, used: int) -> SubscriptionRestricted:
    """The plan is not paid, and the days of grace are over."""
    remedy = "Pay the open invoice to go on."
    details = _details(now, feature, limit, used, None) | {"left": 0, "remedy": remedy}
    return SubscriptionRestricted(f"{now.name} is restricted until it is paid. {remedy}", **details)


def said(key: str) -> str:
    """`team_members` as `team members`."""
    return key.replace("_", " ")


def counted(amount: int, key: str) -> str:
    """`5 team members`, `1 team member`."""
    words = said(key)
    if amount == 1 and words.endswith("s"):
        words = words.removesuffix("ies") + "y" if words.endswith("ies") else words.removesuffix("s")
    return f"{amount:,} {words}"


def _fewer(kind: str, used: int) -> str:
    """How to have fewer of them: the last one of a team is its owner, who stays."""
    if kind == "team_members":
        return "Remove someone" if used > 1 else ""
    return "Remove one" if used else ""


def _for(amount: int | None, key: str) -> str:
    return f"for {said(key)} without a limit" if amount is None else f"for up to {counted(amount, key)}"


def _remedy(upgrade: PlanTerms | None, gives: str, first: str) -> str:
    if upgrade is None:
        return f"{first}." if first else "No plan on offer allows more."
    move = f"move to {upgrade.name} {gives}"
    return f"{first}, or {move}." if first else f"{move[0].upper()}{move[1:]}."


def _details(now: PlanNow, feature: str, limit: int | None, used: int, upgrade: PlanTerms | None) -> dict[str, Any]:
    return {
        "feature": feature,
        "limit": limit,
        "used": used,
        "left": None if limit is None else max(0, limit - used),
        "resets_at": None,
        "plan": now.standing.tier,
        "upgrade": upgrade.key if upgrade else None,
    }
