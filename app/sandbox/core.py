"""One running sandbox: its store, its clock and what it remembers between requests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.sandbox.clock import Clock, FileOffset, OwnOffset
from app.sandbox.config import SandboxConfig
from app.sandbox.spec import SpecCheck, pinned
from app.sandbox.store import Store
from app.sandbox.tx import Cause, Tx

log = logging.getLogger(__name__)


class NotAsDescribed(Exception):
    """An answer or event of ours breaks Stripe's description: a fault of the sandbox, never of its caller."""


class Sandbox:
    """Shared by every request and by the deliverer; safe to use from many threads."""

    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.store = Store(config.database)
        self.spec: SpecCheck = pinned()
        own = OwnOffset(self._read_offset, self._write_offset)
        self.clock = Clock(FileOffset(Path(config.clock_file)) if config.clock_file else own, config.still_at)
        self.news = threading.Event()  # set after each commit that may have queued a delivery
        self.in_flight: set[str] = set()  # idempotency keys of requests that are running now
        self.guard = threading.Lock()  # of in_flight
        self.faults: list[str] = []  # answers and events that were not what Stripe describes
        self._asked = ""  # the address that people last used, for what happens while nobody asks

    @contextmanager
    def writing(self, cause: Cause | None = None, root: str = "") -> Iterator[Tx]:
        """A write transaction at the present moment of the clock."""
        with self.store.writing() as connection:
            tx = Tx(connection, self.config, self.clock.now(), self.root(root), cause or Cause())
            yield tx
            self.report(tx.faults)
        self.news.set()

    @contextmanager
    def reading(self, root: str = "") -> Iterator[Tx]:
        """A read transaction at the present moment of the clock."""
        with self.store.reading() as connection:
            yield Tx(connection, self.config, self.clock.now(), self.root(root), Cause())

    def report(self, faults: list[str]) -> None:
        """Note where we are not what Stripe describes. Raises NotAsDescribed when strict, so nothing of it is kept."""
        self.faults += faults
        for fault in faults:
            log.warning("Not as Stripe describes: %s", fault)
        if faults and self.config.strict:
            raise NotAsDescribed("; ".join(faults))

    def root(self, asked: str) -> str:
        """Where people reach our pages: as configured, else as the present or the last request came."""
        self._asked = asked or self._asked
        return (self.config.base_url or self._asked).rstrip("/")

    def close(self) -> None:
        """Let go of the database file."""
        self.store.close()

    def _read_offset(self) -> int:
        with self.store.reading() as connection:
            row = connection.execute("SELECT value FROM settings WHERE name = 'clock_offset'").fetchone()
        return int(row[0]) if row else 0

    def _write_offset(self, seconds: int) -> None:
        with self.store.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO settings (name, value) VALUES ('clock_offset', ?)", (str(seconds),)
            )
