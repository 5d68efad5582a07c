"""`purser migrate`: bring the database up to what this version of the program expects."""

from __future__ import annotations

import click

from app import schema
from app.cli.answers import Answer, answering
from app.cli.connection import read_settings
from app.db import make_engine


@click.command()
@answering
def migrate() -> Answer:
    """Make or upgrade the tables. Safe to run again, and from two processes at once."""
    revision = bring_up_to_date(read_settings().database_url)
    return Answer([f"The database is at revision {revision}."], {"revision": revision})


def bring_up_to_date(database_url: str) -> str:
    """Make or upgrade the tables; the revision they are at afterwards."""
    schema.upgrade(database_url)
    engine = make_engine(database_url)
    try:
        return schema.current(engine)
    finally:
        engine.dispose()
