"""Verdicts: may this customer do that now, and if not, why not, as the verb itself would refuse it (SPEC U7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.entitlements.plan_now import PlanNow
from app.errors import Refusal

RateNow = Callable[[str, int], tuple[int, datetime]]  # name and limit -> calls in this minute, and when it ends


@dataclass(frozen=True, slots=True)
class Verdict:
    """`limit` None is no limit, and then `left` is None too. `resets_at` None: nothing resets by itself.

    `kind` is rate, flag, count, allowance or credits. `refusal` is what doing it would raise now.
    """

    feature: str
    kind: str
    plan: str
    limit: int | None
    used: int
    left: int | None
    resets_at: datetime | None = None
    refusal: Refusal | None = None

    @property
    def allowed(self) -> bool:
        return self.refusal is None

    @property
    def reason(self) -> str | None:
        """The code of the refusal, for programs."""
        return self.refusal.code if self.refusal else None

    @property
    def details(self) -> dict[str, Any]:
        return self.refusal.details if self.refusal else {}


def of(
    now: PlanNow,
    kind: str,
    feature: str,
    limit: int | None,
    used: int,
    *,
    resets_at: datetime | None = None,
    refusal: Refusal | None = None,
) -> Verdict:
    """A verdict whose `left` follows from limit and use."""
    left = None if limit is None else max(0, limit - used)
    return Verdict(feature, kind, now.standing.tier, limit, used, left, resets_at, refusal)
