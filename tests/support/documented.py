"""Answers as a document shows them: exactly these fields, of these types, under this status."""

from __future__ import annotations

import re
from types import UnionType
from typing import Any

from werkzeug.test import TestResponse

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Text(str):
    """A text of this form, as a regular expression."""


INSTANT = Text(_INSTANT.pattern)
URL = Text(r"https?://\S+|/\S*")


def told(answer: TestResponse, shape: Any, status: int = 200) -> Any:
    """The answer's JSON, after it was found to be what is documented."""
    body = answer.get_json(silent=True)
    assert (answer.status_code, answer.mimetype) == (status, "application/json"), answer.get_data(as_text=True)
    off = list(_off(body, shape, "answer"))
    assert not off, off
    return body


def enveloped(shape: Any) -> dict[str, Any]:
    """The shape in the envelope of SPEC §12.2."""
    return {"success": True, "data": shape}


def _off(value: Any, shape: Any, at: str) -> list[str]:
    if isinstance(shape, dict) and isinstance(value, dict):
        missing, more = sorted(shape.keys() - value.keys()), sorted(value.keys() - shape.keys())
        faults = [f"{at} has no {name}" for name in missing] + [f"{at} has {name} too" for name in more]
        both = shape.keys() & value.keys()
        return faults + [one for name in both for one in _off(value[name], shape[name], f"{at}.{name}")]
    if isinstance(shape, list) and len(shape) == 1 and isinstance(value, list):
        faults = [] if value else [f"{at} is empty, so nothing is known of what is in it"]
        return faults + [one for number, item in enumerate(value) for one in _off(item, shape[0], f"{at}.{number}")]
    return [] if _fits(value, shape) else [f"{at} is {value!r}"]


def _fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, Text):
        return isinstance(value, str) and re.fullmatch(shape, value) is not None
    if isinstance(shape, type | UnionType):
        return isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
    return bool(value == shape)
