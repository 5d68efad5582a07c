"""What every body on the wire is held to, whoever sent it: strict JSON, words that are words, amounts, a signature.

Asserting is for what lies inside an event: a failed one makes the event dead, with its reason, and no money moves.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from app.providers.errors import BadPayload, BadSignature

_LARGEST = 10**12  # minor units
_HEX_LENGTH = 64  # of SHA-256


def json_object(body: bytes) -> dict[str, Any]:
    """The object these bytes are. Raises BadPayload for what is not UTF-8, not strict JSON or no object."""
    try:
        told = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadPayload("The body is not JSON.") from error
    if not isinstance(told, dict):
        raise BadPayload("The body is no event.")
    return told


def is_word(value: object, *, most: int = 255) -> bool:
    """Whether it is a short printable text of ASCII, as ids and the names of events are."""
    return isinstance(value, str) and 0 < len(value) <= most and value.isprintable() and value.isascii()


def amount(minor: Any) -> int:
    """Checks before any arithmetic: a tax below zero would make a small payment look like a large one."""
    assert type(minor) is int, "an amount is a whole number: not text, not a fraction, not true"
    assert 0 <= minor <= _LARGEST, "an amount is never negative, nor larger than anybody pays"
    return minor


def check_hex(body: bytes, given: str, secrets: Sequence[str], *, header: str) -> None:
    """Returns only if one of our secrets signed exactly these bytes: HMAC-SHA256 in hex. Raises BadSignature.

    It says nothing of the time: a signed body is good for ever, and what keeps it from counting twice is the inbox,
    whose rows are never deleted.
    """
    if len(given) != _HEX_LENGTH or not given.isascii():
        raise BadSignature(f"There is no usable {header} header.")
    told = given.lower().encode()
    if not any(hmac.compare_digest(_signed(body, secret), told) for secret in secrets):
        raise BadSignature("No signature matches.")


def _signed(body: bytes, secret: str) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
