"""What there is more of than the plan to come allows, in sentences for who is about to choose it (SPEC U5)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.catalogue.terms import PlanTerms
from app.entitlements import excess, refusals, team
from app.entitlements.excess import Excess
from app.http.filters import number


def sentences(session: Session, customer_id: str, after: PlanTerms) -> list[str]:
    """One sentence for each; none where all fits."""
    return [_told(one, after.name) for one in excess.over(session, customer_id, after)]


def _told(one: Excess, plan: str) -> str:
    are = f"{number(one.in_use)} {{}} {'is' if one.in_use == 1 else 'are'} in use, and {plan} "
    if one.feature == refusals.PRODUCTION:
        keys = "live API key" if one.in_use == 1 else "live API keys"
        return are.format(keys) + "does not include production access. They can read and pay for a plan, nothing else."
    allows = f"allows {number(one.limit)}" if one.limit else "allows none"
    words = refusals.counted(one.in_use, one.feature).partition(" ")[2]
    if one.feature == team.SEATS:
        return f"{are.format(words)}{allows}, open invitations included. Nobody is removed; nobody can be invited."
    return f"{are.format(words)}{allows}. Nothing is taken away; nothing can be added."
