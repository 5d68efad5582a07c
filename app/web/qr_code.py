"""A QR code as the path of an inline SVG: no image is fetched, nothing is stored, and no style is needed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import segno

QUIET = 4  # modules of white around it, as the standard asks


@dataclass(frozen=True)
class QrCode:
    """`size` is the side of the square in modules; `path` draws the dark ones."""

    size: int
    path: str


def of(text: str) -> QrCode:
    """The code of this text, which a camera reads off a screen at arm's length."""
    rows = segno.make(text, error="m", micro=False).matrix
    return QrCode(len(rows) + 2 * QUIET, "".join(_row(number + QUIET, row) for number, row in enumerate(rows)))


def _row(y: int, row: bytearray) -> str:
    drawn, x = [], QUIET
    for dark, run in groupby(row, key=bool):
        length = len(list(run))
        if dark:
            drawn.append(f"M{x} {y}h{length}v1h-{length}z")
        x += length
    return "".join(drawn)
