"""A database with very many customers and entries, made by bulk SQL: no verb is fast enough for ten million.

First the seed's people, through the real verbs. Then each table of the back office is filled by repeating one of their
rows with other ids and times, and the ledger by arithmetic: every balance, number and sum is what the verbs would have
written, which `ledger.audit` confirms where asked to.
"""

from __future__ import annotations

import json
import time
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app import ledger, schema
from app.cli import story
from app.config import Settings
from app.db import make_engine, normalised, transaction
from app.flows import audit_log
from app.invoices import seller
from app.ledger import marks
from benchmarks import many_rows

TOPUP, DEBIT, GIFT = 10_000_000, 1_000, 500  # micros
BETWEEN_TOPUPS, GIFTED, GIFT_AT = 50, 100, 7  # every 50th movement is a top-up; every 100th customer has a gift
YEAR = 365 * 86_400


def make(settings: Settings, customers: int, each: int) -> Engine:
    """So many customers with `each` wallet entries, and what belongs to them, in an empty database."""
    schema.upgrade(settings.database_url)
    seller.use(seller.of(settings))
    engine = make_engine(settings.database_url)
    with Session(engine, expire_on_commit=False) as session:
        story.tell(session, settings)
    bare = create_engine(normalised(settings.database_url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    engine.dispose()
    _loosen(bare)
    with bare.connect() as connection:
        now = int(connection.scalar(text(_NOW[engine.dialect.name])))
        _ledger(connection, customers, each, now - YEAR, YEAR)
        many_rows.fill(connection, customers, now - YEAR, YEAR)
        if engine.dialect.name == "sqlite":
            connection.execute(text("PRAGMA journal_mode = WAL"))
        else:
            connection.execute(text("ALTER SYSTEM RESET ALL"))
            connection.execute(text("SELECT pg_reload_conf()"))
    with Session(engine, expire_on_commit=False) as session:
        _work_off(session)
    if engine.dialect.name == "postgresql":  # its autovacuum would have; in SQLite nobody counts for the planner
        with bare.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))
    with Session(engine, expire_on_commit=False) as session:
        audit_log.seal_all(session)
    return engine


def customer_id(number: int) -> str:
    """The id of the customer of this number, from 1."""
    return f"cus_{number:026d}"


def _work_off(session: Session) -> None:
    """What a worker does with the legs, to the last of them.

    On PostgreSQL legs are final once all that ran when they were first seen has ended, in any database of the server:
    what its autovacuum has begun is waited for.
    """
    last = session.scalar(text(f"SELECT max({marks.number_column(session)}) FROM ledger_leg")) or 0
    for name, work in (("rollup", ledger.roll_up), ("blocks", ledger.count_blocks)):
        while marks.mark(session, name) < last:
            with transaction(session):
                done = work(session, limit=2_000_000)
            if not done:
                time.sleep(0.2)


_NOW = {"sqlite": "SELECT strftime('%s', 'now')", "postgresql": "SELECT extract(epoch FROM now())::bigint"}
_BULK = ("ledger_leg", "ledger_entry")


def _loosen(engine: Engine) -> None:
    """Let rows in that no verb wrote, quickly: it is a database to be read once and thrown away."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            for name in connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
            return
        for setting in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
        for table in inspect(engine).get_table_names():
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))


def _ledger(connection: Connection, customers: int, each: int, start: int, span: int) -> None:
    """One account, and `each` entries with two legs, for every customer; the customers take turns in time."""
    lite = connection.dialect.name == "sqlite"
    total = customers * each
    dropped = _without_indexes(connection)
    if lite:
        for pragma in (
            "journal_mode = OFF",
            "synchronous = OFF",
            "cache_size = -400000",
            "temp_store = MEMORY",
            "foreign_keys = OFF",
        ):
            connection.execute(text(f"PRAGMA {pragma}"))
    # SQLite keeps its key sorted while it fills it, so there the customers come one after the other.
    c, k = (
        (f"(n - 1) / {each} + 1", f"(n - 1) % {each} + 1")
        if lite
        else (f"(n - 1) % {customers} + 1", f"(n - 1) / {customers} + 1")
    )
    sql = many_rows.Words(lite)
    turn = f"((k - 1) * {customers} + c)"
    numbered = (
        f"SELECT c, k, {sql.id('cus', 'c')} AS customer_id, {sql.id('wtxn', turn)} AS id, "
        f"{sql.time(f'{start} + {turn} * {span} / {total}')} AS at, "
        f"CASE WHEN k % {BETWEEN_TOPUPS} = 1 THEN 'topup' WHEN k = {GIFT_AT} AND c % {GIFTED} = 0 THEN 'adjustment' "
        "ELSE 'debit' END AS kind, "
        f"(k + {BETWEEN_TOPUPS - 1}) / {BETWEEN_TOPUPS} AS topups, "
        f"CASE WHEN k >= {GIFT_AT} AND c % {GIFTED} = 0 THEN 1 ELSE 0 END AS gifts "
        f"FROM (SELECT {c} AS c, {k} AS k FROM {{series}}) numbers"
    )
    for low in range(1, total + 1, 1_000_000):
        series = numbered.format(series=sql.series(low, min(total, low + 999_999)))
        connection.execute(text(_as_text(connection, _ENTRIES.format(of=series))))
        connection.execute(text(_LEGS.format(of=series)))
    everyone = f"(SELECT n AS c FROM {sql.series(1, customers)}) s"
    last = f"SELECT c, {each} AS k, {sql.id('cus', 'c')} AS customer_id FROM {everyone}"
    for gifts, which in ((0, "<>"), (1, "=")):
        _accounts(connection, f"{last} WHERE c % {GIFTED} {which} 0", each, gifts if each >= GIFT_AT else 0)
    for statement in dropped:
        connection.execute(text(statement))


_ENTRIES = (
    "INSERT INTO ledger_entry (customer_id, id, kind, key, request_hash, occurred_at, recorded_at, data, legs) "
    "SELECT customer_id, id, kind, 'n' || k, '00000000000000000000000000000000', at, at, "
    """CAST('{{"description"\\:"A movement made for reading"}}' AS json), 2 FROM ({of}) e"""
)
_BALANCE = f"topups * {TOPUP} + gifts * {GIFT} - (k - topups - gifts) * {DEBIT}"
_AMOUNT = f"CASE kind WHEN 'topup' THEN {TOPUP} WHEN 'adjustment' THEN {GIFT} ELSE -{DEBIT} END"
_LEGS = (
    "INSERT INTO ledger_leg (customer_id, entry_id, position, account, asset, kind, amount, promo_amount, seq, "
    "kind_seq, balance_after, recorded_at) "
    "SELECT customer_id, id, p, CASE WHEN p = 0 THEN 'wallet' WHEN kind = 'topup' THEN 'cash:stripe' "
    "WHEN kind = 'adjustment' THEN 'adjustments' ELSE 'revenue' END, 'usd', kind, "
    f"CASE WHEN p = 0 THEN 1 ELSE -1 END * ({_AMOUNT}), 0, CASE WHEN p = 0 THEN k END, "
    "CASE WHEN p = 0 THEN CASE kind WHEN 'topup' THEN topups WHEN 'adjustment' THEN 1 ELSE k - topups - gifts END END, "
    f"CASE WHEN p = 0 THEN {_BALANCE} END, at FROM ({{of}}) e CROSS JOIN (SELECT 0 AS p UNION ALL SELECT 1) legs"
)


def _accounts(connection: Connection, whose: str, each: int, gifts: int) -> None:
    topups = (each + BETWEEN_TOPUPS - 1) // BETWEEN_TOPUPS
    debits = each - topups - gifts
    tallies: dict[str, list[int]] = {"topup": [topups, topups * TOPUP, 0]}
    if debits:
        tallies["debit"] = [debits, 0, debits * DEBIT]
    if gifts:
        tallies["adjustment"] = [gifts, gifts * GIFT, 0]
    values: dict[str, Any] = {
        "balance": topups * TOPUP + gifts * GIFT - debits * DEBIT, "each": each, "tallies": json.dumps(tallies),
    }  # fmt: skip
    statement = (
        "INSERT INTO ledger_account (customer_id, kind, asset, balance, version, revision, tallies) "
        f"SELECT customer_id, 'wallet', 'usd', :balance, :each, :each, CAST(:tallies AS json) FROM ({whose}) s"
    )
    connection.execute(text(_as_text(connection, statement)), values)


def _as_text(connection: Connection, statement: str) -> str:
    """SQLite would take `CAST(… AS json)` for a number."""
    return statement.replace("AS json)", "AS text)") if connection.dialect.name == "sqlite" else statement


def _without_indexes(connection: Connection) -> list[str]:
    """Drop what makes filling slow; the statements that make it again. SQLite keeps its keys."""
    again = []
    if connection.dialect.name == "sqlite":
        indexes = text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = :t")
    else:
        indexes = text("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :t")
        keys = text(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid = CAST(:t AS regclass) AND contype IN ('p', 'u')"
        )
        again.append("SET maintenance_work_mem = '512MB'")
        for table in _BULK:
            for name, definition in connection.execute(keys, {"t": table}).all():
                connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name} CASCADE"))
                again.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for table in _BULK:
        for name, definition in connection.execute(indexes, {"t": table}).all():
            connection.execute(text(f"DROP INDEX {name}"))
            again.append(definition)
    return again


def settings_for(url: str) -> Settings:
    """Settings of an installation over this database."""
    return Settings(env="test", database_url=url, secret_key="k" * 40, base_url="http://localhost")
