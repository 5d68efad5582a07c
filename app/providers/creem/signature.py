"""Creem's signatures: the creem-signature header, or, where all three of its headers are there, Standard Webhooks.

The first is HMAC-SHA256 of the raw body in hex and says nothing of the time: a signed body is good for ever, and what
keeps it from counting twice is the inbox, whose rows are never deleted.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from app.providers import standard_webhooks
from app.providers.errors import BadSignature

HEADER = "creem-signature"
SHORTEST_SECRET = 16
_LENGTH = 64  # of SHA-256 in hex
_STANDARD = (standard_webhooks.ID, standard_webhooks.TIME, standard_webhooks.SIGNATURE)


def check(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], *, now: int) -> None:
    """Returns only if one of our secrets signed exactly these bytes. Raises BadSignature."""
    given = {name.lower(): value for name, value in headers.items()}
    if all(given.get(name) for name in _STANDARD):
        standard_webhooks.check(body, given, secrets, now=now)
        return
    told = given.get(HEADER, "").strip().removeprefix("sha256=")
    if len(told) != _LENGTH or not told.isascii():
        raise BadSignature("There is no usable creem-signature header.")
    if not any(hmac.compare_digest(_signed(body, secret), told.lower().encode()) for secret in secrets):
        raise BadSignature("No signature matches.")


def _signed(body: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
