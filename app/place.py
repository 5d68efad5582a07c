"""A place in a list that is sorted by time and id: as text for an address, read again, and what lies beyond it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, tuple_
from sqlalchemy.orm import InstrumentedAttribute

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
