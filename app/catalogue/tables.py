"""The catalogue's stamp: one row with a text that is another after every change, whoever makes it.

Set by triggers on all that a usage event asks of the catalogue. It is drawn and not counted: a change that was rolled
back, or a database put back from a backup, never shows a stamp that something else had.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Connection, Table, event
from sqlalchemy.orm import Mapped, mapped_column

from app.catalogue.models import Meter, Plan, PlanLimit, PlanVersion
from app.db import Base


class CatalogueStamp(Base):
    """The one row. There is none before the first change."""

    __tablename__ = "catalogue_stamp"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    stamp: Mapped[str]

    __table_args__ = (CheckConstraint("id = 1", name="only"),)


STAMPED = tuple(model.__table__ for model in (Meter, Plan, PlanLimit, PlanVersion))

_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION catalogue_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO catalogue_stamp VALUES (1, gen_random_uuid()::text)
  ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp;
  RETURN NULL;
END $$
"""
# Before the rows are locked: whoever changes several tables takes the stamp first, and nobody waits in a circle.
_POSTGRESQL = (
    "CREATE TRIGGER {table}_stamped BEFORE INSERT OR UPDATE OR DELETE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION catalogue_changes()"
)
_SQLITE = (
    "CREATE TRIGGER {table}_stamped_{verb} AFTER {verb} ON {table} BEGIN "
    "INSERT INTO catalogue_stamp VALUES (1, lower(hex(randomblob(16)))) "
    "ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp; END"
)


def triggers(dialect: str, table: str) -> list[str]:
    """The statements that have a change of this table draw a new stamp."""
    if dialect == "sqlite":
        return [_SQLITE.format(table=table, verb=verb) for verb in ("insert", "update", "delete")]
    return [_POSTGRESQL_FUNCTION, _POSTGRESQL.format(table=table)]


def _after_create(table: Table, connection: Connection, **_: Any) -> None:
    for statement in triggers(connection.dialect.name, table.name):
        connection.exec_driver_sql(statement)


for _table in STAMPED:
    event.listen(_table, "after_create", _after_create)
