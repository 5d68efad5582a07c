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
    settings = read_settings()
    schema.upgrade(settings.database_url)
    engine = make_engine(settings.database_url)
    try:
        revision = schema.current(engine)
    finally:
        engine.dispose()
    return Answer([f"The database is at revision {revision}."], {"revision": revision})
