"""Stripe's objects with nothing filled in yet: every field a reader may look for, at its resting value."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

Object = dict[str, Any]

_FOLDER = Path(__file__).parent / "blank"


def blank(kind: str, **fields: Any) -> Object:
    """A new object of this kind, such as `checkout.session`, with these fields set."""
    made: Object = json.loads(_text(kind))
    made.update(fields)
    return made


@cache
def _text(kind: str) -> str:
    return (_FOLDER / f"{kind}.json").read_text()
