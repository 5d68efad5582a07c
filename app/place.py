"""A place in a list that is sorted by time and id: as text for an address, read again, and what lies beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, func, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.errors import Invalid


def written(at: datetime, last: str) -> str:
    """The place of the row made at this instant (aware) with this id; what comes next in the list lies beyond it."""
    return f"{at.isoformat()}~{last}"


def read(text: str) -> tuple[datetime, str]:
    """The instant (aware) and id of such a place. Raises Invalid for text that names none."""
    instant, _, last = text.partition("~")
    try:
        at = datetime.fromisoformat(instant.replace(" ", "+"))  # as an address has it where nobody encoded the plus
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not last or not last.isprintable():
        raise gone()
    return at, last


def gone() -> Invalid:
    """The refusal of a place that no list has."""
    return Invalid("This page of the list does not exist any more. Start again from the newest.", field="before")


def beyond(
    at: InstrumentedAttribute[datetime], named: InstrumentedAttribute[str], instant: datetime, last: str
) -> ColumnElement[bool]:
    """The rows that come after this place in a list of the newest first.

    As a pair, because then an index over the two is entered right there; "older, or as old with a lower id" is a filter
    that reads everything newer first.
    """
    return tuple_(at, named) < (instant, last)


def words(session: Session, column: InstrumentedAttribute[str], beginning: str) -> list[str]:
    """The words in a column that begin so, whatever the case. For an indexed column that has few different ones.

    From each word the index is entered once more at the next: one SELECT, which reads a row for each word there is.
    """
    word = select(func.min(column).label("word")).cte("words", recursive=True)
    following = select(func.min(column)).where(column > word.c.word).scalar_subquery()
    word = word.union_all(select(following).where(word.c.word.is_not(None)))
    found = session.scalars(select(word.c.word).where(word.c.word.is_not(None)))
    return [each for each in found if each.lower().startswith(beginning.lower())]


def newest(
    named: InstrumentedAttribute[str],
    at: InstrumentedAttribute[datetime],
    column: InstrumentedAttribute[str],
    values: Sequence[str],
    limit: int,
    *where: ColumnElement[bool],
) -> CompoundSelect[Any]:
    """The ids of the newest rows of each of these words, among which the newest of all of them are.

    For an index over (word, time, id): a list of a rare word reads no row of another. `values` must not be empty.
    """
    each = [
        select(named.label("id")).where(column == value, *where).order_by(at.desc(), named.desc()).limit(limit)
        for value in values
    ]
    # SQLite takes no LIMIT within a union unless it is a table of its own.
    return union_all(*(select(some.subquery().c.id) for some in each))
