"""Sealing: short secrets that must be read again, kept so that the database alone does not tell them.

Each has its own nonce. HMAC-SHA256 under a key of its own for this purpose makes the bits it is mixed with, and a
second one the tag that is checked before anything is read: encrypt, then authenticate, with the standard library's
primitives. What is sealed is at most one block long, so there is no mode of operation to get wrong.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

LONGEST = 32  # bytes; one block of SHA-256
_NONCE = 16


def seal(key: str, purpose: str, plain: bytes) -> str:
    """The secret, readable with this key for this purpose alone. `purpose` names the row: rows cannot be swapped."""
    assert len(plain) <= LONGEST, "one block and no more"
    nonce = secrets.token_bytes(_NONCE)
    body = _mixed(key, purpose, nonce, plain)
    return urlsafe_b64encode(nonce + _tag(key, purpose, nonce + body) + body).decode()


def unseal(keys: Sequence[str], purpose: str, sealed: str) -> tuple[bytes, bool] | None:
    """The secret, and whether it was sealed under an older key than the first; None when no key opens it."""
    try:
        raw = urlsafe_b64decode(sealed)
    except ValueError:
        return None
    nonce, tag, body = raw[:_NONCE], raw[_NONCE : _NONCE + 32], raw[_NONCE + 32 :]
    for number, key in enumerate(keys):
        if hmac.compare_digest(tag, _tag(key, purpose, nonce + body)):
            return _mixed(key, purpose, nonce, body), number > 0
    return None


def _mixed(key: str, purpose: str, nonce: bytes, text: bytes) -> bytes:
    stream = hmac.digest(_derived(key, "read", purpose), nonce, hashlib.sha256)
    return bytes(one ^ other for one, other in zip(text, stream, strict=False))


def _tag(key: str, purpose: str, text: bytes) -> bytes:
    return hmac.digest(_derived(key, "check", purpose), text, hashlib.sha256)


def _derived(key: str, use: str, purpose: str) -> bytes:
    return hmac.digest(key.encode(), f"purser seal 1|{use}|{purpose}".encode(), hashlib.sha256)
