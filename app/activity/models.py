"""The `activity` table, and the triggers that make it append-only on both databases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import DDL, Index, Table, event
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
    )


# The statements are also what a migration runs, so they stand here by name.
SQLITE_TRIGGERS = [
    f"CREATE TRIGGER activity_no_{verb.lower()} BEFORE {verb} ON activity "
    f"BEGIN SELECT RAISE(ABORT, 'activity is append-only'); END"
    for verb in ("UPDATE", "DELETE")
]
POSTGRESQL_TRIGGERS = [
    """CREATE OR REPLACE FUNCTION activity_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'activity is append-only'; END $$""",
    """CREATE TRIGGER activity_no_edit BEFORE UPDATE OR DELETE OR TRUNCATE ON activity
    FOR EACH STATEMENT EXECUTE FUNCTION activity_append_only()""",
]


def _attach(table: Table) -> None:
    for dialect, statements in (("sqlite", SQLITE_TRIGGERS), ("postgresql", POSTGRESQL_TRIGGERS)):
        for statement in statements:
            event.listen(table, "after_create", _ddl(statement, dialect))


def _ddl(statement: str, dialect: str) -> ExecutableDDLElement:
    made: ExecutableDDLElement = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
    return made.execute_if(dialect=dialect)


_attach(Base.metadata.tables["activity"])
