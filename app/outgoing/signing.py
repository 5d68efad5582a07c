"""Signatures as Standard Webhooks asks for them: HMAC-SHA256 over id, time and body, base64, versioned. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
_BYTES = 24  # the standard asks for 24 to 64


def new_secret() -> str:
    """A fresh secret, as receivers' libraries take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def headers(keys: Sequence[str], message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers of a message sent at `at`, seconds since 1970. Several secrets sign while one is replaced."""
    signed = " ".join(signature(key, message_id, at, body) for key in keys)
    return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": signed}


def signature(secret: str, message_id: str, at: int, body: bytes) -> str:
    """One signature: the version, a comma, and the code of `id.timestamp.body`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    code = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(code).decode()
