"""Stripe's form encoding: bracketed keys into hashes and arrays, every value a string."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

_DEEPEST = 12
_KEY = re.compile(r"([^\[\]]+)|\[([^\[\]]*)\]")


def decode_form(body: str | bytes) -> dict[str, Any]:
    """`a[b]=1&c[0][d]=2&e[]=3` as `{"a": {"b": "1"}, "c": [{"d": "2"}], "e": ["3"]}`.

    Raises ValueError, with a sentence naming the parameter, for a body that contradicts itself.
    """
    text = body.decode() if isinstance(body, bytes) else body
    root: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)):
        _put(root, key, value)
    return {key: _with_arrays(value) for key, value in root.items()}


def _put(root: dict[str, Any], key: str, value: str) -> None:
    parts = [plain or bracketed for plain, bracketed in _KEY.findall(key)]
    if not parts or not parts[0]:
        raise ValueError(f"parameter {key!r} has no name")
    if len(parts) > _DEEPEST:
        raise ValueError(f"parameter {key[:40]}… is nested too deeply")
    level = root
    for part in parts[:-1]:
        level = level.setdefault(part or str(len(level)), {})
        if not isinstance(level, dict):
            raise ValueError(f"parameter {key} is both a value and a hash")  # noqa: TRY004  # a wrong value of theirs
    last = parts[-1] or str(len(level))  # `a[]=x` appends
    if last in level:
        raise ValueError(f"duplicate parameter {key}")
    level[last] = value


def _with_arrays(value: Any) -> Any:
    """Hashes whose keys are 0, 1, 2 … are arrays."""
    if not isinstance(value, dict):
        return value
    inner = {key: _with_arrays(each) for key, each in value.items()}
    if inner and all(key.isdigit() for key in inner):
        numbers = sorted(int(key) for key in inner)
        if numbers == list(range(len(inner))):
            return [inner[str(number)] for number in numbers]
    return inner
