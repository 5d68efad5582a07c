"""The line to the upstreams: one pool of connections, limits of time and size, no redirects, nothing of the caller's.

Network, so never within a transaction. Safe to share between threads; opens nothing until the first call.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from threading import Lock
from typing import Any

import httpx
from httpx import Limits, Timeout

from app.upstreams import registry, told
from app.upstreams.dialect import Order, Outgoing, Route, Upstream, Whole
from app.upstreams.errors import Broken, Failed, TimedOut, Unavailable, UpstreamError, readable
from app.upstreams.reader import Reader
from app.upstreams.usage import Usage

# The only headers of a caller's that go on: they trace a request through systems and say nothing of who sent it.
FORWARDED = ("traceparent", "tracestate")
LARGEST_ANSWER = 16 * 1024 * 1024  # bytes, in one piece
LARGEST_STREAM = 64 * 1024 * 1024  # bytes; each token comes with some 200 bytes around it
_LARGEST_ERROR = 64 * 1024
_CONNECT_SECONDS = 10


class Client:
    """Calls to the upstreams that are set up. `seconds`: how long a call may take."""

    def __init__(self, upstreams: Mapping[str, Upstream], *, seconds: int) -> None:
        self.upstreams = upstreams
        self.seconds = seconds
        self._lock = Lock()
        self._http: httpx.Client | None = None

    @property
    def longest(self) -> int:
        """Seconds after which no call can still be running: the last wait may begin just before the time is over."""
        return 2 * self.seconds + _CONNECT_SECONDS

    def whole(self, route: Route, order: Order, headers: Mapping[str, str] | None = None) -> Whole:
        """An answer in one piece. Raises Unsupported or an UpstreamError."""
        upstream, dialect = self.upstreams[route.upstream], registry.dialect(route.upstream)
        response = self._open(upstream, dialect.outgoing(upstream, order), headers or {})
        try:
            raw = b"".join(_pieces(response, LARGEST_ANSWER, time.monotonic() + self.seconds))
            with readable():
                answer = dialect.whole(raw)
        finally:
            response.close()
        return told.with_request_id(answer, response)

    def stream(self, route: Route, order: Order, headers: Mapping[str, str] | None = None) -> Stream:
        """An answer as it is written; close it. Raises Unsupported or an UpstreamError, here or while it is read."""
        upstream, dialect = self.upstreams[route.upstream], registry.dialect(route.upstream)
        response = self._open(upstream, dialect.outgoing(upstream, order), headers or {})
        return Stream(response, dialect.reader(order), time.monotonic() + self.seconds)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            if self._http is not None:
                self._http.close()
            self._http = None

    def _open(self, upstream: Upstream, outgoing: Outgoing, headers: Mapping[str, str]) -> httpx.Response:
        """A response whose body is still to be read. Raises an UpstreamError for every status but 200."""
        http = self._pool()
        request = http.build_request(
            "POST",
            upstream.base_url.rstrip("/") + outgoing.path,
            headers={**_forwarded(headers), **outgoing.headers, "Content-Type": "application/json"},
            content=outgoing.body,
        )
        try:
            response = http.send(request, stream=True)
        except httpx.TimeoutException as late:
            raise TimedOut("The upstream did not answer in time.") from late
        except httpx.HTTPError as trouble:
            raise Unavailable("The upstream cannot be reached.") from trouble
        if response.status_code == 200:
            return response
        try:
            raise told.refusal(upstream, response, _error_body(response, time.monotonic() + _CONNECT_SECONDS))
        finally:
            response.close()

    def _pool(self) -> httpx.Client:
        with self._lock:
            if self._http is None:
                self._http = _new_pool(self.seconds)
            return self._http


class Stream:
    """A streamed answer: iterate over OpenAI's events, then ask what it used. Close it in any case."""

    def __init__(self, response: httpx.Response, reader: Reader, deadline: float) -> None:
        self._response = response
        self._deadline = deadline
        self.reader = reader

    @property
    def request_id(self) -> str | None:
        return told.request_id(self._response) or self.reader.request_id

    def __iter__(self) -> Iterator[bytes]:
        """The events as they come. Raises TimedOut, Broken or Failed when the answer does not become whole."""
        try:
            for piece in _pieces(self._response, LARGEST_STREAM, self._deadline):
                yield from self.reader.feed(piece)
                if self.reader.failed:
                    raise Failed("The upstream reported an error.", request_id=self.request_id)
            yield from self.reader.end()
            if not self.reader.finished:
                raise Broken("The upstream stopped in the middle of its answer.", request_id=self.request_id)
        except (TimedOut, Broken):
            # With the end of the answer and its usage told, all that is missing is the good-bye.
            if not self.reader.finished:
                raise
            yield from self.reader.end()
        finally:
            self.close()

    def so_far(self, prompt: int) -> Usage:
        """What to pay for what has come: as told, and counted where nothing was told, the input then being `prompt`."""
        return self.reader.so_far(prompt)

    def close(self) -> None:
        """Hang up, also in the middle: the upstream then stops writing. Again does no harm."""
        self._response.close()


def _pieces(response: httpx.Response, largest: int, deadline: float) -> Iterator[bytes]:
    """The body as it comes. Raises TimedOut or Broken."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Broken("The upstream sent an encoding that was not asked for.")
    size = 0
    try:
        for piece in response.iter_raw():
            size += len(piece)
            if size > largest:
                raise Broken("The upstream's answer is too large.")
            if time.monotonic() > deadline:
                raise TimedOut("The upstream took too long.")
            yield piece
    except httpx.TimeoutException as late:
        raise TimedOut("The upstream stopped in the middle of its answer.") from late
    except (httpx.HTTPError, httpx.StreamError) as cut:
        raise Broken("The upstream broke off its answer.") from cut


def _error_body(response: httpx.Response, deadline: float) -> bytes:
    try:
        return b"".join(_pieces(response, _LARGEST_ERROR, deadline))
    except UpstreamError:  # the status says enough
        return b""


def _forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    given = {name.lower(): value for name, value in headers.items()}
    return {name: given[name] for name in FORWARDED if name in given and _is_plain(given[name])}


def _is_plain(value: str) -> bool:
    return len(value) <= 512 and value.isascii() and value.isprintable()


def _new_pool(seconds: int) -> httpx.Client:
    options: dict[str, Any] = {
        "timeout": Timeout(seconds, connect=_CONNECT_SECONDS, pool=_CONNECT_SECONDS),
        "limits": Limits(max_connections=None, max_keepalive_connections=32),
        "headers": {"User-Agent": "purser", "Accept-Encoding": "identity"},
        # A cookie of one customer's answer must not go with the next customer's call.
        "cookies": CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        "follow_redirects": False,  # a redirect would take our key along
        "trust_env": False,  # nor does the environment choose another way
    }
    return httpx.Client(**options)
