"""Addresses that cannot name anything of ours: with a NUL in them, which PostgreSQL does not even compare."""

from __future__ import annotations

from flask import Flask, request

from app.errors import NotFound


def register(app: Flask) -> None:
    """Answer 404 before a view looks such a name up."""

    @app.before_request
    def _check() -> None:
        named = [*(request.view_args or {}).values(), *request.args.values()]
        if any("\0" in str(part) for part in named):
            raise NotFound("There is nothing here.")
