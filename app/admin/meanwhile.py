"""What somebody else changed of a thing while its form was open: taken into the form, or told where both changed it.

The form carries its values as it was opened with. Nothing typed is lost: what only they changed comes into the form,
and where both changed the same field the typed one stays and theirs is told beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BASE = "base"  # the input that carries the values the form was opened with
_OURS = ("csrf_token", "confirmed", "do", BASE)
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """`values` are those of the form from now on. `taken`: what, before, now. `kept`: what, as typed, as it is now."""

    values: dict[str, str]
    taken: tuple[tuple[str, str, str], ...]
    kept: tuple[tuple[str, str, str], ...]


def opened(values: Mapping[str, str]) -> str:
    """What the form carries: its values as they are now."""
    return json.dumps(_plain(values), sort_keys=True)


def look(base: str | None, now: Mapping[str, str], typed: Mapping[str, str]) -> Meanwhile | None:
    """What changed since `base`; None for nothing that makes a difference to what was typed."""
    before = _read(base)
    if before is None or before == _plain(now):
        return None
    values, current, mine = dict(typed), _plain(now), _plain(typed)
    taken, kept = [], []
    for name in {**before, **current}:
        was, is_now, typed_now = before.get(name, ""), current.get(name, ""), mine.get(name, "")
        if is_now in (was, typed_now):
            continue
        if typed_now == was:
            values[name] = is_now
            taken.append((_word(name), _told(was), _told(is_now)))
        else:
            kept.append((_word(name), _told(typed_now), _told(is_now)))
    return Meanwhile(values, tuple(taken), tuple(kept)) if taken or kept else None


def _read(base: str | None) -> dict[str, str] | None:
    """The values a form was opened with; None where it says none."""
    if not base or len(base) > _LONGEST:
        return None
    try:
        found: Any = json.loads(base)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        return None
    return found


def _plain(values: Mapping[str, str]) -> dict[str, str]:
    """Without what a browser adds: other ends of lines, spaces around; and without fields that say nothing."""
    told = {name: "\n".join(value.strip().splitlines()) for name, value in values.items() if name not in _OURS}
    return {name: value for name, value in told.items() if value}


def _word(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()


def _told(value: str) -> str:
    """A value as people read it; a row of a table is a mapping in JSON."""
    if value.startswith("{"):
        try:
            parts: Any = json.loads(value)
        except ValueError:
            return value
        return ", ".join(str(part) for part in parts.values() if part)
    return value.replace("\n", "; ")
