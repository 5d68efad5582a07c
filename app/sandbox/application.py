"""The sandbox as a web application: Stripe's API, the hosted pages and the operator's console."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from app.sandbox import pages, protocol
from app.sandbox.config import SandboxConfig
from app.sandbox.core import Sandbox
from app.sandbox.engine import amounts, portal
from app.sandbox.tx import Tx

_PACKAGE = Path(__file__).resolve().parents[1]


def create_sandbox(config: SandboxConfig) -> Flask:
    """An application to run alone or to mount under a prefix. `app.extensions["sandbox"]` is its Sandbox.

    Nothing is delivered until `start_delivery` runs, or `deliver_due` is called.
    """
    templates, static = _beside("templates") / "sandbox", _beside("static")
    app = Flask("sandbox", template_folder=str(templates), static_folder=str(static), static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000
    app.extensions["sandbox"] = open_sandbox(config)
    protocol.register(app)
    pages.register(app)
    return app


def open_sandbox(config: SandboxConfig) -> Sandbox:
    """The core behind an application, on its own database file. An application may be given another at any time."""
    sandbox = Sandbox(config)
    with sandbox.writing() as tx:
        portal.prepare(tx)
        amounts.prepare(tx)
        _configured_endpoint(tx, config)
    return sandbox


def _beside(name: str) -> Path:
    """In a checkout templates and static files stand beside the package, in a wheel inside it under another name."""
    inside = _PACKAGE / f"_{name}"
    return inside if inside.is_dir() else _PACKAGE.parent / name


def _configured_endpoint(tx: Tx, config: SandboxConfig) -> None:
    """The endpoint of the configuration replaces the one that an earlier start left behind."""
    present = tx.find(tx.setting("configured_endpoint"))
    if not config.webhook_url:
        if present:
            tx.change(present, status="disabled")
        return
    if present is None:
        present = tx.new("webhook_endpoint", description="As configured", url=config.webhook_url)
        tx.set("configured_endpoint", present["id"])
    tx.change(present, url=config.webhook_url, status="enabled")
    tx.hide(present["id"], secret=config.webhook_secret)
