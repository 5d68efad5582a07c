"""The HTTP server: gunicorn's threads in this process tree, waitress where there is no fork (Windows)."""

from __future__ import annotations

import gc
import logging
import re
import socket
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask

from app.config import SettingsError
from app.extensions import db
from app.flows.count_usage import Counter
from app.ledger import Committer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Hook = Callable[[], object]

_ADDRESS = re.compile(r"(/[^/?\s'\"]+)[/?][^\s'\"]*")  # its first segment says which page it was


def require_free_port(host: str, port: int) -> None:
    """Raises SettingsError, naming the port, when something listens there already or we may not."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":  # there this option would let two servers share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise SettingsError(
                [f"Port {port} needs more rights than this user has; give another with --port."]
            ) from None
        except OSError as fault:
            busy = f"Something listens on port {port} of {host} already; stop it or give another port with --port."
            raise SettingsError(
                [busy if fault.errno in (48, 98, 10048) else f"{host}:{port} cannot be used: {fault.strerror}."]
            ) from None


def start_afresh(app: Flask) -> None:
    """After a fork: no database connection, and no thread's state, of the parent is used in the child."""
    with app.app_context():
        db.engine.dispose(close=False)
        app.extensions["committer"] = Committer(db.engine)
        app.extensions["counter"] = Counter(db.engine)


def spare_the_collector() -> None:
    """Once, when all is loaded: what start-up made stays, and Python need not look through it for garbage ever again.

    A seventh of the processor time of a debit was such looking, and that of a page is no different. Workers forked
    afterwards share these objects' memory, which a collector that marks them would copy.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _ready(on_ready: Hook) -> None:
    spare_the_collector()
    on_ready()


def run(
    load: Callable[[], WSGIApplication],
    *,
    host: str,
    port: int,
    workers: int,
    threads: int,
    on_ready: Hook,
    on_worker: Hook = lambda: None,
    on_end: Hook = lambda: None,
    **more: Any,
) -> None:
    """Serve what `load` makes until told to stop: TERM lets requests finish, INT does not wait.

    `on_worker` runs in each worker before its first request and `on_end` after its last; `on_ready` once, when the
    port is open. `more` are gunicorn's own settings.
    """
    if sys.platform == "win32":
        _run_waitress(load(), host, port, threads, on_worker, on_ready)
        on_end()
        return
    options = {
        "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "workers": workers,
        "threads": threads,
        "worker_class": "gthread",  # a slow call to a provider blocks one thread, not a whole worker
        "preload_app": True,
        "post_worker_init": lambda _worker: on_worker(),
        "worker_exit": lambda _arbiter, _worker: on_end(),
        "when_ready": lambda _arbiter: _ready(on_ready),  # before the workers are forked
        "timeout": 60,
        "graceful_timeout": 30,
        "keepalive": 5,
        "loglevel": "warning",
        "control_socket_disable": True,
        **more,
    }
    _run_gunicorn(load, options)


def mask_addresses() -> None:
    """Keep secrets out of gunicorn's own log: it names addresses in full, and a mailed link's address is a secret."""
    logging.getLogger("gunicorn.error").addFilter(_without_addresses)


def _without_addresses(record: logging.LogRecord) -> bool:
    record.msg, record.args = _ADDRESS.sub(r"\1/…", record.getMessage()), ()
    return True


def _run_gunicorn(load_wsgi: Callable[[], WSGIApplication], options: Mapping[str, Any]) -> None:
    from gunicorn.app.base import BaseApplication  # not installed on Windows

    class Server(BaseApplication):  # type: ignore[misc]  # gunicorn ships no types
        def load_config(self) -> None:
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> WSGIApplication:
            return load_wsgi()

    mask_addresses()
    Server().run()


def _run_waitress(wsgi: WSGIApplication, host: str, port: int, threads: int, on_worker: Hook, on_ready: Hook) -> None:
    from waitress import create_server  # only needed on Windows

    server = create_server(wsgi, host=host, port=port, threads=threads)
    on_worker()
    _ready(on_ready)
    server.run()
