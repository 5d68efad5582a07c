"""The outline of a page: what is left of it when the words are taken out and names are numbered.

Reading HTML by the standard's rules takes ten times as long as making it. Two pages of one outline keep or break the
house rules together, so each outline is read once.
"""

from __future__ import annotations

import re

# Between tags: nothing, blank or words. An ampersand that no escaping wrote keeps its text, as it may be a fault.
_TEXT = re.compile(r">([^<]*)")
_ESCAPED = re.compile(r"&(?:amp|lt|gt|quot|nbsp|#\d+|#x[0-9a-fA-F]+);")
# What these say to a reader breaks no rule.
_SAID = re.compile(r'\b(value|content|title|datetime|placeholder|aria-label|alt|x|y|width|height|d)="[^"]*"')
_NAMES = re.compile(r"(?<![a-z])[0-9]+|[a-z]{2,4}_[0-9a-z]{20,}")
_TAG = re.compile(r"<[^>]*>")


def outline(html: str) -> str:
    """The page without its words; equal names stay equal, and different ones different."""
    numbers: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], f"#{len(numbers)}")

    def tag(found: re.Match[str]) -> str:
        return _NAMES.sub(number, _SAID.sub(r"\1", found[0]))

    return _TAG.sub(tag, _TEXT.sub(_kind, html))


def _kind(found: re.Match[str]) -> str:
    words = found[1]
    if not words.strip():
        return ">"
    return found[0] if "&" in _ESCAPED.sub("", words) else ">w"
