"""What model calls cost in one month, by model and by API key, as the usage page shows it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from flask import request, url_for
from sqlalchemy.orm import Session

from app import clock
from app.customers import api_keys
from app.errors import NotFound
from app.http.filters import MONTH_NAMES, places_of
from app.llm import reads
from app.llm.reads import Spend

MOST_ROWS = 50

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of one of the two tables. `note` says more of an API key."""

    name: str
    note: str
    spend: Spend


def panel(session: Session, customer_id: str) -> dict[str, Any]:
    """What `usage/_models.html` needs for the month the address names. Raises NotFound for one that is none.

    `models_shown` is None for a customer who never called a model.
    """
    first = month_asked()
    end = after(first)
    spends = reads.between(session, customer_id, first, end)
    earlier, later = reads.beside(session, customer_id, first, end)
    if not (spends or earlier or later):
        return {"models_shown": None}
    total = reads.in_all(spends)
    names = api_keys.names_of(session, customer_id, {one.key_id for one in spends})
    by_model = _cut([Row(one.model, "", one) for one in reads.by_model(spends)], "other models")
    by_key = _cut([_key_row(one, names) for one in reads.by_key(spends)], "other keys")
    return {
        "models_shown": {
            "month": f"{MONTH_NAMES[first.month - 1]} {first.year}",
            "by_model": by_model,
            "by_key": by_key,
            "total": total,
            "places": places_of((total.cost_micros, *(row.spend.cost_micros for row in (*by_model, *by_key)))),
            "earlier": _move(earlier),
            "later": _move(later or _now_if_past(first)),
            "csv": url_for("model_spend.download", month=f"{first:%Y-%m}"),
        }
    }


def month_asked() -> date:
    """The first day of the month in the address, else of the one that is running."""
    text = request.args.get("month", "")
    if not text:
        return clock.now().astimezone(UTC).date().replace(day=1)
    found = _MONTH.match(text)
    if found is None:
        raise NotFound("There is no such month.")
    return date(int(found[1]), int(found[2]), 1)


def after(first: date) -> date:
    """The first day of the next month."""
    return (first + timedelta(days=31)).replace(day=1)


def _now_if_past(first: date) -> date | None:
    """From a month gone by there is always a way to the running one."""
    today = clock.now().astimezone(UTC).date()
    return today if after(first) <= today else None


def _move(to: date | None) -> Mapping[str, str] | None:
    """The way to the month of this day: its name, its address, and that of the tables alone."""
    if to is None:
        return None
    month = f"{to:%Y-%m}"
    return {
        "name": f"{MONTH_NAMES[to.month - 1]} {to.year}",
        "address": url_for("usage.show", month=month, _anchor="models"),
        "partial": url_for("model_spend.show", month=month),
    }


def _key_row(spend: Spend, names: Mapping[str, tuple[str, str]]) -> Row:
    name, note = names.get(spend.key_id, ("Through the product", "its own key, not one of yours"))
    return Row(name, note, spend)


def _cut(rows: list[Row], others: str) -> list[Row]:
    """The most expensive ones, and the rest in one line."""
    if len(rows) <= MOST_ROWS:
        return rows
    kept, rest = rows[: MOST_ROWS - 1], rows[MOST_ROWS - 1 :]
    return [*kept, Row(f"{len(rest)} {others}", "", reads.in_all(row.spend for row in rest))]
