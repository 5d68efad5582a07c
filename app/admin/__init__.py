"""The back office: pages for staff. Support reads, finance also moves money and replays, admin may do everything."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Bind this package's pages and handlers to the application."""
