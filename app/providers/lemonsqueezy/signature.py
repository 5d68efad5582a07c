"""The X-Signature header: HMAC-SHA256 of the raw body in hex. Nothing in it says when.

So a signed body is good for ever, and what keeps it from counting twice is the inbox, whose rows are never deleted.
"""

from __future__ import annotations

import hashlib
import hmac

from app.providers.errors import BadSignature

SHORTEST_SECRET = 16
_LENGTH = 64  # of SHA-256 in hex


def check(body: bytes, header: str | None, secrets: tuple[str, ...]) -> None:
    """Returns only if one of our secrets signed exactly these bytes. Raises BadSignature."""
    given = (header or "").strip()
    if len(given) != _LENGTH or not given.isascii():
        raise BadSignature("There is no usable X-Signature header.")
    if not any(hmac.compare_digest(_signed(body, secret), given.lower().encode()) for secret in secrets):
        raise BadSignature("No signature matches.")


def _signed(body: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
