"""Where rate limits are counted without Redis: a table of our own database, so that all processes share one count."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from limits.storage import Storage
from sqlalchemy import Engine, case, delete, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import SQLAlchemyError

from app import clock
from app.http.tables import RateCount

SCHEME = "purser"
_SWEEP_EVERY = 200  # on average; old windows are only litter


class DatabaseStorage(Storage):
    """One row per limit and window. Each count is its own short transaction, so it stands whatever the request does.

    A lost count after a power cut would let someone try again, no more; so it does not wait for the disk on
    PostgreSQL. On SQLite it shares the durable connections.
    """

    STORAGE_SCHEME = [SCHEME]

    def __init__(self, uri: str | None = None, *, engine: Engine, wrap_exceptions: bool = False, **_: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._engine = engine.execution_options(writes=True)
        self._insert: Any = sqlite_insert if engine.dialect.name == "sqlite" else postgresql_insert

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` more in the key's window, or in a new one of `expiry` seconds; the count after it."""
        return self.count(key, expiry, amount)[0]

    def count(self, key: str, expiry: int, amount: int = 1) -> tuple[int, datetime]:
        """The same, with the instant at which the window ends: one statement for both."""
        now = clock.now()
        over = RateCount.ends_at <= now
        ends_at = now + timedelta(seconds=expiry)
        put = self._insert(RateCount).values(key=key, count=amount, ends_at=ends_at)
        put = put.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": case((over, amount), else_=RateCount.count + amount),
                "ends_at": case((over, ends_at), else_=RateCount.ends_at),
            },
        ).returning(RateCount.count, RateCount.ends_at)
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")
            if secrets.randbelow(_SWEEP_EVERY) == 0:
                connection.execute(delete(RateCount).where(RateCount.ends_at < now))
            counted, until = connection.execute(put).one()
            return int(counted), until

    def get(self, key: str) -> int:
        """The count of the key's window, 0 when there is none now."""
        living = select(RateCount.count).where(RateCount.key == key, RateCount.ends_at > clock.now())
        with self._engine.connect() as connection:
            return int(connection.scalar(living) or 0)

    def get_expiry(self, key: str) -> float:
        """When the key's window ends, in seconds since 1970."""
        with self._engine.connect() as connection:
            ends_at = connection.scalar(select(RateCount.ends_at).where(RateCount.key == key))
        return (ends_at or clock.now()).timestamp()

    def check(self) -> bool:
        """The database is asked on every request anyway."""
        return True

    def reset(self) -> int | None:
        """Forget every count."""
        with self._engine.begin() as connection:
            return int(connection.execute(delete(RateCount)).rowcount)

    def clear(self, key: str) -> None:
        """Forget one count."""
        with self._engine.begin() as connection:
            connection.execute(delete(RateCount).where(RateCount.key == key))
