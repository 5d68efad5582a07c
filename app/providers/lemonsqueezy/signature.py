"""The X-Signature header: HMAC-SHA256 of the raw body in hex. Nothing in it says when."""

from __future__ import annotations

from collections.abc import Sequence

from app.providers import bodies

SHORTEST_SECRET = 16


def check(body: bytes, header: str | None, secrets: Sequence[str]) -> None:
    """Returns only if one of our secrets signed exactly these bytes. Raises BadSignature."""
    bodies.check_hex(body, (header or "").strip(), secrets, header="X-Signature")
