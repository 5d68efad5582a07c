"""Idempotency keys: the first answer to a key is the answer to it, for a day."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.sandbox.config import DAY
from app.sandbox.core import Sandbox
from app.sandbox.fault import Fault, refused
from app.sandbox.tx import Tx

_LONGEST = 255


@dataclass(frozen=True)
class Answer:
    """What a call was told."""

    status: int
    body: str
    request_id: str
    replayed: bool = False


def fingerprint(path: str, params: dict[str, Any]) -> str:
    """The same for the same request, whatever the order of its parameters."""
    return hashlib.sha256(json.dumps([path, params], sort_keys=True).encode()).hexdigest()


@contextmanager
def in_flight(sandbox: Sandbox, key: str | None) -> Iterator[None]:
    """Only one request at a time may carry a key. Raises the Fault 409 for the other one."""
    if key is None:
        yield
        return
    if not 0 < len(key) <= _LONGEST:
        raise refused(f"Idempotency keys must be between 1 and {_LONGEST} characters.", code="idempotency_key_invalid")
    with sandbox.guard:
        if key in sandbox.in_flight:
            words = f"There is currently another in-progress request using this Idempotent Key: {key}."
            raise Fault(409, "idempotency_error", words, code="idempotency_key_in_use")
        sandbox.in_flight.add(key)
    try:
        yield
    finally:
        with sandbox.guard:
            sandbox.in_flight.discard(key)


def stored(tx: Tx, key: str | None, request: str) -> Answer | None:
    """The answer this key had before, if any. Raises the Fault idempotency_error when it was for another request."""
    if key is None:
        return None
    tx.sql.execute("DELETE FROM answers WHERE created < ?", (tx.now - DAY,))
    row = tx.sql.execute("SELECT request, status, body, request_id FROM answers WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    if row[0] != request:
        raise Fault(
            400,
            "idempotency_error",
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request.",
        )
    return Answer(row[1], row[2], row[3], replayed=True)


def keep(tx: Tx, key: str | None, request: str, answer: Answer) -> None:
    """Remember an answer, in the transaction of what it tells of."""
    if key is not None:
        tx.sql.execute(
            """INSERT INTO answers (key, request, request_id, status, body, created) VALUES (?, ?, ?, ?, ?, ?)
               ON CONFLICT (key) DO NOTHING""",
            (key, request, answer.request_id, answer.status, answer.body, tx.now),
        )
