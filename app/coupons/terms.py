"""What staff say when they make a coupon, and what of it may be changed later (SPEC P15)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.coupons.models import DURATIONS, KINDS
from app.errors import Invalid

_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{1,39}\Z", re.ASCII)
LARGEST = 10**12  # minor units or credits; well within the table's 64 bits
MOST_MONTHS = 60
MOST_USES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What may change while a coupon is in use: its name, how often and how long it may be used."""

    name: str
    most: int | None = None  # redemptions in all
    most_per_customer: int = 1
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def check(self) -> None:
        """Raises Invalid, with the field."""
        if not 1 <= len(self.name) <= 60 or not self.name.isprintable() or self.name != self.name.strip():
            raise Invalid("Give a name of 1 to 60 characters.", field="name")
        if self.most is not None and not 1 <= self.most <= MOST_USES:
            raise Invalid(f"Enter a whole number from 1 to {MOST_USES:,}, or nothing for no limit.", field="most")
        if not 1 <= self.most_per_customer <= MOST_USES:
            raise Invalid(f"Enter a whole number from 1 to {MOST_USES:,}.", field="most_per_customer")
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise Invalid("The end must be after the start.", field="ends_at")


@dataclass(frozen=True, slots=True)
class Terms:
    """What never changes, since people count on it, with what may. `value` and `scope` as in the table."""

    code: str
    kind: str
    value: int
    limits: Limits
    currency: str | None = None
    duration: str = "once"
    months: int | None = None
    scope: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Raises Invalid, with the field."""
        if not _CODE.match(self.code):
            raise Invalid("Use 2 to 40 letters, digits, dashes and underscores.", field="code")
        if self.kind not in KINDS:
            raise Invalid(f"Choose one of {', '.join(KINDS)}.", field="kind")
        most = 100 if self.kind == "percent" else LARGEST
        if not 1 <= self.value <= most:
            raise Invalid(f"Enter a whole number from 1 to {most:,}.", field="value")
        if (self.kind == "amount") != (self.currency is not None):
            raise Invalid("A coupon over an amount has a currency, and no other has.", field="currency")
        if self.duration not in DURATIONS:
            raise Invalid(f"Choose one of {', '.join(DURATIONS)}.", field="duration")
        if (self.duration == "repeating") != (self.months is not None):
            raise Invalid("Say for how many months a repeating coupon is good.", field="months")
        if self.months is not None and not 1 <= self.months <= MOST_MONTHS:
            raise Invalid(f"Enter a whole number from 1 to {MOST_MONTHS}.", field="months")
        if self.duration != "once" and self.scope and "plans" not in self.scope:
            raise Invalid("Only a plan is paid for again: choose once, or let it apply to plans.", field="duration")
        self.limits.check()
