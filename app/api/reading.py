"""Reading a request strictly, before any model sees it: one JSON object, in JSON's own type, without repeated names."""

from __future__ import annotations

import json
from typing import Any

from flask import request
from pydantic import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from app.errors import Invalid, Unreadable

LARGEST_BODY = 64 * 1024
DEEPEST = 16


def read_body(*, needed: bool, largest: int = LARGEST_BODY) -> dict[str, Any]:
    """The body as an object, of up to `largest` bytes; an empty one where none is needed.

    Raises UnsupportedMediaType, RequestEntityTooLarge, Unreadable (400) or Invalid naming the field.
    """
    request.max_content_length = largest
    if (request.content_length or 0) > largest:
        raise RequestEntityTooLarge
    raw = request.get_data()  # raises RequestEntityTooLarge for a longer body that did not say so
    if not raw and not needed:
        return {}
    if request.mimetype != "application/json" or request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMediaType
    return _object(raw)


def read_names(*, expected: bool) -> None:
    """Raises Invalid naming a parameter that is given more than once, or to a call that takes none at all."""
    for name, values in request.args.lists():
        if len(values) > 1:  # ?limit=1&limit=2 means nothing
            raise Invalid(f"{_shown(name)} is given more than once.", field=_shown(name))
        if not expected:  # where some are, their model says which
            raise Invalid(f"{_shown(name)}: Unknown parameter.", field=_shown(name))


def first_fault(error: ValidationError) -> Invalid:
    """What a model refused, as one refusal that names the first field and lists them all."""
    faults = [_fault(fault) for fault in error.errors(include_url=False, include_context=False, include_input=False)]
    first = faults[0]
    sentence = f"{first['field']}: {first['message']}." if first["field"] else f"{first['message']}."
    return Invalid(sentence, field=first["field"], errors=faults[:20])


def _object(raw: bytes) -> dict[str, Any]:
    try:
        # Decoded here: given bytes, Python reads UTF-16 and UTF-32 as well, which JSON between programs never is.
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except (ValueError, RecursionError) as wrong:  # UnicodeDecodeError is a ValueError too
        raise Unreadable("The body is not valid JSON.") from wrong
    if not isinstance(value, dict):
        raise Unreadable("The body must be a JSON object.")
    if _depth(value) > DEEPEST:
        raise Unreadable(f"The body is nested deeper than {DEEPEST} levels.")
    for name, said in value.items():
        if _holds_nul(said):  # PostgreSQL does not even compare such a text
            raise Invalid(f"{_shown(name)}: A text cannot hold the character NUL.", field=_shown(name))
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:  # readers differ on which of two counts, and money must not depend on the reader
            raise Invalid(f"{_shown(name)} is given more than once.", field=_shown(name))
        if any("\ud800" <= letter <= "\udfff" for letter in name):  # half a character: no model could name it
            raise Invalid(f"{_shown(name)}: Unknown field.", field=_shown(name))
        found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and Infinity are not JSON, though Python reads them


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [inner for outer in level for inner in _inside(outer)]
    return deepest


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    return any(map(_holds_nul, [*value, *_inside(value)])) if isinstance(value, dict | list) else False


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _fault(fault: Any) -> dict[str, str]:
    message = "Unknown field" if fault["type"] == "extra_forbidden" else str(fault["msg"])
    return {
        "field": ".".join(_shown(str(part)) for part in fault["loc"]),
        "message": message.removeprefix("Value error, "),
    }


def _shown(name: str) -> str:
    """A name out of the request as it may stand in an answer: short, and printable."""
    short = name if len(name) <= 60 else name[:60] + "…"
    return short.encode("ascii", "backslashreplace").decode() if not short.isprintable() else short
