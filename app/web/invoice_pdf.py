"""An invoice as a PDF: the page's sheet on A4, the same bytes for the same invoice.

The text is set in Inter, which comes with the program; letters it lacks are taken from the machine's fonts.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst

from app.web.invoice_sheet import Sheet

HERE = Path(__file__).resolve().parent


def pdf_of(sheet: Sheet, issued_at: datetime) -> bytes:
    """The file. `issued_at` is the time it says it was made."""
    return typeset("invoice.typ", asdict(sheet), issued_at)


def typeset(template: str, sheet: dict[str, Any], at: datetime) -> bytes:
    """A template of this folder, set with what it says: the same bytes for the same content and time."""
    made = typst.compile(
        (HERE / template).read_bytes(),
        font_paths=_fonts(),
        sys_inputs={"sheet": json.dumps(sheet)},
        timestamp=int(at.timestamp()),
        format="pdf",
    )
    assert isinstance(made, bytes), "one document is one file"
    return made


@cache
def _fonts() -> typst.Fonts:
    """Found once: looking through a machine's fonts takes longer than setting an invoice."""
    return typst.Fonts(font_paths=[HERE / "fonts"])
