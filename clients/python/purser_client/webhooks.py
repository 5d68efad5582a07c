"""Messages that Purser posts to your endpoint: whether they are genuine, and what they say (Standard Webhooks)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from purser_client.errors import WebhookInvalid

TOLERANCE = 300  # seconds between the signature and now


class Headers(Protocol):
    """The headers as a dictionary, or as any web framework has them."""

    def items(self) -> Iterable[tuple[str, str]]: ...


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `id` is the same each time it is sent: keep it, and ignore one you have.

    `customer` is Purser's id, `external_id` the name you gave the customer; `data` is as docs/webhooks.md says by type.
    """

    id: str
    type: str
    timestamp: str
    customer: str
    external_id: str | None
    data: Mapping[str, Any]


def verify_webhook(
    secret: str | Sequence[str],
    headers: Headers,
    body: bytes,
    *,
    tolerance: int = TOLERANCE,
    now: float | None = None,
) -> Event:
    """The event, once its signature and age are checked. Raises WebhookInvalid.

    `body` are the bytes as they came, before anything parses them; `secret` may be several while one is replaced.
    """
    told = {name.lower(): value for name, value in headers.items()}
    message_id, sent = told.get("webhook-id", ""), told.get("webhook-timestamp", "")
    if not message_id or not (sent.isascii() and sent.isdigit()):
        raise WebhookInvalid("The message has no webhook-id or no webhook-timestamp.")
    if abs((time.time() if now is None else now) - int(sent)) > tolerance:
        raise WebhookInvalid("The message is too old, or from the future.")
    signed = f"{message_id}.{sent}.".encode() + body
    secrets = (secret,) if isinstance(secret, str) else tuple(secret)
    wanted = [_signature(each, signed) for each in secrets]
    given = [each.encode() for each in told.get("webhook-signature", "").split(" ")]
    if not any(hmac.compare_digest(ours, theirs) for ours in wanted for theirs in given):
        raise WebhookInvalid("The signature is not one of this secret.")
    return _event(message_id, body)


def _signature(secret: str, signed: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error as wrong:
        raise ValueError("A webhook secret is whsec_ and base64.") from wrong
    return b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())


def _event(message_id: str, body: bytes) -> Event:
    try:
        told = json.loads(body)
        data = told["data"]
        return Event(message_id, told["type"], told["timestamp"], data["customer"], data.get("external_id"), data)
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise WebhookInvalid("The message is not one of Purser's.") from wrong
