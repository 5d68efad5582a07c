"""CSV answers: streamed, quoted as RFC 4180 says, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from flask import Response, stream_with_context
from sqlalchemy.orm import Session

from app import clock, money

Row = TypeVar("Row")
Place = TypeVar("Place")

# A cell that begins like this is run as a formula by spreadsheets; a leading apostrophe makes it text.
# The full-width signs count too: where people type Japanese or Chinese, a spreadsheet reads them as the plain ones.
_FORMULA_STARTS = tuple("=+-@＝＋－＠\t\r\n\0")


class Figure(str):
    """A cell that is a number of ours, such as `-9.80`, and needs no disarming."""


def answer(filename: str, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A download of `rows` under `heading`. Rows are taken one by one, so a long list is never held in memory."""
    body = stream_with_context(_lines(heading, rows))
    response = Response(body, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def of_list(
    session: Session,
    name: str,
    columns: Mapping[str, Callable[[Row], object]],
    page: Callable[[Place | None], tuple[Sequence[Row], Place | None]],
) -> Response:
    """A list as a file of today: each column is what it says of a row, and `page` reads as `walked` wants it."""

    def cells(place: Place | None) -> tuple[list[list[object]], Place | None]:
        rows, older = page(place)
        return [[told(row) for told in columns.values()] for row in rows], older

    return answer(f"{name}-{clock.now():%Y-%m-%d}.csv", list(columns), walked(session, cells))


def walked(session: Session, page: Callable[[Place | None], tuple[Sequence[Row], Place | None]]) -> Iterator[Row]:
    """Every row of a list that is read page by page: `page` is given a place, and gives the rows and the next place.

    What it gives must be whole: a slow download holds no transaction, so each page ends the one it was read in.
    """
    place: Place | None = None
    while True:
        rows, place = page(place)
        session.rollback()
        yield from rows
        if not place:
            return


def safe(cell: object) -> str:
    """The cell as text. Numbers stay numbers, negative ones too; other text that would be a formula is disarmed."""
    if cell is None:
        return ""
    text = str(cell)
    if isinstance(cell, int) or not text.startswith(_FORMULA_STARTS):
        return text
    return "'" + text


def decimal(micros: int) -> Figure:
    """Micros as a cell, exact: `-9.80`."""
    return Figure(money.decimal(micros))


def instant(at: datetime | None) -> str:
    """An instant as a cell, empty where there is none."""
    return clock.timestamp(at) if at else ""


def price(minor: int | None, currency: str) -> Figure | None:
    """Minor units of a currency as a cell, exact; empty where there is none."""
    return None if minor is None else decimal(money.minor_to_micros(minor, currency))


def _lines(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(heading)
    for row in rows:
        writer.writerow([cell if isinstance(cell, Figure) else safe(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()
