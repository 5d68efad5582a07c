"""The sandbox's own SQLite file: API objects as JSON, and the lists that surround them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, object TEXT NOT NULL,
    body TEXT NOT NULL, hidden TEXT NOT NULL DEFAULT '{}') STRICT;
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (object, seq);
CREATE INDEX IF NOT EXISTS objects_by_customer ON objects (object, json_extract(body, '$.customer'), seq);
CREATE INDEX IF NOT EXISTS objects_by_payment ON objects (object, json_extract(body, '$.payment_intent'), seq);
CREATE INDEX IF NOT EXISTS invoices_by_subscription ON objects
    (json_extract(body, '$.parent.subscription_details.subscription'), seq) WHERE object = 'invoice';
CREATE INDEX IF NOT EXISTS payments_by_invoice ON objects
    (json_extract(body, '$.invoice'), seq) WHERE object = 'invoice_payment';
CREATE INDEX IF NOT EXISTS invoices_by_payment ON objects
    (json_extract(body, '$.payment.payment_intent'), seq) WHERE object = 'invoice_payment';
CREATE INDEX IF NOT EXISTS credit_notes_by_invoice ON objects
    (json_extract(body, '$.invoice'), seq) WHERE object = 'credit_note';
CREATE INDEX IF NOT EXISTS prices_by_key ON objects (json_extract(body, '$.lookup_key'), seq) WHERE object = 'price';
CREATE INDEX IF NOT EXISTS codes_by_text ON objects
    (json_extract(body, '$.code'), seq) WHERE object = 'promotion_code';
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, request_id TEXT NOT NULL, status INTEGER NOT NULL,
    body TEXT NOT NULL, created INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, endpoint TEXT NOT NULL, state TEXT NOT NULL,
    due INTEGER NOT NULL, position INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    leased_until INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due, position);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, delivery INTEGER NOT NULL, at INTEGER NOT NULL,
    status INTEGER, said TEXT NOT NULL, took_ms INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS attempts_by_delivery ON attempts (delivery);
CREATE TABLE IF NOT EXISTS timers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, due INTEGER NOT NULL, kind TEXT NOT NULL, object TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS timers_due ON timers (due);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


class Store:
    """Opens connections; one per transaction, so that no thread ever waits on another's."""

    def __init__(self, path: Path | str) -> None:
        self._path = Path(path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._one_writer = threading.Lock()  # cheaper than letting threads meet SQLite's busy wait
        # Held open so that the write-ahead log is not folded in after every single request.
        self._keeper = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._keeper.execute("PRAGMA journal_mode = WAL")
        self._keeper.execute("PRAGMA synchronous = NORMAL")
        self._keeper.executescript("BEGIN;" + _TABLES + "COMMIT;")  # one write to disk instead of one per table

    def close(self) -> None:
        """Let go of the file; transactions opened later still work."""
        self._keeper.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: all of it is kept, or nothing when the block raises."""
        with self._one_writer, self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view; nothing may be written."""
        with self._connection() as connection:
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=10)
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            yield connection
        finally:
            connection.close()
