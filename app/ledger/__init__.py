"""The books: double entry, append-only, with the floor in the write."""

from __future__ import annotations

from sqlalchemy import Engine


class Committer:
    """Group commit for the hot verbs."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
