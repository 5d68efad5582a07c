"""Why an event was not counted: the limit, what is used, when it resets, and what to do next (SPEC R8).

Details of all three that follow an allowance: feature (the meter), limit, used, left, resets_at, plan, remedy, upgrade.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app import clock
from app.catalogue.terms import PlanTerms
from app.errors import (
    InsufficientFunds,
    Invalid,
    LimitReached,
    SpendCapReached,
    SubscriptionRestricted,
    WalletFrozen,
)
from app.metering.tallies import Tally
from app.notices import phrases


class UnknownMeter(Invalid):
    """The catalogue has no such meter. Details: field, meter."""

    code = "UNKNOWN_METER"


@dataclass(frozen=True, slots=True)
class Beyond:
    """Units beyond an allowance that were refused. `plan` and `upgrade` are the plan now and one that allows more."""

    tally: Tally
    name: str  # of the meter
    plan: PlanTerms | None
    upgrade: PlanTerms | None

    @property
    def included(self) -> str:
        """`Free includes 50 agent executions a month. 50 are used.`"""
        used = f"{self.tally.used:,} {'is' if self.tally.used == 1 else 'are'} used."
        return f"{self.plan_name} includes {self.tally.terms.allowance or 0:,} {self.name.lower()} a month. {used}"

    @property
    def plan_name(self) -> str:
        return self.plan.name if self.plan else "No plan"

    def remedy(self, first: str) -> str:
        if self.upgrade is None:
            return f"{first}."
        limit = self.upgrade.limit("allowance", self.tally.meter)
        amount = f"up to {limit.amount:,}" if limit and limit.amount is not None else "unlimited"
        return f"{first}, or move to {self.upgrade.name} for {amount} {self.name.lower()} a month."

    def details(self, remedy: str) -> dict[str, Any]:
        allowance = self.tally.terms.allowance or 0
        return {
            "feature": self.tally.meter,
            "limit": allowance,
            "used": self.tally.used,
            "left": max(0, allowance - self.tally.used),
            "resets_at": clock.timestamp(self.tally.end),
            "plan": self.plan.key if self.plan else "free",
            "remedy": remedy,
            "upgrade": self.upgrade.key if self.upgrade else None,
        }


def unknown_meter(meter: str) -> UnknownMeter:
    return UnknownMeter(f"The catalogue has no meter {meter[:40]!r}.", field="meter", meter=meter[:40])


def restricted(meter: str, plan: PlanTerms | None) -> SubscriptionRestricted:
    """The plan is not paid and its days of grace are over (SPEC P11)."""
    remedy, name = "Pay the open invoice to go on.", plan.name if plan else "The plan"
    words = f"{name} is restricted until it is paid. {remedy}"
    return SubscriptionRestricted(words, feature=meter, plan=plan.key if plan else "free", remedy=remedy, upgrade=None)


def blocked(beyond: Beyond) -> LimitReached:
    """The mode block: nothing beyond the allowance."""
    remedy = beyond.remedy(f"Wait until {phrases.day(beyond.tally.end)}")
    return LimitReached(f"{beyond.included} {remedy}", **beyond.details(remedy))


def wallet_short(beyond: Beyond, cost: int, available: int, currency: str) -> InsufficientFunds:
    """The mode wallet: the wallet cannot pay for what is beyond the allowance. Amounts in micros."""
    remedy = beyond.remedy("Top up the wallet")
    short = f"This needs {phrases.money(cost, currency)} and {phrases.money(max(0, available), currency)} is available."
    details = {"available_micros": available, "needed_micros": cost, **beyond.details(remedy)}
    return InsufficientFunds(f"{beyond.included} {short} {remedy}", **details)


def wallet_frozen(beyond: Beyond) -> WalletFrozen:
    """The mode wallet: the wallet pays for nothing while it is frozen, by a dispute or by hand (SPEC W5)."""
    remedy = beyond.remedy("Look in the wallet at why it is frozen")
    words = f"{beyond.included} The wallet would pay for more, and is frozen. {remedy}"
    return WalletFrozen(words, **beyond.details(remedy))


def cap_reached(beyond: Beyond, cost: int, spent: int, cap: int, currency: str) -> SpendCapReached:
    """The customer's own cap, over all meters of the period. Amounts in micros."""
    remedy = f"Raise the spend cap, or wait until {phrases.day(beyond.tally.end)}."
    left = f"of the spend cap of {phrases.money(cap, currency)} {phrases.money(max(0, cap - spent), currency)} is left."
    details = {"cap_micros": cap, "spent_micros": spent, "needed_micros": cost, **beyond.details(remedy)}
    return SpendCapReached(f"This costs {phrases.money(cost, currency)}, and {left} {remedy}", **details)


def too_much() -> Invalid:
    """More than the books can hold: nobody means this."""
    return Invalid("This quantity is more than can be counted.", field="quantity")
