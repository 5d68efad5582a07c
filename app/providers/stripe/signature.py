"""The Stripe-Signature header: HMAC-SHA256 over `time.body`, fresh within five minutes in both directions.

Checked here and not by the SDK, because the SDK takes a timestamp ten years ahead and dies on bytes that are not UTF-8.
"""

from __future__ import annotations

import hashlib
import hmac

from app.providers.errors import BadSignature

TOLERANCE = 300  # seconds, either way
_LONGEST_HEADER = 4096  # a few signatures at most, while a secret is being rotated


def check(body: bytes, header: str | None, secrets: tuple[str, ...], *, now: int) -> None:
    """Returns only if one of our secrets signed exactly these bytes, lately. Raises BadSignature with the reason."""
    stamp, signatures = _parsed(header)
    # The signature first: an answer about the clock would tell a forger that the rest was right.
    signed = stamp.encode() + b"." + body
    if not any(_matches(signed, secret, given) for secret in secrets for given in signatures):
        raise BadSignature("No signature matches.")
    if abs(now - int(stamp)) > TOLERANCE:
        raise BadSignature("The signature is too old or from the future.")


def _matches(signed: bytes, secret: str, given: str) -> bool:
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.encode())


def _parsed(header: str | None) -> tuple[str, list[str]]:
    """The one timestamp, as it was signed, and the v1 signatures. Other schemes (v0) prove nothing."""
    if not header or len(header) > _LONGEST_HEADER or not header.isascii():
        raise BadSignature("There is no usable Stripe-Signature header.")
    stamps, signatures = [], []
    for part in header.split(","):
        scheme, _, value = part.strip().partition("=")
        if scheme == "t":
            stamps.append(value)
        elif scheme == "v1":
            signatures.append(value)
    if len(stamps) != 1 or not stamps[0].isdigit() or len(stamps[0]) > 12:
        raise BadSignature("The signature names no single time.")
    return stamps[0], signatures
