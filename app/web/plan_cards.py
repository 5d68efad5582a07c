"""The plans as this customer sees them: their own as they bought it, and on each the way to it (SPEC P2, P6, P7)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import url_for

from app.catalogue.terms import Catalogue, PlanTerms
from app.http import pricing_table
from app.http.filters import number
from app.http.pricing_table import Card
from app.subscriptions.periods import Interval
from app.subscriptions.standing import Standing
from app.web.next_charge import Line


@dataclass(frozen=True)
class Way:
    """What stands under a plan: a link, or words alone where there is no way to it now."""

    label: str
    href: str = ""
    primary: bool = False


@dataclass(frozen=True)
class Offer:
    """One plan and the way to it. `mine`: it is the one they have, by whatever interval."""

    card: Card
    way: Way
    mine: bool


def seen_by(catalogue: Catalogue, standing: Standing) -> Catalogue:
    """The catalogue with the customer's own plan in it as they have it: older terms, negotiated ones, retired ones."""
    mine = standing.plan
    if mine is None:
        return catalogue
    others = [plan for plan in catalogue.plans if plan.key != mine.key]
    return replace(catalogue, plans=tuple(sorted([*others, mine], key=lambda plan: (plan.rank, plan.key))))


def offers(
    catalogue: Catalogue, standing: Standing, *, yearly: bool, may_change: bool, contact: str, is_ours: bool = True
) -> list[Offer]:
    """Every plan with the one thing to do about it. Who may not change anything is offered nothing.

    `is_ours`: the plan can be changed here, and not only where it is run.
    """
    made = []
    for card in pricing_table.cards(catalogue, yearly=yearly):
        mine = standing.plan is not None and card.plan.key == standing.plan.key
        way = _way(card.plan, standing, yearly=yearly, contact=contact, is_ours=is_ours)
        if way.href and not may_change and not way.href.startswith("mailto:"):
            way = Way("")
        made.append(Offer(card, way, mine))
    return _one_primary(made)


def included(standing: Standing, catalogue: Catalogue) -> list[Line]:
    """What the customer's plan includes each allowance period."""
    return included_in(standing.plan, catalogue) if standing.plan else []


def included_in(plan: PlanTerms, catalogue: Catalogue) -> list[Line]:
    """What a plan includes each allowance period, meter by meter, and credits."""
    limits = [(meter.name, plan.limit("allowance", meter.key)) for meter in catalogue.meters]
    lines = [(name, pricing_table.amount_of(limit), "") for name, limit in limits if limit is not None]
    if plan.included_credits:
        lines.append(("Credits", number(plan.included_credits), ""))
    return lines


def _way(plan: PlanTerms, standing: Standing, *, yearly: bool, contact: str, is_ours: bool) -> Way:
    interval = Interval.YEAR if yearly and plan.yearly_minor is not None else Interval.MONTH
    live, mine = standing.subscription, standing.plan is not None and plan.key == standing.plan.key
    if mine and (live is None or live.interval == interval.value):
        return Way("Current plan")
    waiting = standing.pending
    if waiting is not None and (waiting.state == "in_flight" or _is(waiting.plan_id, waiting.interval, plan, interval)):
        return Way("A change is under way" if waiting.state == "in_flight" else "Your next plan")
    if plan.is_custom and (plan.yearly_minor if yearly else plan.monthly_minor) is None:
        return Way("Contact us", f"mailto:{contact}") if contact else Way("By contract")
    if _is_free(plan):
        return _to_free(plan, standing)
    is_unpaid = standing.status in ("past_due", "restricted")
    if is_unpaid or (live is not None and not is_ours):
        return Way("Pay the open invoice first" if is_unpaid else "")
    label = _verb(plan, standing) + (plan.name if not mine else interval.value + "ly")
    return Way(label, url_for("plan_change.show", plan=plan.key, interval=interval.value), _is_up(plan, standing))


def _to_free(plan: PlanTerms, standing: Standing) -> Way:
    if standing.subscription is None or standing.ends_at is not None:
        return Way("Your next plan" if standing.ends_at else "")
    return Way(f"Move to {plan.name}", url_for("plan_cancel.show"))


def _verb(plan: PlanTerms, standing: Standing) -> str:
    mine = standing.plan
    if mine is not None and plan.key == mine.key:
        return "Switch to "
    if standing.subscription is None:
        return "Choose " if mine is None else "Upgrade to "
    return "Upgrade to " if _is_up(plan, standing) else "Downgrade to "


def _is_up(plan: PlanTerms, standing: Standing) -> bool:
    return standing.plan is None or plan.rank > standing.plan.rank


def _is_free(plan: PlanTerms) -> bool:
    return plan.monthly_minor == 0 and not plan.is_custom


def _is(plan_id: str, interval: str, plan: PlanTerms, wanted: Interval) -> bool:
    return plan.id == plan_id and interval == wanted.value


def _one_primary(made: list[Offer]) -> list[Offer]:
    """The nearest plan upwards is the primary button; there is one on a page."""
    first = next((offer for offer in made if offer.way.primary), None)
    return [offer if offer is first else replace(offer, way=replace(offer.way, primary=False)) for offer in made]
