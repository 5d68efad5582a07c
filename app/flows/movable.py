"""Whether a subscriber can go over to another version of their plan, at what price, and if it is to their loss.

One place for the preview of a move and for the move itself. What is refused here the change of plan would refuse too,
or do in another way than it was meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from app.catalogue.terms import PlanTerms
from app.flows import sold_by
from app.money import Money
from app.providers.port import Provider
from app.providers.values import Cap
from app.subscriptions import prices, sale
from app.subscriptions.comparison import takes_away
from app.subscriptions.periods import Interval
from app.subscriptions.sale import PlanNotForSale, Sale

Providers = Mapping[str, Provider]


class Has(Protocol):
    """What counts of a subscription."""

    @property
    def interval(self) -> str: ...
    @property
    def price_minor(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def paid_by(self) -> str: ...
    @property
    def channel(self) -> str | None: ...
    @property
    def pays_next_by(self) -> str | None: ...
    @property
    def status(self) -> str: ...
    @property
    def cancel_at_period_end(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Not:
    """Why not. `passes`: it may be otherwise in a while, so that trying again makes sense."""

    why: str
    passes: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """A version of a plan: as it is sold (`listed`), and as this customer would have it."""

    listed: PlanTerms
    theirs: PlanTerms


def sale_of(
    session: Session, providers: Providers, has: Has, old: Terms, new: Terms, changes: str | None
) -> Sale | Not:
    """What they would have afterwards. `changes`: scheduled or in_flight where a change of theirs waits already."""
    no = _not_as_it_stands(has, changes)
    if no is not None:
        return no
    try:
        bought = sale.priced(new.listed, new.theirs, Interval(has.interval))
    except PlanNotForSale as refusal:
        return Not(refusal.sentence)
    if bought.price.currency != has.currency:
        return Not(f"They pay in {has.currency.upper()}, and it is sold in {bought.price.currency.upper()}.")
    return (_not_by_card(session, providers, has, old, bought) if has.paid_by == "card" else None) or bought


def _not_as_it_stands(has: Has, changes: str | None) -> Not | None:
    if has.cancel_at_period_end:
        return Not("They leave at the end of their period.")
    if has.status != "active":
        return Not("Their last payment is open.", passes=True)
    if changes == "scheduled":
        return Not("A change waits for the end of their period already.")
    return Not("A change of theirs is being paid at this moment.", passes=True) if changes else None


def is_worse(has: Has, old: Terms, bought: Sale) -> bool:
    """Whether they pay more, or have less of anything."""
    return bought.price.minor > has.price_minor or takes_away(old.theirs, bought.terms)


def when(times: str, has: Has, old: Terms, bought: Sale) -> str:
    """`noticed` where it is to their loss, `now` where that was asked for and costs the same, else `renewal`.

    `times` is the move's.
    """
    if is_worse(has, old, bought):
        return "noticed"
    return "now" if times == "now" and bought.price.minor == has.price_minor else "renewal"


def _not_by_card(session: Session, providers: Providers, has: Has, old: Terms, bought: Sale) -> Not | None:
    provider = providers.get(has.channel or "")
    if provider is None:
        return Not(f"Their payment channel, {has.channel}, is not set up here.")
    if has.pays_next_by is not None:
        return Not("They pay another way from their next period on.", passes=True)
    if not {Cap.CHANGE_AT_PERIOD_END, Cap.CHANGE_FOR_RENEWAL} & set(provider.capabilities):
        return Not(f"{provider.title} cannot change a plan when its period ends.")
    if not sold_by.sells_plan(session, provider, bought):
        return Not(f"{provider.title} has no {provider.sold_as} for the new version.")
    interval, price = Interval(has.interval), Money(has.price_minor, has.currency)
    now = Sale(old.theirs, interval, price, has.price_minor == sale.price_of(old.listed, interval))
    named = prices.known(session, provider.name, bought)
    if named is not None and named == prices.known(session, provider.name, now):
        return Not(f"{provider.title} knows both versions under one id, {named}, and could not tell them apart.")
    return None
