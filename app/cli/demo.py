"""`purser demo`: all of Purser, with people, a payment sandbox and a worker, by one command on one port."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import click
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from app import create_app, schema, settings_problems, worker
from app.cli import card_story, demo_files, http_server, paid_story, story
from app.cli.answers import announce, answering
from app.cli.connection import opened, sessions
from app.cli.demo_files import Demo
from app.cli.migrate import bring_up_to_date
from app.cli.seed import sign_in_lines
from app.config import Settings, SettingsError
from app.customers.models import Customer
from app.db import make_engine
from app.extensions import db
from app.providers import registry
from app.sandbox import SandboxConfig, create_sandbox, start_delivery
from app.sandbox.server import running_sandbox

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"  # everyone knows the passwords, so nobody else may reach it
# A page may call the sandbox, which answers in this same process: many more threads than pages in flight.
THREADS = 48
CONSOLE = "/sandbox/"


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--reset", is_flag=True, help="Forget the last demo and start over.")
@answering
def demo(port: int, reset: bool) -> None:
    """Start everything on one port, with people to sign in as. Ctrl-C ends it; the next start goes on where it was."""
    given = Settings.from_env()
    directory = Path(given.demo_directory)
    http_server.require_free_port(HOST, port)
    # Open until this process and the one that serves have ended.
    _lock = demo_files.claimed(directory)
    if reset:
        _forget(directory, given)
    here = demo_files.prepared(directory, port)
    settings = here.settings(given)
    if problems := settings_problems.of(settings):
        raise SettingsError(problems)
    here = _filled(here, settings)
    background = Background()
    http_server.run(
        lambda: background.started(here, settings),
        host=HOST,
        port=port,
        workers=1,
        threads=THREADS,
        on_ready=lambda: None,
        on_worker=lambda: _say(here),
        on_end=background.stop,
        preload_app=False,  # threads do not survive a fork: everything is made in the one worker
        graceful_timeout=5,
    )


class Background:
    """What runs beside the pages in the serving process: the worker, and the sandbox's deliveries."""

    def __init__(self) -> None:
        self._stop = Event()
        self._endings: list[Callable[[], object]] = [self._stop.set]

    def started(self, here: Demo, settings: Settings) -> WSGIApplication:
        """Make the applications, start the threads, and give the one application that is served."""
        app = create_app(settings)
        # A line per request would bury the mails, which the demo prints.
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        sandbox = create_sandbox(sandbox_config(here))
        with app.app_context():
            factory = sessions(db.engine)
        providers = app.extensions["providers"]
        works = Thread(target=worker.loop, args=(factory, settings, providers, self._stop), name="worker", daemon=True)
        works.start()
        self._endings += [start_delivery(sandbox).stop, lambda: works.join(5)]
        app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/sandbox": sandbox.wsgi_app})  # type: ignore[method-assign]
        return app

    def stop(self) -> None:
        """End the threads; what is under way is finished or, being kept in the database, done at the next start."""
        for end in self._endings:
            end()


def sandbox_config(here: Demo) -> SandboxConfig:
    """The sandbox as the demo mounts it: same clock, own database, events to our webhook address."""
    return SandboxConfig(
        database=here.sandbox_database,
        secret_key=here.stripe_secret_key,
        base_url=here.base_url + "/sandbox",
        webhook_url=here.base_url + "/payment/webhook/stripe",
        webhook_secret=here.stripe_webhook_secret,
        clock_file=here.clock_file,
    )


def _filled(here: Demo, settings: Settings) -> Demo:
    """Tables and people. Refuses a database with customers that no demo made: somebody's real one, perhaps."""
    bring_up_to_date(settings.database_url)
    with opened(settings) as session:
        ours = settings.database_url in here.databases
        if not ours and session.scalar(select(Customer.id).limit(1)) is not None:
            raise SettingsError(
                ["PURSER_DATABASE_URL names a database with customers that no demo made; name another."]
            )
        told = story.tell(session, settings)
        if story.CY.email in told.people:
            _tell_the_sandbox(session, here, settings)
    here = replace(
        here,
        databases=here.databases if ours else (*here.databases, settings.database_url),
        keys={**here.keys, **told.keys},
    )
    demo_files.keep(here)
    return here


def _tell_the_sandbox(session: Session, here: Demo, settings: Settings) -> None:
    """What needs the provider is done with the demo's own sandbox, which answers before anybody else can ask it."""
    with running_sandbox(sandbox_config(here), delivers=False) as sandbox:
        providers = registry.build(replace(settings, stripe_api_base=sandbox.url))
        paid_story.tell(session, sandbox)
        card_story.tell(session, providers["stripe"], sandbox, story.CY.email)


def _forget(directory: Path, given: Settings) -> None:
    """Wipe the directory and, on a server, the tables of the database the demo filled."""
    known = demo_files.read(directory)
    url = known.settings(given).database_url if known else ""
    if known and url in known.databases and not url.startswith("sqlite"):
        _drop_tables(url)
    demo_files.wipe(directory)


def _drop_tables(url: str) -> None:
    engine = make_engine(url)
    try:
        if schema.current(engine):
            schema.downgrade(url, "base")
    finally:
        engine.dispose()


def _program() -> str:
    """How the reader can call us again: a fresh clone puts no `purser` on anybody's path."""
    return "purser" if shutil.which("purser") else f"{os.path.relpath(sys.executable)} -m app"


def _say(here: Demo) -> None:
    data = {
        "url": here.base_url,
        "console": here.base_url + CONSOLE,
        "password": story.PASSWORD,
        "sign_ins": [{"email": p.email, "about": p.about, "role": p.role or None} for p in story.EVERYONE],
        "keys": dict(here.keys),
    }
    lines = [
        "",
        f"Purser is at {here.base_url}",
        "",
        *sign_in_lines(),
        "",
        f"Payment sandbox: {data['console']} (pay with card 4242 4242 4242 4242)",
        *(f"API key, {name}: {key}" for name, key in here.keys.items()),
        f"Move its clock: PURSER_ENV=demo {_program()} clock advance 31d. Other commands work on it likewise.",
        "Ctrl-C ends it.",
        "",
    ]
    announce(lines, data)
