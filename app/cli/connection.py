"""The command line's own way to the database: one engine and one session, made from the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from app import clock
from app.cli import demo_files
from app.config import ROOT, Settings
from app.db import make_engine
from app.invoices import seller
from app.schema import make_directory


def read_settings() -> Settings:
    """The settings of this installation; with PURSER_ENV=demo, those of the demo that was started here."""
    settings = Settings.from_env()
    return demo_files.settings_from(settings) if settings.env == "demo" else settings


def sessions(engine: Engine) -> sessionmaker[Session]:
    """A factory of sessions like the web's: rows stay readable after the commit."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def opened(settings: Settings) -> Iterator[Session]:
    """A session for one command, closed with its engine at the end."""
    take_up(settings)
    make_directory(settings.database_url)
    engine = make_engine(settings.database_url)
    try:
        with sessions(engine)() as session:
            yield session
    finally:
        engine.dispose()


def take_up(settings: Settings) -> None:
    """Take the time from the clock file when there is one, and sell under the settings' name, as the web does."""
    seller.use(seller.of(settings))
    if settings.clock_file:
        clock.use_offset_file(ROOT / settings.clock_file)
