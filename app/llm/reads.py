"""What pages read of model calls: sums by model, by API key and by day, never the calls themselves. Micros."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from app.llm.models import LlmDay


@dataclass(frozen=True, slots=True)
class Spend:
    """What was billed for one model through one API key; sums of several say so by an empty name."""

    model: str
    key_id: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_micros: int


@dataclass(frozen=True, slots=True)
class DaySpend:
    """The same of one day in UTC."""

    day: date
    spend: Spend


def between(session: Session, customer_id: str, first: date, end: date) -> list[Spend]:
    """By model and key over the days `[first, end)`, the most expensive first."""
    d = LlmDay
    sums = [func.sum(one) for one in (d.calls, d.prompt_tokens, d.completion_tokens, d.cached_tokens, d.cost_micros)]
    rows = session.execute(
        select(d.model, d.key_id, *sums).where(*_mine(customer_id, first, end)).group_by(d.model, d.key_id)
    )
    found = [Spend(model, key_id, *(int(figure) for figure in figures)) for model, key_id, *figures in rows]
    return sorted(found, key=lambda one: (-one.cost_micros, -one.calls, one.model, one.key_id))


def by_model(spends: Iterable[Spend]) -> list[Spend]:
    return _gathered(spends, lambda one: (one.model, ""))


def by_key(spends: Iterable[Spend]) -> list[Spend]:
    return _gathered(spends, lambda one: ("", one.key_id))


def in_all(spends: Iterable[Spend]) -> Spend:
    """Everything in one; nothing is zeros."""
    return next(iter(_gathered(spends, lambda _: ("", ""))), Spend("", "", 0, 0, 0, 0, 0))


def beside(session: Session, customer_id: str, first: date, end: date) -> tuple[date | None, date | None]:
    """The last day with calls before `first`, and the first one from `end` on."""
    d, mine = LlmDay, LlmDay.customer_id == customer_id
    before = select(func.max(d.day)).where(mine, d.day < first.isoformat()).scalar_subquery()
    after = select(func.min(d.day)).where(mine, d.day >= end.isoformat()).scalar_subquery()
    earlier, later = session.execute(select(before, after)).one()
    return date.fromisoformat(earlier) if earlier else None, date.fromisoformat(later) if later else None


def days(
    session: Session, customer_id: str, first: date, end: date, *, after: DaySpend | None = None, limit: int = 1000
) -> list[DaySpend]:
    """Every row of the days `[first, end)`, by day, model and key; `after` is the last one had, to go on from."""
    d = LlmDay
    wanted = select(d).where(*_mine(customer_id, first, end))
    if after is not None:
        place = (after.day.isoformat(), after.spend.model, after.spend.key_id)
        wanted = wanted.where(tuple_(d.day, d.model, d.key_id) > place)
    rows = session.scalars(wanted.order_by(d.day, d.model, d.key_id).limit(limit))
    return [
        DaySpend(
            date.fromisoformat(row.day),
            Spend(
                row.model, row.key_id, row.calls, row.prompt_tokens, row.completion_tokens, row.cached_tokens,
                row.cost_micros,
            ),
        )
        for row in rows
    ]  # fmt: skip


def _mine(customer_id: str, first: date, end: date) -> Sequence[ColumnElement[bool]]:
    d = LlmDay
    return d.customer_id == customer_id, d.day >= first.isoformat(), d.day < end.isoformat()


def _gathered(spends: Iterable[Spend], name: Callable[[Spend], tuple[str, str]]) -> list[Spend]:
    sums: dict[tuple[str, str], list[int]] = {}
    for one in spends:
        kept = sums.setdefault(name(one), [0] * 5)
        figures = (one.calls, one.prompt_tokens, one.completion_tokens, one.cached_tokens, one.cost_micros)
        for place, figure in enumerate(figures):
            kept[place] += figure
    made = [Spend(*names, *figures) for names, figures in sums.items()]
    return sorted(made, key=lambda one: (-one.cost_micros, -one.calls, one.model, one.key_id))
