"""Descriptions and reasons: short plain text kept with an entry for good, so it is checked before it gets there."""

from __future__ import annotations

import unicodedata

from app.errors import Invalid

DESCRIPTION_MOST = 200
REASON_LEAST, REASON_MOST = 3, 500

# Cc are control characters (a null byte breaks PostgreSQL's JSON), Cs lone surrogates (they cannot be encoded);
# Co and Cn have no meaning anyone agreed on.
_REFUSED = {"Cc", "Cs", "Co", "Cn"}
_SPACES = str.maketrans("\r\n\t", "   ")


def plain(text: str, *, field: str, least: int, most: int) -> str:
    """The text trimmed, on one line. Raises Invalid when it is too short, too long or not printable."""
    line = " ".join(text.translate(_SPACES).split(" ")).strip()
    if any(unicodedata.category(character) in _REFUSED for character in line):
        raise Invalid("Use printable characters only.", field=field)
    if not least <= len(line) <= most:
        raise Invalid(f"Write {least} to {most} characters.", field=field, minimum=least, maximum=most)
    return line


def description(text: str | None, otherwise: str) -> str:
    """What the customer will read beside the amount: up to 200 characters, or our own words when none were given."""
    if text is None:
        return otherwise
    return plain(text, field="description", least=1, most=DESCRIPTION_MOST)


def reason(text: str) -> str:
    """Why staff moved money by hand: 3 to 500 characters, always asked for (SPEC C6)."""
    return plain(text, field="reason", least=REASON_LEAST, most=REASON_MOST)
