"""What an upstream says in its headers and errors, cleaned: nothing that comes from there may show our key."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx

from app.upstreams.dialect import Upstream, Whole
from app.upstreams.errors import Busy, KeyRefused, Refused, Unavailable, UpstreamError

_REQUEST_IDS = ("x-request-id", "request-id", "x-generation-id", "x-goog-request-id")
_LONGEST = 300
_AT_FAULT = frozenset({400, 404, 405, 413, 415, 422})
_BUSY = frozenset({429, 529})
_OUR_KEY = frozenset({401, 402, 403})
# Google calls a wrong key a bad request, and so does Anthropic an account without money.
_OUR_FAULT = (b"API_KEY_INVALID", b"credit balance is too low")


def request_id(response: httpx.Response) -> str | None:
    """The upstream's own id of the request, for questions to its support."""
    found = next((response.headers[name] for name in _REQUEST_IDS if name in response.headers), None)
    return found[:200] if found is not None and found.isascii() and found.isprintable() else None


def with_request_id(answer: Whole, response: httpx.Response) -> Whole:
    return replace(answer, request_id=request_id(response) or answer.request_id)


def refusal(upstream: Upstream, response: httpx.Response, body: bytes) -> UpstreamError:
    """A status that is not 200, as an error of ours."""
    kind, sentence = _kind(upstream, response.status_code, body)
    return kind(sentence, status=response.status_code, request_id=request_id(response))


def _kind(upstream: Upstream, status: int, body: bytes) -> tuple[type[UpstreamError], str]:
    if status == 403 and b"flagged" in body:  # by OpenRouter's moderation
        return Refused, "The upstream does not answer this."
    if status in _OUR_KEY or (status == 400 and any(sign in body for sign in _OUR_FAULT)):
        return KeyRefused, "The upstream does not accept the key of this installation."
    if status in _BUSY:
        return Busy, "The upstream has too many requests. Try again in a moment."
    if status in _AT_FAULT:
        return Refused, _sentence(body, upstream.key) or "The upstream refused the request."
    return Unavailable, "The upstream is not working."


def _sentence(body: bytes, key: str) -> str | None:
    """The message of an error as all four tell it, `{"error": {"message": …}}`; None where it cannot be shown."""
    try:
        error = json.loads(body)
        error = error[0] if isinstance(error, list) and error else error  # Google's streams wrap theirs in a list
        message = error["error"]["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(message, str) or _shows(message, key):
        return None
    line = " ".join(message.split())[:_LONGEST]
    return "".join(letter for letter in line if letter.isprintable()) or None


def _shows(message: str, key: str) -> bool:
    """Whether it repeats the key, or eight characters of it, as a masked key does."""
    return any(key[start : start + 8] in message for start in range(max(1, len(key) - 7)))
