"""Prices of models that this installation sets itself, each from a day on: `[[llm_prices]]` in a file (SPEC P3, L1)."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.catalogue.models import LlmPrice
from app.catalogue.terms import LlmPriceTerms
from app.catalogue.toml_table import LARGEST, Table

_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}\Z", re.ASCII)
MOST_STEPS = 8
_PRICES = ("input", "output", "cached_input", "cache_write")


def read(top: Table, currency: str) -> tuple[LlmPriceTerms, ...]:
    """The prices a file sets. Its mistakes are noted in the table."""
    found: dict[str, LlmPriceTerms] = {}
    for table in top.rows("llm_prices"):
        terms = _terms(table, currency)
        if terms.key in found:
            table.wrong("from", "is there twice for this model.")
        found[terms.key] = terms
        table.finish()
    return tuple(found[key] for key in sorted(found))


def live(session: Session) -> tuple[LlmPriceTerms, ...]:
    """The prices that are set now, past and coming ones too. One SELECT."""
    rows = session.scalars(select(LlmPrice).where(LlmPrice.retired_at.is_(None)))
    return tuple(read_back(row) for row in sorted(rows, key=lambda row: row.key))  # the database's order has a locale


def in_force(session: Session, model: str, at: datetime) -> LlmPriceTerms | None:
    """What was set for a model at an instant; None where nothing was. One SELECT."""
    row = session.scalars(
        select(LlmPrice)
        .where(LlmPrice.model == model, LlmPrice.day <= at.date().isoformat(), LlmPrice.retired_at.is_(None))
        .order_by(LlmPrice.day.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else read_back(row)


def _terms(table: Table, currency: str) -> LlmPriceTerms:
    model = table.text("model")
    if not is_model(model):
        table.wrong("model", "is no name of a model.")
    steps, last = [], 0
    for step in table.rows("above"):
        above = step.whole("tokens", least=1, most=LARGEST)
        if above <= last:
            step.wrong("tokens", "must be more than in the step before.")
        steps.append((above, *_prices(step)))
        last = above
        step.finish()
    if len(steps) > MOST_STEPS:
        table.wrong("above", f"has {MOST_STEPS} steps at most.")
    return LlmPriceTerms(model, table.day("from"), currency, *_prices(table), steps=tuple(steps))


def _prices(table: Table) -> tuple[int, int, int, int]:
    """Micros for a million tokens of input, output, input from a cache and to one, as input unless said."""
    given = {name: table.micros(name) for name in _PRICES}
    for name in ("input", "output"):
        if not given[name]:  # a model that costs nothing would be free for whoever finds it
            table.wrong(name, "must be more than nothing, for a million tokens.")
    paid, cached, kept = given["input"] or 1, given["cached_input"], given["cache_write"]
    return paid, given["output"] or 1, paid if cached is None else cached, paid if kept is None else kept


def is_model(name: str) -> bool:
    """Whether callers could name a model so."""
    return _MODEL.match(name) is not None


def read_back(row: LlmPrice) -> LlmPriceTerms:
    """A row as terms."""
    return LlmPriceTerms(
        model=row.model,
        day=row.day,
        currency=row.currency,
        input_micros=row.input_micros,
        output_micros=row.output_micros,
        cached_micros=row.cached_micros,
        written_micros=row.written_micros,
        steps=tuple(tuple(step) for step in row.steps),
    )
