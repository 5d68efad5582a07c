"""A provider's adapter of which one answer is lost on the way: nobody knows whether it was done."""

from __future__ import annotations

from typing import Any

from app.providers.errors import Unavailable


class Losing:
    """The adapter, with one answer lost on the way."""

    def __init__(self, real: Any, verb: str, *, done: bool) -> None:
        self._real, self._verb, self._done = real, verb, done

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name != self._verb:
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self._verb = ""
            if self._done:
                found(*args, **kwargs)
            raise Unavailable("No answer.")

        return call
