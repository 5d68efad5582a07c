"""PostgreSQL databases for tests, made from a template and lent again once they are wiped.

Making one costs ten times what wiping one does. A database is only lent again when that is safe: nothing changed its
schema (an event trigger notes every statement that does) and nobody unknown is connected to it. Else it is dropped.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from app import schema

MOST_LOANS = 200  # deleted rows stay in the files for a while; a new database has none
MOST_ROWS = 20_000  # the same, after one test with many

# Everything is in a schema of its own, which no test looks at.
NOTES = """
CREATE SCHEMA lending;
CREATE TABLE lending.changed (what text NOT NULL);
CREATE FUNCTION lending.note() RETURNS event_trigger LANGUAGE plpgsql AS
  'BEGIN INSERT INTO lending.changed VALUES (tg_tag); END';
"""
WIPE = """
CREATE FUNCTION lending.wipe(known integer[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  gone bigint;
  total bigint := 0;
BEGIN
  IF EXISTS (SELECT FROM lending.changed) THEN RETURN -1; END IF;
  IF EXISTS (
    SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
    AND pid <> pg_backend_pid() AND (state <> 'idle' OR pid <> ALL (known))
  ) THEN RETURN -2; END IF;
  PERFORM set_config('session_replication_role', 'replica', true), set_config('lock_timeout', '2s', true);
  {statements}
  DELETE FROM lending.changed;
  RETURN total;
END $$;
CREATE EVENT TRIGGER lending_note ON ddl_command_end EXECUTE FUNCTION lending.note();
"""
OTHERS = -2
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"
ALWAYS = "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND tgenabled = 'A'"
SEQUENCES = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'"


class Lent:
    """One test's database: its URL, and what its lender needs to wipe it."""

    def __init__(self, url: str, drop: Callable[[], None]) -> None:
        self.url = url
        self.loans = 0
        self._drop = drop
        self._connection: Any = None

    @property
    def connection(self) -> Any:
        """The lender's own, kept from one loan to the next."""
        if self._connection is None:
            self._connection = connected(self.url)
        return self._connection

    def close(self) -> None:
        """Drop it."""
        if self._connection is not None:
            self._connection.close()
        self._drop()


class Lender:
    """Makes databases on a server, from a template with the tables in it, and takes them back."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT", pool_size=1)
        self._template = self._named()
        self._run(f"CREATE DATABASE {self._template}")
        schema.upgrade(self._address(self._template))
        self._wipes = self._can_wipe()
        self._free: list[Lent] = []

    def lend(self) -> Lent:
        """A database with all tables and no rows; give it back, or `close()` it to drop it."""
        lent = self._free.pop() if self._free else self.database()
        lent.loans += 1
        return lent

    def take_back(self, lent: Lent, known: set[int]) -> bool:
        """Wipe it and keep it for the next one to ask, or drop it and say False. `known` are the server processes that
        serve the engines the next test will use as well."""
        if self._wipes and lent.loans < MOST_LOANS and self._is_wiped(lent, known):
            self._free.append(lent)
            return True
        return False

    def database(self) -> Lent:
        """A database of its own with all tables; `close()` drops it."""
        # wal_log: a tenth of the time of copying files, for a template this small.
        return self._made(f"TEMPLATE {self._template} STRATEGY wal_log")

    def empty_database(self) -> Lent:
        """A database without tables."""
        return self._made("")

    def close(self) -> None:
        for lent in self._free:
            lent.close()
        self._run(f"DROP DATABASE IF EXISTS {self._template} WITH (FORCE)")
        self._engine.dispose()

    def _made(self, how: str) -> Lent:
        name = self._named()
        self._run(f"CREATE DATABASE {name} {how}")
        return Lent(self._address(name), lambda: self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))

    def _can_wipe(self) -> bool:
        """Put into the template what wiping needs. False where this role may not: then each test gets a new one."""
        with connected(self._address(self._template)) as connection:
            if not connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()[0]:
                return False
            connection.execute(NOTES)
            connection.execute(WIPE.replace("{statements}", "\n  ".join(_wiping(connection))))
            return True

    def _is_wiped(self, lent: Lent, known: set[int]) -> bool:
        for _ in range(20):  # a connection that was closed just now may still be on its way out
            try:
                gone = lent.connection.execute("SELECT lending.wipe(%s)", [list(known)]).fetchone()[0]
            except psycopg.OperationalError:  # somebody holds a lock
                return False
            if gone != OTHERS:
                return 0 <= gone <= MOST_ROWS
            time.sleep(0.005)
        return False

    def _run(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(statement))

    def _address(self, name: str) -> str:
        return self.url.set(database=name).render_as_string(hide_password=False)

    @staticmethod
    def _named() -> str:
        return f"purser_test_{uuid.uuid4().hex[:16]}"


def connected(url: str) -> Any:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def _wiping(connection: Any) -> list[str]:
    """The statements that empty each table, and fill it again with what the migrations had put there."""
    statements = []
    for (table,) in connection.execute(TABLES).fetchall():
        if table == "alembic_version":
            continue
        disable, enable = past_triggers(connection, table)
        statements.append(
            f"IF EXISTS (SELECT FROM public.{table}) THEN {disable} DELETE FROM public.{table}; "
            f"GET DIAGNOSTICS gone = ROW_COUNT; total := total + gone; {enable} END IF;"
        )
        if connection.execute(f"SELECT count(*) FROM public.{table}").fetchone()[0]:
            connection.execute(f"CREATE TABLE lending.{table} AS TABLE public.{table}")
            statements.append(f"INSERT INTO public.{table} TABLE lending.{table};")
    statements += [f"PERFORM setval('public.{name}', 1, false);" for (name,) in connection.execute(SEQUENCES)]
    return statements


def past_triggers(connection: Any, table: str) -> tuple[str, str]:
    """What turns off the triggers that fire even for a replica, and on again; most tables have none."""
    always = [name for (name,) in connection.execute(ALWAYS, [table])]
    if not always:
        return "", ""
    off = ", ".join(f"DISABLE TRIGGER {name}" for name in always)
    on = ", ".join(f"ENABLE ALWAYS TRIGGER {name}" for name in always)
    return f"ALTER TABLE public.{table} {off};", f"ALTER TABLE public.{table} {on};"
