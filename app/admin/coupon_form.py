"""The coupon's form: what is typed as terms, and a coupon's limits as texts to type in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from app.admin.typed import Typed
from app.coupons.models import DURATIONS, KINDS, Coupon
from app.coupons.terms import MOST_MONTHS, MOST_USES, Limits, Terms
from app.http.filters import default_currency

KIND_WORDS = {"percent": "A percentage off", "amount": "An amount off", "credits": "Bonus credits"}
DURATION_WORDS = {"once": "The first invoice", "repeating": "Some months", "forever": "Every invoice"}


def blank() -> dict[str, str]:
    """The values of the empty form."""
    return {"kind": "percent", "duration": "once", "most_per_customer": "1", "scope-plans": "1"}


def of_limits(limits: Coupon | Limits) -> dict[str, str]:
    """What may change of a coupon, as texts."""
    return {
        "name": limits.name,
        "most": "" if limits.most is None else str(limits.most),
        "most_per_customer": str(limits.most_per_customer),
        "starts_on": _day(limits.starts_at),
        "ends_on": _day(limits.ends_at, ends=True),
    }


def limits_of(typed: Typed, coupon: Coupon | None = None) -> Limits:
    """The limits that were typed. An instant whose day was left as it was shown stays to the second."""
    shown = of_limits(coupon) if coupon else {}
    starts, ends = typed.midnight("starts_on"), typed.midnight("ends_on", after=True)
    if coupon is not None:
        starts = coupon.starts_at if typed.line("starts_on") == shown["starts_on"] else starts
        ends = coupon.ends_at if typed.line("ends_on") == shown["ends_on"] else ends
    return Limits(
        name=typed.line("name"),
        most=typed.whole("most", least=1, most=MOST_USES),
        most_per_customer=typed.whole("most_per_customer", blank=1, least=1, most=MOST_USES) or 1,
        starts_at=starts,
        ends_at=ends,
    )


def terms_of(typed: Typed, *, plans: Iterable[str], packs: Iterable[str]) -> Terms:
    """A new coupon as it was typed."""
    kind, duration = typed.choice("kind", KINDS), typed.choice("duration", DURATIONS)
    months = typed.whole("months", least=1, most=MOST_MONTHS) if duration == "repeating" else None
    if duration == "repeating" and months is None:
        typed.wrong("months", "Enter for how many months.")
    return Terms(
        code=typed.line("code").upper(),
        kind=kind,
        value=_value(typed, kind),
        limits=limits_of(typed),
        currency=default_currency() if kind == "amount" else None,
        duration=duration,
        months=months,
        scope=_scope(typed, plans, packs),
    )


def input_of(field: str | None) -> str:
    """The id of the input behind a field of the domain's."""
    return {"starts_at": "starts_on", "ends_at": "ends_on", "currency": "value"}.get(field or "", field or "code")


def _value(typed: Typed, kind: str) -> int:
    if kind == "amount":
        value = typed.price("value")
    else:
        value = typed.whole("value", least=1, most=100 if kind == "percent" else 10**12)
    if not value:
        typed.wrong("value", "Enter how much.")
    return value or 1


def _scope(typed: Typed, plans: Iterable[str], packs: Iterable[str]) -> dict[str, Any]:
    scope: dict[str, Any] = {}
    for part, keys in (("plan", plans), ("pack", packs)):
        chosen = [key for key in keys if typed.ticked(f"scope-{part}-{key}")]
        if typed.ticked(f"scope-{part}s"):
            scope[f"{part}s"] = []
        elif chosen:
            scope[f"{part}s"] = chosen
    if typed.ticked("scope-topups"):
        scope["topups"] = True
    if not scope:
        typed.wrong("scope", "Choose what it is good for.")
    return scope


def _day(instant: datetime | None, *, ends: bool = False) -> str:
    """The day as <input type="date"> has it; an end at midnight is the day before, which counts as a whole."""
    if instant is None:
        return ""
    return f"{instant - timedelta(microseconds=1) if ends else instant:%Y-%m-%d}"
