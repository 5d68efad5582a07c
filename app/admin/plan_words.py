"""The terms of a version in the words of the pricing page, beside those of the version before it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.catalogue import versions
from app.catalogue.terms import Catalogue, PlanTerms
from app.http import pricing_table
from app.http.pricing_table import Cell

DOWNGRADES = {"period_end": "At period end", "immediate": "At once, credited"}
_NAMED, _NONE = "Name and price", Cell("None")


@dataclass(frozen=True, slots=True)
class Line:
    """One term. `before` is what it was, None where there is no version before."""

    label: str
    now: Cell
    before: Cell | None

    @property
    def is_other(self) -> bool:
        return self.before is not None and self.before != self.now


def of(session: Session, terms: PlanTerms, before: PlanTerms | None) -> list[tuple[str, list[Line]]]:
    """Every term in groups, each with its title; a term that neither version speaks of is left out. One SELECT."""
    both = (terms,) if before is None else (terms, before)
    meters = versions.meters(session)
    named = [Line(label, *_pair([_named(plan, label) for plan in both])) for label in _NAMES]
    sections = pricing_table.sections(Catalogue(plans=both, meters=meters))
    groups = [(each.title, [Line(row.label, *_pair(row.cells)) for row in each.rows]) for each in sections]
    return [(_NAMED, named), *groups]


def changed(session: Session, terms: PlanTerms, before: PlanTerms) -> list[Line]:
    """The terms that differ."""
    return [line for _, lines in of(session, terms, before) for line in lines if line.is_other]


_NAMES = ("Name", "One line under the name", "Monthly price", "Yearly price", "A change to less takes effect")


def _named(plan: PlanTerms, label: str) -> Cell:
    if label == "Name":
        return Cell(plan.name)
    if label == "One line under the name":
        return Cell(plan.description) if plan.description else _NONE
    if label == "A change to less takes effect":
        return Cell(DOWNGRADES[plan.downgrade])
    if plan.is_custom:
        return Cell(pricing_table.BY_CONTRACT)
    price = pricing_table.monthly_price(plan) if label == "Monthly price" else pricing_table.yearly_price(plan)
    return Cell(price) if price else _NONE


def _pair(cells: tuple[Cell, ...] | list[Cell]) -> tuple[Cell, Cell | None]:
    return cells[0], cells[1] if len(cells) > 1 else None
