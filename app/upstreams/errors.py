"""What can go wrong with an upstream. None of them costs anything, since an upstream's error charges nothing (SPEC L3).

`sentence` is fit for the caller: never an upstream's body as it came, which may repeat a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import Invalid


class Unsupported(Invalid):
    """A field of the request that this upstream has no word for. Details: field."""


class UpstreamError(Exception):
    """An upstream said no, or nothing. `status` and `request_id` are its own, for the log."""

    def __init__(self, sentence: str, *, status: int | None = None, request_id: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
        self.request_id = request_id


class Refused(UpstreamError):
    """The request is at fault (400, 404, 413, 422): the caller's to mend. `sentence` is the upstream's, cleaned."""


class Busy(UpstreamError):
    """Too many requests there (429, 529). Later."""


class KeyRefused(UpstreamError):
    """Our key, or our account there (401, 402, 403): the operator's to mend."""


class Unavailable(UpstreamError):
    """No connection, an error of its own (5xx), or a redirect, which is never followed."""


class TimedOut(UpstreamError):
    """It did not answer in time, or stopped in the middle."""


class Broken(UpstreamError):
    """What came is no answer: unreadable, too large, or cut off."""


class Failed(UpstreamError):
    """It answered with an error where an answer should be, or stopped in error with nothing written."""


@contextmanager
def readable() -> Iterator[None]:
    """What is read in here has the shape that its upstream documents. Raises Broken for any other."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as strange:
        raise Broken("The upstream's answer is not readable.") from strange
