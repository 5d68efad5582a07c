"""What may be bought: a plan on offer at a price, as this customer would pay it. Refused with a sentence otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.catalogue import reads
from app.catalogue.models import Plan
from app.catalogue.terms import PlanTerms
from app.errors import Invalid, NotFound
from app.money import Money
from app.subscriptions import overrides
from app.subscriptions.periods import Interval


class PlanNotForSale(Invalid):
    """This plan cannot be bought like this. Details: field, plan."""

    code = "PLAN_NOT_FOR_SALE"


@dataclass(frozen=True, slots=True)
class Move:
    """A change that staff make for many: to this version of the plan they have. `id` is the move's (`mov_…`).

    `waits`: for the period's end, whatever it costs then. Else it is as with any change of plan.
    """

    id: str
    version: int
    waits: bool


@dataclass(frozen=True, slots=True)
class Sale:
    """A plan and what it costs for one interval, before tax. `terms` have what was negotiated laid over them."""

    terms: PlanTerms
    interval: Interval
    price: Money
    is_list_price: bool

    @property
    def what(self) -> str:
        """As coupons call it."""
        return f"plan:{self.terms.key}"


def every(word: str) -> Interval:
    """ "month" or "year" as somebody sent it. Raises Invalid."""
    try:
        return Interval(word)
    except ValueError:
        raise Invalid("Choose to pay by the month or by the year.", field="interval") from None


def offered(session: Session, customer_id: str, plan_key: str, interval: Interval, move: Move | None = None) -> Sale:
    """The plan with this key (in any capitals), as this customer would buy it now; of a move, the version it names.

    Raises NotFound for an unknown plan, and PlanNotForSale for one that is retired, free, negotiated with nobody yet,
    or not sold by this interval. Who has a retired plan keeps it; nobody can come to it.
    """
    # A catalogue applied over another may leave a retired free beside FREE: what is on offer comes first.
    alike = select(Plan).where(func.lower(Plan.key) == plan_key.lower())
    plan = session.scalars(alike.order_by(Plan.retired_at.is_not(None), Plan.key != plan_key, Plan.key)).first()
    if plan is None:
        raise NotFound("There is no such plan.", field="plan")
    listed = reads.version_of(session, plan.id, move.version if move else plan.current_version)
    if plan.retired_at is not None:
        raise _no(f"{listed.name} is no longer offered. Choose one of the plans on offer.", listed)
    return priced(listed, overrides.laid_over(listed, overrides.live(session, customer_id)), interval)


def priced(listed: PlanTerms, terms: PlanTerms, interval: Interval) -> Sale:
    """The price of `terms`, which are the `listed` ones with negotiated ones over them. Raises PlanNotForSale."""
    minor = price_of(terms, interval)
    if minor is None and terms.is_custom:
        raise _no(f"The price of {terms.name} is agreed with each customer. Contact us.", terms)
    if minor is None:
        every = "year" if interval is Interval.YEAR else "month"
        raise _no(f"{terms.name} is not sold by the {every}.", terms, field="interval")
    if minor == 0:
        raise _no(f"{terms.name} costs nothing. To go back to it, cancel the subscription you have.", terms)
    return Sale(terms, interval, Money(minor, terms.currency), minor == price_of(listed, interval))


def price_of(terms: PlanTerms, interval: Interval) -> int | None:
    """What one interval costs, in minor units before tax; None where it is not sold so."""
    return terms.monthly_minor if interval is Interval.MONTH else terms.yearly_minor


def _no(sentence: str, terms: PlanTerms, field: str = "plan") -> PlanNotForSale:
    return PlanNotForSale(sentence, field=field, plan=terms.key)
