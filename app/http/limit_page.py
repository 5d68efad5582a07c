"""A refusal by a limit, as a page: the limit in its heading, the number, when it resets, and the ways on (SPEC R8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import url_for
from flask_login import current_user

from app.catalogue import reads
from app.catalogue.terms import PlanTerms
from app.customers import members
from app.extensions import db
from app.http.filters import cents, day_text

Way = tuple[str, str, str]  # label, address, look

_HERE: Mapping[str, Way] = {  # where something can be done without another plan
    "team_members": ("Manage the team", "/team", ""),
    "production_access": ("Make a test key", "/api-keys", ""),
}
_SHORT: Mapping[str, tuple[str, Way]] = {  # headings of what cannot be paid, and the way on
    "SPEND_CAP_REACHED": ("Your spend cap is reached", ("Change the spend cap", "/usage", "primary")),
    "NOT_ENOUGH_CREDITS": ("There are not enough credits", ("Buy credits", "/credits", "primary")),
    "WALLET_FROZEN": ("The wallet is frozen", ("See why", "/wallet", "primary")),
    "INSUFFICIENT_CREDITS": ("There is not enough in the wallet", ("Top up the wallet", "/wallet#topup", "primary")),
}


@dataclass(frozen=True)
class Words:
    """What the page says instead of the words of the status."""

    title: str
    text: str
    ways: list[Way] = field(default_factory=list)
    note: str = ""


def of(code: str, sentence: str, details: Mapping[str, Any]) -> Words | None:
    """The words for a limit, an unpaid plan, a spend cap or an empty wallet; None for every other refusal."""
    if not getattr(current_user, "customer_id", None):
        return None
    title, _, text = sentence.partition(". ")
    if code == "TIER_LIMIT_EXCEEDED":
        return _past_the_limit(title, text, details)
    if code == "SUBSCRIPTION_RESTRICTED":
        return Words(title, f"{text} Nothing was changed.", [("See what is open", "/plan", "primary")])
    if code == "INSUFFICIENT_CREDITS" and "needed" in details:
        code = "NOT_ENOUGH_CREDITS"
    if code not in _SHORT:
        return None
    title, way = _SHORT[code]
    return Words(title, f"{sentence} Nothing was charged.", [way])


def _past_the_limit(title: str, text: str, details: Mapping[str, Any]) -> Words:
    """What happened, the price of lifting the limit, and where to do that or something else."""
    plan = next((one for one in reads.offered_plans(db.session()) if one.key == details.get("upgrade")), None)
    ways: list[Way] = [("Compare plans", "/plan", "primary")]
    if plan is not None and not plan.is_custom and _may_write():
        ways = [(f"Look at {plan.name}", url_for("plan_change.show", plan=plan.key), "primary")]
    feature = str(details.get("feature"))
    if feature in _HERE:
        ways.append(_HERE[feature])
    return Words(title, f"{text} {_price(plan)}Nothing was changed.", ways, _who_may(details))


def _price(plan: PlanTerms | None) -> str:
    if plan is None:
        return ""
    if plan.monthly_minor is None:
        return f"{plan.name} is by contract. "
    return f"{plan.name} costs {cents(plan.monthly_minor, plan.currency)} a month, before tax. "


def _who_may(details: Mapping[str, Any]) -> str:
    """When it resets, and whom to ask for another plan."""
    resets = details.get("resets_at")
    told = f"It resets on {day_text(datetime.fromisoformat(resets))}." if resets else ""
    if _may_write():
        return told
    people = members.of_customer(db.session(), current_user.customer_id)
    owners = " or ".join(person.name for person in people if person.permission == "owner")
    return f"{told} Ask {owners} for another plan.".strip()


def _may_write() -> bool:
    return members.allows(current_user.permission, "write")
