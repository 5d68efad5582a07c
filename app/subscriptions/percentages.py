"""What a service billed to a customer's wallet adds or keeps (SPEC U8, P14): negotiated, else its own, else ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.catalogue import reads
from app.catalogue.models import Service
from app.subscriptions import lifecycle, overrides
from app.subscriptions.models import PlanOverride


@dataclass(frozen=True, slots=True)
class Percentages:
    """`markup` goes on top of cost, `commission` is kept of a list price; whole percent."""

    markup: int
    commission: int


def of_service(session: Session, customer_id: str, service: str, *, default: Percentages) -> Percentages:
    """The percentages of this service for this customer. Two SELECTs, and two more where terms are for one plan only.

    `default` is the installation's, for a service the catalogue does not speak of.
    """
    negotiated = _live(session, customer_id)
    known = session.get(Service, service) if service.isprintable() else None  # else no database has it
    own = known if known is not None and known.retired_at is None else None
    markups = (each.markup_percent for each in (negotiated, own) if each is not None)
    commissions = (each.commission_percent for each in (negotiated, own) if each is not None)
    return Percentages(_first(markups, default.markup), _first(commissions, default.commission))


def _first(said: Iterable[int | None], default: int) -> int:
    return next((percent for percent in said if percent is not None), default)


def _live(session: Session, customer_id: str) -> PlanOverride | None:
    """What is negotiated, if it counts on the plan they are on."""
    found = overrides.live(session, customer_id)
    if found is None or found.plan_id is None:
        return found
    subscription = lifecycle.live(session, customer_id)
    free = None if subscription else reads.free_plan(session)
    plan_id = subscription.plan_id if subscription else free and free.id
    return found if plan_id == found.plan_id else None
