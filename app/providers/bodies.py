"""What every body on the wire is held to, whoever sent it: strict JSON, words that are words, amounts, a signature.

Asserting is for what lies inside an event: a failed one makes the event dead, with its reason, and no money moves.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from app.money import Money
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


def id_of(known: Any) -> str:
    """Asserts that it is an id."""
    assert is_word(known), "an id is a short printable text"
    return str(known)


def money(minor: Any, currency: Any) -> Money:
    """Minor units of a currency. Asserts that they are an amount."""
    return Money(amount(minor), id_of(currency).lower())


def moment(text: Any) -> datetime:
    """An instant to the microsecond, as ISO 8601 writes it. Asserts that it is one, with its zone."""
    assert isinstance(text, str), "an instant is a text"
    found = datetime.fromisoformat(text)
    assert found.tzinfo is not None, "an instant has a zone"
    return found.astimezone(UTC)


@contextmanager
def shaped(kind: str) -> Iterator[None]:
    """For reading an event of this type. Raises BadPayload where it lacks what its type promises."""
    try:
        yield
    except (KeyError, TypeError, IndexError, ValueError, AttributeError, OverflowError, AssertionError) as error:
        raise BadPayload(f"The {kind} event is not shaped as expected.") from error


def written(event: Mapping[str, Any]) -> bytes:
    """An event as its sender would have put it on the wire, for what we asked ourselves: the same every time."""
    return json.dumps(event, separators=(",", ":"), sort_keys=True).encode()


def header(headers: Mapping[str, str], name: str) -> str:
    """The header of this name, however it is capitalised; "" where there is none."""
    return {given.lower(): value for given, value in headers.items()}.get(name.lower(), "").strip()


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
