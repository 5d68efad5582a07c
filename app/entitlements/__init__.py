"""entitlements: what a customer's plan allows them, asked in one call and without side effects (SPEC U5 to U7)."""

from __future__ import annotations

from app.entitlements.ask import all_limits, check
from app.entitlements.verdicts import Verdict

__all__ = ["Verdict", "all_limits", "check"]
