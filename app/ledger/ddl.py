"""What the databases enforce by trigger, and PostgreSQL's posting function: one list of statements per table.

`metadata.create_all` runs them after each table; the first migration runs the same lists through `install`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, event

from app.ledger import ddl_postgresql, ddl_sqlite, tables

STATEMENTS: dict[str, dict[str, list[str]]] = {
    "sqlite": ddl_sqlite.STATEMENTS,
    "postgresql": ddl_postgresql.STATEMENTS,
}
TABLES: tuple[Table, ...] = (tables.accounts, tables.entries, tables.legs, tables.holds)


def statements(dialect: str, table: str) -> list[str]:
    """The statements that belong to one table on one database."""
    return STATEMENTS[dialect][table]


def install(connection: Connection) -> None:
    """Run every statement; the tables must exist. For a migration, which makes the tables by itself."""
    for table in TABLES:
        for statement in statements(connection.dialect.name, table.name):
            connection.exec_driver_sql(statement)


def _after_create(table: Table, connection: Connection, **_: Any) -> None:
    for statement in statements(connection.dialect.name, table.name):
        connection.exec_driver_sql(statement)


for _table in TABLES:
    event.listen(_table, "after_create", _after_create)
