"""Paging: opaque keyset cursors for pages, which stay right while rows arrive."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from app.errors import Invalid

_LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Pager:
    """The foot of a list: what is shown, and the addresses of the pages beside it, "" where there is none."""

    label: str
    newer: str
    older: str


def cursor(position: int) -> str:
    """A place in a list as text that promises nothing about its inside."""
    return urlsafe_b64encode(f"s{position}".encode()).rstrip(b"=").decode()


def position(text: str | None, field: str = "before") -> int | None:
    """The place a cursor names; None without one. Raises Invalid for anything we did not make."""
    if not text:
        return None
    try:
        plain = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode("ascii")
    except (ValueError, UnicodeError) as wrong:
        raise Invalid("This page link is not valid. Start again from the newest.", field=field) from wrong
    figures = plain.removeprefix("s")
    if plain == figures or not figures.isdigit() or not 0 < int(figures[:20]) <= _LARGEST:
        raise Invalid("This page link is not valid. Start again from the newest.", field=field)
    return int(figures)
