"""Requests that other sites make a browser send: refused by where they come from, before any token is looked at.

Browsers say in `Sec-Fetch-Site`, and older ones in `Origin`, which page a request comes from. Programs send neither;
theirs are judged by their key, and forms also carry Flask-WTF's token.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from app.config import Settings
from app.errors import Forbidden

_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


class ForeignPage(Forbidden):
    """Another site's page made the browser send this."""

    code = "FOREIGN_ORIGIN"


class StalePage(Forbidden):
    """The form's token does not belong to this session: the page is older than the sign-in."""

    code = "STALE_PAGE"


def register(app: Flask) -> None:
    """Check the origin of every request that may change something, and word a stale form's refusal."""
    settings: Settings = app.extensions["settings"]
    parts = urlsplit(settings.base_url)
    ours = f"{parts.scheme}://{parts.netloc}"

    @app.before_request
    def _check() -> None:
        if request.method not in _SAFE and not _from_us(ours):
            raise ForeignPage("This request came from another site, so nothing was done.")

    @app.errorhandler(CSRFError)
    def _stale(_error: CSRFError) -> ResponseReturnValue:
        sentence = "This page is older than your sign-in, so nothing was done. Go back, reload it and send it again."
        return app.handle_user_exception(StalePage(sentence))


def _from_us(ours: str) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is None or origin in (ours, request.host_url.rstrip("/"))
