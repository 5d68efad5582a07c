"""Creem's signatures: the creem-signature header, or, where all three of its headers are there, Standard Webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.providers import bodies, standard_webhooks

HEADER = "creem-signature"
_STANDARD = (standard_webhooks.ID, standard_webhooks.TIME, standard_webhooks.SIGNATURE)


def check(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], *, now: int) -> None:
    """Returns only if one of our secrets signed exactly these bytes. Raises BadSignature."""
    given = {name.lower(): value for name, value in headers.items()}
    if all(given.get(name) for name in _STANDARD):
        standard_webhooks.check(body, given, secrets, now=now)
        return
    bodies.check_hex(body, given.get(HEADER, "").strip().removeprefix("sha256="), secrets, header=HEADER)
