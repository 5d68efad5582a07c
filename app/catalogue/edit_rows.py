"""Changing one meter, pack, action, service or price of a model by hand, with what differs told first (SPEC P3)."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock
from app.catalogue import reads
from app.catalogue.difference import Change, between
from app.catalogue.file import LAST_PLACE
from app.catalogue.models import LlmPrice
from app.catalogue.plan_rules import Wrong
from app.catalogue.row_terms import ROWS, Listed, Row, RowTerms, alone, kind_of, listed, mistakes, name_of, values
from app.errors import Conflict, Invalid, NotFound

_TAKEN = {
    "meter": "There is a meter with this key already.",
    "pack": "There is a pack with this key already.",
    "action": "There is an action with this key already.",
    "service": "There is a service with this key already.",
    "llm price": "There is a price of this model from this day on already.",
}


class RowWrong(Invalid):
    """One that makes no sense. Details: field, and mistakes, each with field and message."""


def every(session: Session, kind: str) -> list[Listed]:
    """All of a kind in their order; those that were retired come last. One SELECT."""
    model: Any = ROWS[kind]
    order = (LlmPrice.model, LlmPrice.day.desc()) if model is LlmPrice else (model.position, model.key)
    rows = session.scalars(select(model).order_by(model.retired_at.is_not(None), *order))
    return [listed(row) for row in rows]


def one(session: Session, kind: str, key: str) -> Listed:
    """One of them. Raises NotFound."""
    return listed(_found(session, kind, key))


def next_place(session: Session, kind: str) -> int:
    """The place after the last one on offer."""
    model: Any = ROWS[kind]
    if model is LlmPrice:
        return 0  # by name and day
    last = session.scalar(select(func.max(model.position)).where(model.retired_at.is_(None)))
    return 0 if last is None else min(last + 1, LAST_PLACE)


def difference(session: Session, wanted: RowTerms, *, is_new: bool) -> Change | None:
    """What saving would change; None for nothing. Raises RowWrong with every mistake, NotFound, Conflict if retired."""
    kind, wrong = kind_of(wanted), list(mistakes(wanted))
    row = session.get(ROWS[kind], wanted.key)
    if is_new and row is not None:
        where = "day" if kind == "llm price" else "key"
        wrong.append(Wrong(where, _TAKEN[kind]))
    if wrong:
        each_one = [{"field": each.field, "message": each.sentence} for each in wrong]
        raise RowWrong(wrong[0].sentence, field=wrong[0].field, mistakes=each_one)
    before = None if is_new else listed(_found(session, kind, wanted.key))
    if before is not None and before.retired_at is not None:
        raise Conflict("It is no longer on offer. Offer it again before you change it.")
    changes = between(alone(before.terms if before else None), alone(wanted))
    return changes[0] if changes else None


def save(session: Session, wanted: RowTerms, *, is_new: bool, actor: str) -> Change | None:
    """Offer it with these terms; None where nothing would change. What was bought before stays as it was bought.

    Raises as `difference`.
    """
    kind = kind_of(wanted)
    if not is_new:
        _found(session, kind, wanted.key, lock=True)
    change = difference(session, wanted, is_new=is_new)
    if change is None:
        return None
    model, told = ROWS[kind], values(wanted)
    if is_new:
        made = insert(model).values(**told, retired_at=None).on_conflict_do_nothing(index_elements=["key"])
        if session.execute(made.returning(model.key)).scalar_one_or_none() is None:
            return save(session, wanted, is_new=True, actor=actor)  # it was made meanwhile: now the refusal says so
    else:
        row = _found(session, kind, wanted.key)
        for name, value in told.items():
            setattr(row, name, value)
    _record(session, actor, change.how, kind, wanted.key, facts=change.data()["facts"])
    return change


def retire(session: Session, kind: str, key: str, *, actor: str) -> Listed:
    """Offer it no longer. Raises NotFound, and Conflict for a meter that a plan on offer counts by."""
    row = _found(session, kind, key, lock=True)
    if row.retired_at is None:
        if kind == "meter":
            _refuse_in_use(session, row)
        row.retired_at = clock.now()
        _record(session, actor, "retired", kind, key)
    return listed(row)


def offer_again(session: Session, kind: str, key: str, *, actor: str) -> Listed:
    """Offer a retired one again, as it was. Raises NotFound."""
    row = _found(session, kind, key, lock=True)
    if row.retired_at is not None:
        row.retired_at = None
        _record(session, actor, "offered_again", kind, key)
    return listed(row)


def plans_by_meter(session: Session) -> dict[str, list[str]]:
    """The names of the plans on offer that count by each meter."""
    found: dict[str, list[str]] = {}
    for plan in reads.offered_plans(session):
        for limit in plan.limits:
            if limit.kind == "allowance":
                found.setdefault(limit.key, []).append(plan.name)
    return found


def _refuse_in_use(session: Session, meter: Row) -> None:
    plans = plans_by_meter(session).get(meter.key)
    if plans:
        name = name_of(listed(meter).terms)
        sentence = f"{name} cannot be retired: {', '.join(plans)} counts by it. Take it out of the plan first."
        raise Conflict(sentence, plans=plans)


def _found(session: Session, kind: str, key: str, *, lock: bool = False) -> Row:
    model = ROWS[kind]
    query = select(model).where(model.key == key)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise NotFound(f"There is no such {kind}.")
    return cast("Row", row)


def _record(session: Session, actor: str, how: str, kind: str, key: str, **details: Any) -> None:
    activity.record(session, actor, f"catalogue.{how}", f"{kind}:{key}", **details)
    session.flush()
