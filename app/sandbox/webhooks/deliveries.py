"""Deliveries: one event on its way to one endpoint, and what the console may do to it.

States: `pending` (sent when due), `held` (waits for the console), `delivered`, `gave_up` (out of attempts),
`dropped` (lost on purpose). All times are epoch seconds of the sandbox's clock, except the lease, which is real.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from app.sandbox.clock import real_now
from app.sandbox.tx import Tx

MODES = ("normal", "hold", "duplicate", "drop")
_LEASE = 60
_ANYWHERE = 1 << 30
_by_chance = random.SystemRandom()


@dataclass(frozen=True)
class Delivery:
    """A row of the outbox."""

    id: int
    event: str
    endpoint: str
    state: str
    due: int
    attempts: int


def mode(tx: Tx) -> str:
    """What becomes of new deliveries: one of MODES."""
    return tx.setting("delivery_mode", "normal")


def queue(tx: Tx, event: str, endpoint: str) -> None:
    """Put an event in the outbox, once or twice, as the mode and chance have it."""
    now_mode = mode(tx)
    state = {"hold": "held", "drop": "dropped"}.get(now_mode, "pending")
    again = now_mode == "duplicate" or _by_chance.randrange(100) < tx.config.duplicate_percent
    for _ in range(2 if again and state == "pending" else 1):
        _insert(tx, event, endpoint, state)


def send_again(tx: Tx, delivery: int, times: int = 1) -> None:
    """Queue the same event for the same endpoint anew; the first delivery keeps its story."""
    row = get(tx, delivery)
    for _ in range(times if row else 0):
        _insert(tx, row.event, row.endpoint, "pending")  # type: ignore[union-attr]  # the range is empty without a row


def send_now(tx: Tx, delivery: int) -> None:
    """Whatever became of it: let it go out at once."""
    tx.sql.execute(
        "UPDATE deliveries SET state = 'pending', due = ?, leased_until = 0 WHERE id = ?", (tx.now, delivery)
    )


def hold(tx: Tx, delivery: int) -> None:
    """Keep one back until it is let go."""
    tx.sql.execute("UPDATE deliveries SET state = 'held' WHERE id = ? AND state = 'pending'", (delivery,))


def drop(tx: Tx, delivery: int) -> None:
    """Lose one, as networks do."""
    tx.sql.execute("UPDATE deliveries SET state = 'dropped' WHERE id = ? AND state IN ('pending', 'held')", (delivery,))


def shuffle_held(tx: Tx) -> None:
    """Deal the held ones new places in the line."""
    held = [row[0] for row in tx.sql.execute("SELECT id FROM deliveries WHERE state = 'held'")]
    _by_chance.shuffle(held)
    for place, delivery in enumerate(held):
        tx.sql.execute("UPDATE deliveries SET position = ? WHERE id = ?", (place, delivery))


def release_held(tx: Tx) -> None:
    """Let all held ones go, in the order of their places."""
    tx.sql.execute("UPDATE deliveries SET state = 'pending', due = ?, leased_until = 0 WHERE state = 'held'", (tx.now,))


def set_mode(tx: Tx, wanted: str) -> None:
    """Decide what becomes of new deliveries. Raises ValueError for a word that is not one of MODES."""
    if wanted not in MODES:
        raise ValueError(f"{wanted!r} is not one of {', '.join(MODES)}")
    tx.set("delivery_mode", wanted)


def claim_due(tx: Tx) -> Delivery | None:
    """Take the first delivery that is due; nobody else will take it while the lease lasts."""
    row = tx.sql.execute(
        """UPDATE deliveries SET leased_until = :lease WHERE id = (
             SELECT id FROM deliveries WHERE state = 'pending' AND due <= :now AND leased_until < :real
             ORDER BY due, position, id LIMIT 1)
           RETURNING id, event, endpoint, state, due, attempts""",
        {"lease": real_now() + _LEASE, "now": tx.now, "real": real_now()},
    ).fetchone()
    return Delivery(*row) if row else None


def record_attempt(tx: Tx, delivery: Delivery, status: int | None, said: str, took_ms: int) -> None:
    """Keep what the endpoint answered; 2xx ends the delivery, anything else puts it off or gives it up."""
    tx.sql.execute(
        "INSERT INTO attempts (delivery, at, status, said, took_ms) VALUES (?, ?, ?, ?, ?)",
        (delivery.id, tx.now, status, said, took_ms),
    )
    waits, tried = tx.config.retry_after, delivery.attempts + 1
    if status is not None and 200 <= status < 300:
        state, due = "delivered", delivery.due
    elif tried > len(waits):
        state, due = "gave_up", delivery.due
    else:
        state, due = "pending", tx.now + waits[tried - 1]
    # A delivery that the console held or dropped while it was under way keeps that state unless it arrived.
    tx.sql.execute(
        """UPDATE deliveries SET attempts = :tried, due = :due, leased_until = 0,
             state = CASE WHEN state = 'pending' OR :state = 'delivered' THEN :state ELSE state END WHERE id = :id""",
        {"tried": tried, "due": due, "state": state, "id": delivery.id},
    )


def get(tx: Tx, delivery: int) -> Delivery | None:
    """One row of the outbox, or None."""
    row = tx.sql.execute(
        "SELECT id, event, endpoint, state, due, attempts FROM deliveries WHERE id = ?", (delivery,)
    ).fetchone()
    return Delivery(*row) if row else None


def undelivered(tx: Tx, event: str) -> int:
    """How many endpoints have not taken this event yet."""
    query = "SELECT count(*) FROM deliveries WHERE event = ? AND state IN ('pending', 'held')"
    return int(tx.sql.execute(query, (event,)).fetchone()[0])


def _insert(tx: Tx, event: str, endpoint: str, state: str) -> None:
    # Within one second the place is a matter of chance, so that no receiver comes to rely on an order.
    place = _by_chance.randrange(_ANYWHERE) if tx.config.shuffle else 0
    tx.sql.execute(
        "INSERT INTO deliveries (event, endpoint, state, due, position) VALUES (?, ?, ?, ?, ?)",
        (event, endpoint, state, tx.now, place),
    )
