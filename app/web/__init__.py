"""web: see docs/architecture.md."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Bind this package's pages and handlers to the application."""
