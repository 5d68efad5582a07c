"""`purser work`: the worker as a process of its own; any number may run."""

from __future__ import annotations

import click

from app import settings_problems, worker
from app.cli.answers import Answer, announce, answering
from app.cli.connection import read_settings, sessions, take_up
from app.config import SettingsError
from app.db import make_engine
from app.http import logs
from app.providers import registry
from app.schema import make_directory


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
@answering
def work(once: bool) -> Answer | None:
    """Apply webhook events, send mail, end overdue holds; TERM lets what is under way finish."""
    settings = read_settings()
    if problems := settings_problems.of(settings):
        raise SettingsError(problems)
    logs.configure()
    take_up(settings)
    make_directory(settings.database_url)
    engine = make_engine(settings.database_url)
    try:
        factory, providers = sessions(engine), registry.build(settings)
        if once:
            did = worker.run_once(factory, settings, providers)
            return Answer([", ".join(f"{name}: {count}" for name, count in did.items())], did)
        started = {"working": True, "channels": sorted(providers)}
        worker.run(factory, settings, providers, on_ready=lambda: announce(["The worker has started."], started))
        return None
    finally:
        engine.dispose()
