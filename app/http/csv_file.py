"""CSV answers: streamed, quoted as RFC 4180 says, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from flask import Response, stream_with_context
from sqlalchemy.orm import Session

from app import money

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
