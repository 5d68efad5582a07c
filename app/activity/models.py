"""The audit log's tables: its lines and their seals, both append-only by trigger, and what the last check found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, BigInteger, Index, String, Table, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import ExecutableDDLElement

from app.db import Base


class Activity(Base):
    """One line of the audit log. `subject` is the id of the row that changed; `details` says how."""

    __tablename__ = "activity"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]]

    __table_args__ = (
        Index("ix_activity_customer_id_at_id", "customer_id", "at", "id"),
        Index("ix_activity_at_id", "at", "id"),
        Index("ix_activity_id", "id"),
        Index("ix_activity_subject_at_id", "subject", "at", "id"),
        Index("ix_activity_actor_at_id", "actor", "at", "id"),
        Index("ix_activity_action_at_id", "action", "at", "id"),
    )


class Seal(Base):
    """One link of the chain: that this line stood in the log, as it was, after all with a lower number.

    `hash` is over the hash before it, the number, the time of sealing and `line_hash`, which is over the whole line.
    """

    __tablename__ = "activity_seal"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    customer_id: Mapped[str]
    activity_id: Mapped[str]
    line_hash: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime]
    hash: Mapped[str] = mapped_column(String(64))

    __table_args__ = (UniqueConstraint("customer_id", "activity_id"),)


class Check(Base):
    """What the last check of the whole chain found: one row."""

    __tablename__ = "activity_check"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    sealed: Mapped[int] = mapped_column(BigInteger)
    head: Mapped[str] = mapped_column(String(64))
    faults: Mapped[list[Any]]
    fault_count: Mapped[int]


def _sqlite_triggers(table: str) -> list[str]:
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ]


def _postgresql_triggers(table: str) -> list[str]:
    return [
        f"""CREATE OR REPLACE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$""",
        f"""CREATE TRIGGER {table}_no_edit BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()""",
    ]


def _attach(table: Table) -> None:
    triggers = {"sqlite": _sqlite_triggers(table.name), "postgresql": _postgresql_triggers(table.name)}
    for dialect, statements in triggers.items():
        for statement in statements:
            event.listen(table, "after_create", _ddl(statement, dialect))


def _ddl(statement: str, dialect: str) -> ExecutableDDLElement:
    made: ExecutableDDLElement = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
    return made.execute_if(dialect=dialect)


for _name in ("activity", "activity_seal"):
    _attach(Base.metadata.tables[_name])
