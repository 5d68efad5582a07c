"""`purser serve`: the pages, the API and the webhooks."""

from __future__ import annotations

import click

from app import create_app, settings_problems
from app.cli import http_server
from app.cli.answers import announce, answering
from app.cli.connection import read_settings
from app.config import SettingsError
from app.schema import make_directory


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 256), help="Threads in each process.")
@answering
def serve(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the pages, the API and the webhooks; refuse settings that are not safe."""
    settings = read_settings()
    if problems := settings_problems.of(settings):
        raise SettingsError(problems)
    make_directory(settings.database_url)
    http_server.require_free_port(host, port)
    app = create_app(settings)
    address = f"http://{host}:{port}"
    http_server.run(
        lambda: app,
        host=host,
        port=port,
        workers=workers,
        threads=threads,
        on_worker=lambda: http_server.start_afresh(app),
        on_ready=lambda: announce(
            [f"Purser listens at {address}."], {"listening": address, "workers": workers, "threads": threads}
        ),
        # A leak, ours or a library's, ends with the worker; the jitter keeps workers from restarting together.
        max_requests=5000,
        max_requests_jitter=500,
    )
