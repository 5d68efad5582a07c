"""Reading the catalogue: what is on offer now, and the terms of one version that somebody bought."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import and_, bindparam, select, tuple_
from sqlalchemy.orm import Session

from app.catalogue import check_in, llm_prices
from app.catalogue.models import Action, Meter, Pack, Plan, PlanLimit, PlanVersion, Service
from app.catalogue.terms import ActionTerms, Catalogue, Limit, MeterTerms, PackTerms, PlanTerms, ServiceTerms
from app.errors import NotFound

Kind = TypeVar("Kind", Meter, Action, Pack, Service)

# Put together once: whoever asks where a customer stands asks these. Always as the rows are now, whatever the session
# has read of them before: `memory` keeps the answers.
_NOW = {"populate_existing": True}
_CURRENT = and_(PlanVersion.plan_id == Plan.id, PlanVersion.number == Plan.current_version)
_OFFERED = (
    select(Plan, PlanVersion).join(PlanVersion, _CURRENT).where(Plan.retired_at.is_(None)).order_by(Plan.rank, Plan.key)
)
_LIMITS = (
    select(PlanLimit)
    .where(tuple_(PlanLimit.plan_id, PlanLimit.version).in_(bindparam("versions", expanding=True)))
    .order_by(PlanLimit.position)
)


def whole(session: Session) -> Catalogue:
    """Everything a catalogue file can say: what is on offer, and the prices of models, which no page shows."""
    return replace(live(session), llm_prices=llm_prices.live(session))


def live(session: Session) -> Catalogue:
    """Everything on offer, in the order in which pages show it."""
    return Catalogue(
        plans=offered_plans(session),
        meters=tuple(MeterTerms(row.key, row.name, row.unit, row.position) for row in _offered(session, Meter)),
        actions=offered_actions(session),
        packs=tuple(
            PackTerms(row.key, row.name, row.credits, row.currency, row.price_minor, row.position, row.provider_ids)
            for row in _offered(session, Pack)
        ),
        services=tuple(
            ServiceTerms(row.key, row.name, row.pricing, row.markup_percent, row.commission_percent, row.position)
            for row in _offered(session, Service)
        ),
        check_in=check_in.live(session),
    )


def offered_actions(session: Session) -> tuple[ActionTerms, ...]:
    """What credits can be spent on, in the order of pages. One SELECT."""
    return tuple(ActionTerms(row.key, row.name, row.credits, row.position) for row in _offered(session, Action))


def offered_plans(session: Session) -> tuple[PlanTerms, ...]:
    """The plans on offer, by rank. Two SELECTs, however many plans."""
    found = session.execute(_OFFERED, execution_options=_NOW).all()
    return with_limits(session, [(plan, version) for plan, version in found])


def free_plan(session: Session) -> PlanTerms | None:
    """The plan of who pays for none: the lowest on offer that costs nothing. None where there is no such plan."""
    return first_free(offered_plans(session))


def first_free(offered: Iterable[PlanTerms]) -> PlanTerms | None:
    """The first of these, by rank, that costs nothing."""
    return next((plan for plan in offered if plan.monthly_minor == 0 and not plan.is_custom), None)


def version_of(session: Session, plan_id: str, number: int) -> PlanTerms:
    """The terms of one version, retired or not: what a subscriber has. Two SELECTs. Raises NotFound."""
    found = session.execute(
        select(Plan, PlanVersion)
        .join(PlanVersion, and_(PlanVersion.plan_id == Plan.id, PlanVersion.number == number))
        .where(Plan.id == plan_id),
        execution_options=_NOW,
    ).one_or_none()
    if found is None:
        raise NotFound("There is no such plan.")
    return with_limits(session, [(found[0], found[1])])[0]


def name_of(session: Session, plan_id: str, number: int) -> str:
    """What that version of a plan is called; its id for one that is not there."""
    mine = PlanVersion.plan_id == plan_id, PlanVersion.number == number
    return session.scalars(select(PlanVersion.name).where(*mine)).one_or_none() or plan_id


def with_limits(session: Session, found: list[tuple[Plan, PlanVersion]]) -> tuple[PlanTerms, ...]:
    """The terms of these versions, in their order. One SELECT."""
    limits: dict[tuple[str, int], list[Limit]] = defaultdict(list)
    if found:
        versions = [(plan.id, version.number) for plan, version in found]
        for row in session.scalars(_LIMITS, {"versions": versions}, execution_options=_NOW):
            limit = Limit(row.kind, row.key, row.amount, row.overage_mode, row.overage_micros)
            limits[row.plan_id, row.version].append(limit)
    return tuple(_terms(plan, version, tuple(limits[plan.id, version.number])) for plan, version in found)


def _terms(plan: Plan, version: PlanVersion, limits: tuple[Limit, ...]) -> PlanTerms:
    return PlanTerms(
        key=plan.key,
        rank=plan.rank,
        name=version.name,
        description=version.description,
        currency=version.currency,
        is_custom=version.is_custom,
        monthly_minor=version.monthly_minor,
        yearly_minor=version.yearly_minor,
        included_credits=version.included_credits,
        welcome_credits=version.welcome_credits,
        downgrade=version.downgrade,
        features=tuple(version.features),
        limits=limits,
        provider_ids=version.provider_ids,
        id=plan.id,
        version=version.number,
        is_sold=version.sold_at is not None,
    )


def _offered(session: Session, model: type[Kind]) -> list[Kind]:
    return list(session.scalars(select(model).where(model.retired_at.is_(None)).order_by(model.position, model.key)))
