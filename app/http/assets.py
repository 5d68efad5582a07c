"""Static files under addresses that carry a hash of their content, so browsers may keep them for good."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app, url_for


def register(app: Flask) -> None:
    """Templates write `{{ asset("purser.css") }}`."""
    app.jinja_env.globals["asset"] = asset


def asset(name: str) -> str:
    """The address of a file under static/, changing whenever its content does."""
    folder = current_app.static_folder
    assert folder is not None
    return url_for("static", filename=name, v=_version(Path(folder) / name))


@lru_cache(maxsize=64)
def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
