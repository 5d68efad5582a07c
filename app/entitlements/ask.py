"""The entitlement check: one call, no side effects, in the order of SPEC R8: rate, flag, count, allowance, wallet."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app import clock, credits
from app.catalogue.file import FLAGS, RATES
from app.credits import Quote, UnknownAction
from app.entitlements import allowances, plan_now, refusals, resources, verdicts
from app.entitlements.plan_now import PlanNow
from app.entitlements.verdicts import RateNow, Verdict
from app.errors import InsufficientFunds, Invalid, Refusal
from app.metering.deciding import MOST


def check(
    session: Session, customer_id: str, feature: str, quantity: int = 1, *, rate_now: RateNow | None = None
) -> Verdict:
    """Whether `quantity` more of a feature is allowed: reads or writes, a flag, a count's kind, a meter, or an action.

    A word that means several of these is allowed when all of them are. `rate_now` knows the calls of this minute.
    Raises Invalid, field "feature", for one there is not, and field "quantity".
    """
    if not 1 <= quantity <= MOST:
        raise Invalid(f"Ask for 1 to {MOST:,}.", field="quantity")
    now = plan_now.of(session, customer_id)
    found = _of_plan(session, now, feature, quantity, rate_now)
    if all(verdict.allowed for verdict in found):
        found += _of_usage(session, now, feature, quantity)
    if not found:
        raise Invalid("There is no such limit, meter or action.", field="feature")
    return next((verdict for verdict in found if not verdict.allowed), found[0])


def all_limits(session: Session, customer_id: str, *, rate_now: RateNow | None = None) -> list[Verdict]:
    """Every limit there is for this customer, each as if one more were asked for, in the order of R8."""
    now = plan_now.of(session, customer_id)
    held = resources.held(session, now)
    found = [_rate(now, key, 0, rate_now) for key in now.keys("rate")]
    found += [_flag(now, key) for key in now.keys("flag")]
    found += [_count(now, key, held.get(key, 0), 1) for key in now.keys("count")]
    return found + allowances.of(session, now, 1)


def _of_plan(session: Session, now: PlanNow, feature: str, quantity: int, rate_now: RateNow | None) -> list[Verdict]:
    found = []
    if feature in RATES:
        found.append(_rate(now, feature, quantity, rate_now))
    if feature in FLAGS:
        found.append(_flag(now, feature))
    if now.speaks_of("count", feature):
        found.append(_count(now, feature, resources.held(session, now).get(feature, 0), quantity))
    return found


def _of_usage(session: Session, now: PlanNow, feature: str, quantity: int) -> list[Verdict]:
    found = allowances.of(session, now, quantity, feature)
    try:
        quote = credits.quote(session, now.standing.customer_id, feature, quantity)
    except UnknownAction:
        return found
    return [*found, _action(now, quote)]


def _rate(now: PlanNow, name: str, quantity: int, rate_now: RateNow | None) -> Verdict:
    """Whether that many calls more can be made in this minute. A plan that does not say has no limit of its own."""
    own = now.standing.plan.limit("rate", name) if now.standing.plan else None
    limit = own.amount if own else None
    if limit is None:
        return verdicts.of(now, "rate", name, None, 0)
    used, ends = rate_now(name, limit) if rate_now else (0, clock.now())
    refusal = refusals.too_fast(now, name, limit, used, ends) if used + quantity > limit else None
    return verdicts.of(now, "rate", name, limit, used, resets_at=ends, refusal=refusal)


def _flag(now: PlanNow, flag: str) -> Verdict:
    if not now.speaks_of("flag", flag):
        return verdicts.of(now, "flag", flag, None, 0)
    limit = now.amount("flag", flag)
    if now.is_restricted:
        return verdicts.of(
            now, "flag", flag, limit, 0, refusal=refusals.restricted(now, feature=flag, limit=limit, used=0)
        )
    return verdicts.of(now, "flag", flag, limit, 0, refusal=refusals.without(now, flag) if limit == 0 else None)


def _count(now: PlanNow, kind: str, used: int, quantity: int) -> Verdict:
    limit = now.amount("count", kind)
    refusal: Refusal | None = None
    if now.is_restricted:
        refusal = refusals.restricted(now, feature=kind, limit=limit, used=used)
    elif limit is not None and used + quantity > limit:
        refusal = refusals.full(now, kind, limit, used, quantity)
    return verdicts.of(now, "count", kind, limit, used, refusal=refusal)


def _action(now: PlanNow, quote: Quote) -> Verdict:
    """Whether the credits pay for it. `limit` and `left` are both how often they pay for it from now on."""
    refusal = None
    if not quote.enough:
        there = f"{max(0, quote.balance):,} {'is' if quote.balance == 1 else 'are'} available"
        sentence = f"This needs {quote.cost:,} credits and {there}."
        refusal = InsufficientFunds(sentence, available=quote.balance, needed=quote.cost, remedy="Buy credits.")
    often = max(0, quote.balance) // quote.unit_cost
    return verdicts.of(now, "credits", quote.action, often, 0, refusal=refusal)
