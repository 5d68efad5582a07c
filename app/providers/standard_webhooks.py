"""Standard Webhooks: HMAC-SHA256 over `id.time.body`, fresh within five minutes in both directions.

The specification's key is what a secret's base64 says after `whsec_`. Polar's secrets from before September 2026 are
used as they are written instead, prefix and all; nobody can tell the two apart, so both keys of a secret are tried.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from app.providers.errors import BadSignature

ID, TIME, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = 300  # seconds, either way
SHORTEST_SECRET = 16  # characters, and bytes of a key that base64 tells
_PREFIX = "whsec_"
_LONGEST = 4096  # of a header: a few signatures at most, while a secret is being replaced


def check(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], *, now: int) -> str:
    """The event's id, if one of our secrets signed exactly this, lately. Raises BadSignature with the reason."""
    given = {name.lower(): value for name, value in headers.items()}
    event_id, stamp, signatures = (given.get(name, "") for name in (ID, TIME, SIGNATURE))
    if not all(0 < len(value) <= _LONGEST and value.isascii() for value in (event_id, stamp, signatures)):
        raise BadSignature("The webhook-id, webhook-timestamp and webhook-signature headers are not all there.")
    if len(event_id) > 255 or not event_id.isprintable() or not stamp.isdigit() or len(stamp) > 12:
        raise BadSignature("The webhook-id or the webhook-timestamp is none.")
    # The signature first: an answer about the clock would tell a forger that the rest was right.
    signed = f"{event_id}.{stamp}.".encode() + body
    told = [part.removeprefix("v1,") for part in signatures.split() if part.startswith("v1,")]
    keys = [key for secret in secrets for key in keys_of(secret)]
    if not any(_matches(signed, key, each) for key in keys for each in told):
        raise BadSignature("No signature matches.")
    if abs(now - int(stamp)) > TOLERANCE:
        raise BadSignature("The signature is too old or from the future.")
    return event_id


def keys_of(secret: str) -> list[bytes]:
    """Every key this secret may stand for; none that is short enough to guess."""
    keys = [secret.encode()] if len(secret.strip()) >= SHORTEST_SECRET else []
    try:
        told = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return keys
    return [told, *keys] if secret.startswith(_PREFIX) and len(told) >= SHORTEST_SECRET else keys


def signature(body: bytes, key: bytes, *, event_id: str, at: int) -> str:
    """What a sender with this key puts into the header."""
    signed = f"{event_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _matches(signed: bytes, key: bytes, given: str) -> bool:
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    return hmac.compare_digest(expected, given.encode())
