"""One request to Purser, tried again where that is safe: with the same Idempotency-Key, and as late as it asks."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx

from purser_client.errors import Unreachable, refusal

VERSION = "0.1.0"
LONGEST_WAIT = 30.0  # seconds; whoever asks for more gets the error at once, to decide for themselves
_FIRST_WAIT = 0.25
_AGAIN = (429, 500, 502, 503, 504)


class Transport:
    """A connection pool with a key; may be used from many threads at once."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout: float,
        retries: int,
        sleep: Callable[[float], None] = time.sleep,
        http: httpx.Client | None = None,
    ) -> None:
        self._http = http or httpx.Client(timeout=timeout, follow_redirects=False)
        self._base = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "User-Agent": f"purser-client/{VERSION}"}
        self._retries, self._sleep = retries, sleep

    def close(self) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        customer: str | None = None,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Any:
        """The answer's JSON, None where there is none. Fields and parameters that are None are left out.

        Raises Refused and its kinds, and Unreachable. A POST has an Idempotency-Key of its own when none is given, so
        that trying again here does nothing twice; give yours to be able to try again later.
        """
        headers = dict(self._headers)
        if customer is not None:
            headers["Purser-Customer"] = customer
        if method == "POST":
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        request = self._http.build_request(
            method,
            self._base + path,
            headers=headers,
            params={name: value for name, value in (query or {}).items() if value is not None},
            json=None if body is None else {name: value for name, value in body.items() if value is not None},
        )
        return self._answer(self._sent(request))

    def _sent(self, request: httpx.Request) -> httpx.Response:
        tried = 0
        while True:
            wait = min(_FIRST_WAIT * 2**tried, 8.0) * (0.5 + random.random())  # noqa: S311 - spreads load, no secret
            last = tried >= self._retries
            try:
                response = self._http.send(request)
            except httpx.TransportError as fault:
                if last:
                    raise Unreachable(f"Purser did not answer: {fault!r}") from fault
            else:
                wait = _asked_to_wait(response, wait)
                if last or wait > LONGEST_WAIT or not _may_try_again(response):
                    return response
            tried += 1
            self._sleep(wait)

    def _answer(self, response: httpx.Response) -> Any:
        if response.status_code == 204:
            return None
        body = _json(response)
        if response.is_success and body is not None:
            return body
        raise refusal(response.status_code, body, response.headers.get("X-Request-ID"))


def segment(text: str) -> str:
    """A name as it may stand in a path."""
    return quote(text, safe="")


def _may_try_again(response: httpx.Response) -> bool:
    if response.status_code == 409:  # the first request under this key is still at work
        error = (_json(response) or {}).get("error")
        return isinstance(error, dict) and "retry_after" in (error.get("details") or {})
    return response.status_code in _AGAIN


def _asked_to_wait(response: httpx.Response, otherwise: float) -> float:
    text = response.headers.get("Retry-After", "")
    return max(float(text), 0.0) if text.isascii() and text.isdigit() else otherwise


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None
