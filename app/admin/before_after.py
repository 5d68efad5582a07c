"""What a form would change, shown before it is saved: saving anything else than was shown shows it first."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

Facts = Sequence[tuple[str, str, str]]  # what, before, after; "" is nothing


def between(before: Mapping[str, str], after: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What differs of two sets of texts by name."""
    names = [*after, *(name for name in before if name not in after)]
    pairs = ((name, before.get(name, ""), after.get(name, "")) for name in names)
    return [(name, old, new) for name, old, new in pairs if old != new]


def digest(facts: Facts) -> str:
    """What was shown, in short; "" for nothing."""
    return hashlib.sha256(json.dumps(list(facts)).encode()).hexdigest()[:32] if facts else ""
