"""How Alembic runs our migrations: always on a connection handed in by `app.schema`, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from app import schema
from app.config import Settings


def run(connection: Connection) -> None:
    """Run what is missing in one transaction, and refuse to commit a SQLite file with dangling references."""
    context.configure(
        connection=connection,
        target_metadata=schema.metadata(),
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,  # SQLite can do it too, now that the driver's own transaction handling is off
        compare_type=True,
        compare_server_default=False,
    )
    with connection.begin():
        context.run_migrations()
        if connection.dialect.name == "sqlite":
            dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            assert not dangling, f"The migration would leave rows that point nowhere: {dangling[:5]}"


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:  # `alembic revision --autogenerate` and its like, run by hand in a checkout
    engine = schema.migration_engine(Settings.from_env().database_url)
    with engine.connect() as own:
        run(own)
    engine.dispose()
