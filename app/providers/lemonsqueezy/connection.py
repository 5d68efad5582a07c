"""The line to Lemon Squeezy: JSON:API over one pooled client; its errors in our words, its answers as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import httpx

from app.providers import errors

Json = dict[str, Any]
Params = Mapping[str, str | int]
API = "https://api.lemonsqueezy.com"
_PAGE = 100
_KINDS: Mapping[int, type[errors.ProviderError]] = {
    400: errors.InvalidRequest,
    401: errors.AuthFailed,
    402: errors.Declined,
    403: errors.AuthFailed,
    404: errors.NotFound,
    409: errors.Conflict,
    422: errors.InvalidRequest,
    429: errors.RateLimited,
}


class Connection:
    """One store's client. Safe to share between threads; opens nothing until the first call."""

    def __init__(self, key: str, *, api_base: str) -> None:
        self._key = key
        self._api_base = (api_base or API).rstrip("/")

    @cached_property
    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"{self._api_base}/v1",
            timeout=httpx.Timeout(timeout=20, connect=3.05),
            follow_redirects=False,  # the key goes nowhere else
            trust_env=False,
            headers={
                "Authorization": f"Bearer {self._key}",
                "Accept": "application/vnd.api+json",
                "Content-Type": "application/vnd.api+json",
            },
        )

    def close(self) -> None:
        """Hang up; the next call opens another."""
        if "_client" in self.__dict__:
            self._client.close()
            del self.__dict__["_client"]

    def read(self, path: str, params: Params | None = None) -> Json:
        """The document at this path. Reading may be repeated, so a lost answer is asked for once more."""
        try:
            return self._call("GET", path, params=params)
        except errors.Unavailable:
            return self._call("GET", path, params=params)

    def write(self, method: str, path: str, document: Json | None = None) -> Json:
        """One change. Lemon Squeezy knows no idempotency keys: it is never repeated here."""
        return self._call(method, path, document=document)

    def pages(self, path: str, params: Params, *, most: int = 1000) -> Iterator[Json]:
        """The items of a list, newest first, page by page as they are asked for."""
        number, last, seen = 1, 1, 0
        while number <= last and seen < most:
            document = self.read(path, {**params, "page[number]": number, "page[size]": _PAGE})
            yield from document["data"]
            seen += len(document["data"])
            last = ((document.get("meta") or {}).get("page") or {}).get("lastPage") or 1
            number += 1

    def _call(self, method: str, path: str, *, params: Any = None, document: Json | None = None) -> Json:
        try:
            answer = self._client.request(method, path, params=params or None, json=document)
        except httpx.HTTPError as error:
            raise errors.Unavailable("Lemon Squeezy did not answer.", code=type(error).__name__) from error
        if answer.is_success:
            return _document(answer)
        raise _translated(answer)


def _document(answer: httpx.Response) -> Json:
    try:
        told = answer.json() if answer.content else {}
    except ValueError as error:
        raise errors.Unavailable("Lemon Squeezy did not answer as expected.") from error
    if not isinstance(told, dict):
        raise errors.Unavailable("Lemon Squeezy did not answer as expected.")
    return told


def _translated(answer: httpx.Response) -> errors.ProviderError:
    """Their error in our words. The default is Unavailable: when in doubt, it may have happened."""
    kind = _KINDS.get(answer.status_code, errors.Unavailable)
    words = {"code": str(answer.status_code), "request_id": answer.headers.get("cf-ray")}
    if kind is errors.AuthFailed:
        return kind("Lemon Squeezy does not accept the API key for this.", **words)
    if kind is errors.Unavailable:
        return kind("Lemon Squeezy did not answer as expected.", **words)
    return kind(_said(answer) or f"Lemon Squeezy answered {answer.status_code}.", **words)


def _said(answer: httpx.Response) -> str:
    """The sentence of its first error, with the place it names."""
    try:
        first = answer.json()["errors"][0]
        place = (first.get("source") or {}).get("pointer")
        said = str(first.get("detail") or first.get("title") or "")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return ""
    return f"{said} ({place})" if place else said
