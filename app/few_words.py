"""Columns of few different words, under an index over word, time and id: a rare word is read like a common one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, func, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session


def beginning_so(session: Session, column: InstrumentedAttribute[str], beginning: str) -> list[str]:
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
