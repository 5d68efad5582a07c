"""Changing one meter, pack or action by hand, with what differs told first, as a catalogue file would (SPEC P3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert  # SQLite understands the same ON CONFLICT
from sqlalchemy.orm import Session

from app import activity, clock
from app.catalogue import reads
from app.catalogue.difference import Change, between
from app.catalogue.models import Action, Meter, Pack
from app.catalogue.packs import MOST_IN_A_PACK
from app.catalogue.plan_rules import LARGEST_PRICE, Wrong
from app.catalogue.terms import ActionTerms, Catalogue, MeterTerms, PackTerms
from app.errors import Conflict, Invalid, NotFound

RowTerms = MeterTerms | PackTerms | ActionTerms
Row = Meter | Pack | Action

ROWS: dict[str, type[Meter] | type[Pack] | type[Action]] = {"meter": Meter, "pack": Pack, "action": Action}
LAST_PLACE = 1_000
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z", re.ASCII)


class RowWrong(Invalid):
    """A meter, pack or action that makes no sense. Details: field, and mistakes, each with field and message."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One as staff see it: on offer, or retired since `retired_at`."""

    terms: RowTerms
    retired_at: datetime | None


def every(session: Session, kind: str) -> list[Listed]:
    """All of a kind in their order; those that were retired come last. One SELECT."""
    model = ROWS[kind]
    rows = session.scalars(select(model).order_by(model.retired_at.is_not(None), model.position, model.key))
    return [_listed(cast("Row", row)) for row in rows]


def one(session: Session, kind: str, key: str) -> Listed:
    """One of them. Raises NotFound."""
    return _listed(_found(session, kind, key))


def next_place(session: Session, kind: str) -> int:
    """The place after the last one on offer."""
    model = ROWS[kind]
    last = session.scalar(select(func.max(model.position)).where(model.retired_at.is_(None)))
    return 0 if last is None else min(last + 1, LAST_PLACE)


def difference(session: Session, wanted: RowTerms, *, is_new: bool) -> Change | None:
    """What saving would change; None for nothing. Raises RowWrong with every mistake, NotFound, Conflict if retired."""
    kind, wrong = kind_of(wanted), list(_mistakes(wanted))
    row = session.get(ROWS[kind], wanted.key)
    if is_new and row is not None:
        wrong.append(Wrong("key", f"There is a{'n' if kind == 'action' else ''} {kind} with this key already."))
    if wrong:
        told = [{"field": each.field, "message": each.sentence} for each in wrong]
        raise RowWrong(wrong[0].sentence, field=wrong[0].field, mistakes=told)
    before = None if is_new else _listed(_found(session, kind, wanted.key))
    if before is not None and before.retired_at is not None:
        raise Conflict("It is no longer on offer. Offer it again before you change it.")
    changes = between(_alone(before.terms if before else None), _alone(wanted))
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
    model, values = ROWS[kind], _values(wanted)
    if is_new:
        made = insert(model).values(**values, retired_at=None).on_conflict_do_nothing(index_elements=["key"])
        if session.execute(made.returning(model.key)).scalar_one_or_none() is None:
            return save(session, wanted, is_new=True, actor=actor)  # it was made meanwhile: now the refusal says so
    else:
        row = _found(session, kind, wanted.key)
        for name, value in values.items():
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
    return _listed(row)


def offer_again(session: Session, kind: str, key: str, *, actor: str) -> Listed:
    """Offer a retired one again, as it was. Raises NotFound."""
    row = _found(session, kind, key, lock=True)
    if row.retired_at is not None:
        row.retired_at = None
        _record(session, actor, "offered_again", kind, key)
    return _listed(row)


def plans_by_meter(session: Session) -> dict[str, list[str]]:
    """The names of the plans on offer that count by each meter."""
    found: dict[str, list[str]] = {}
    for plan in reads.offered_plans(session):
        for limit in plan.limits:
            if limit.kind == "allowance":
                found.setdefault(limit.key, []).append(plan.name)
    return found


def kind_of(terms: RowTerms) -> str:
    """meter, pack or action."""
    if isinstance(terms, MeterTerms):
        return "meter"
    return "pack" if isinstance(terms, PackTerms) else "action"


def _refuse_in_use(session: Session, meter: Row) -> None:
    plans = plans_by_meter(session).get(meter.key)
    if plans:
        sentence = f"{meter.name} cannot be retired: {', '.join(plans)} counts by it. Take it out of the plan first."
        raise Conflict(sentence, plans=plans)


def _mistakes(wanted: RowTerms) -> Iterator[Wrong]:
    if not _KEY.match(wanted.key):
        yield Wrong("key", "Begin with a small letter, go on with small letters, digits and _, at most 40.")
    if not _is_line(wanted.name):
        yield Wrong("name", "Give a name of 1 to 200 characters.")
    if not 0 <= wanted.position <= LAST_PLACE:
        yield Wrong("position", f"Enter a whole number from 0 to {LAST_PLACE:,}.")
    if isinstance(wanted, MeterTerms):
        if not _is_line(wanted.unit):
            yield Wrong("unit", "Give the word for one of it, of 1 to 200 characters.")
    elif not 1 <= wanted.credits <= MOST_IN_A_PACK:
        yield Wrong("credits", f"Enter a whole number from 1 to {MOST_IN_A_PACK:,}.")
    if isinstance(wanted, PackTerms) and not 1 <= wanted.price_minor <= LARGEST_PRICE:
        yield Wrong("price", "Enter a price above nothing, before tax.")


def _is_line(text: str) -> bool:
    return 0 < len(text) <= 200 and text.isprintable() and text == text.strip()


def _alone(terms: RowTerms | None) -> Catalogue:
    """A catalogue of this one thing."""
    if terms is None:
        return Catalogue()
    if isinstance(terms, MeterTerms):
        return Catalogue(meters=(terms,))
    return Catalogue(packs=(terms,)) if isinstance(terms, PackTerms) else Catalogue(actions=(terms,))


def _values(terms: RowTerms) -> dict[str, Any]:
    told = {name: getattr(terms, name) for name in terms.__slots__}
    if isinstance(terms, PackTerms):
        told["provider_ids"] = {channel: dict(names) for channel, names in terms.provider_ids.items()}
    return told


def _listed(row: Row) -> Listed:
    if isinstance(row, Meter):
        return Listed(MeterTerms(row.key, row.name, row.unit, row.position), row.retired_at)
    if isinstance(row, Action):
        return Listed(ActionTerms(row.key, row.name, row.credits, row.position), row.retired_at)
    terms = PackTerms(row.key, row.name, row.credits, row.currency, row.price_minor, row.position, row.provider_ids)
    return Listed(terms, row.retired_at)


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
