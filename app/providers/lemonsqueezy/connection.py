"""The line to Lemon Squeezy: JSON:API, page by page, and its errors in our words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.providers import errors, http_line
from app.providers.http_line import Line, kind_of

Json = http_line.Json
Params = Mapping[str, str | int]
API = "https://api.lemonsqueezy.com"
_JSON_API = "application/vnd.api+json"
_PAGE = 100


class Connection(Line):
    """One store's client."""

    title = "Lemon Squeezy"

    def __init__(self, key: str, *, api_base: str) -> None:
        spoken = {"Accept": _JSON_API, "Content-Type": _JSON_API}
        super().__init__(f"{(api_base or API).rstrip('/')}/v1", {"Authorization": f"Bearer {key}", **spoken})

    def read(self, path: str, params: Params | None = None) -> Json:
        """The document at this path. Reading may be repeated, so a lost answer is asked for once more.

        Raises ProviderError.
        """
        try:
            return self.call("GET", path, params=params)
        except errors.Unavailable:
            return self.call("GET", path, params=params)

    def write(self, method: str, path: str, document: Json | None = None) -> Json:
        """One change. Raises ProviderError."""
        return self.call(method, path, json=document)

    def pages(self, path: str, params: Params, *, most: int = 1000) -> Iterator[Json]:
        """The items of a list, newest first, page by page as they are asked for. Raises ProviderError."""
        number, last, seen = 1, 1, 0
        while number <= last and seen < most:
            document = self.read(path, {**params, "page[number]": number, "page[size]": _PAGE})
            yield from document["data"]
            seen += len(document["data"])
            last = ((document.get("meta") or {}).get("page") or {}).get("lastPage") or 1
            number += 1

    def refusal(self, status: int, told: Json, headers: Mapping[str, str]) -> errors.ProviderError:
        """The sentence of its first error, with the place it names."""
        kind = kind_of(status)
        words = {"code": str(status), "request_id": headers.get("cf-ray")}
        if kind is errors.AuthFailed:
            return kind("Lemon Squeezy does not accept the API key for this.", **words)
        if kind is errors.Unavailable:
            return kind(self.silent, **words)
        return kind(_said(told) or f"Lemon Squeezy answered {status}.", **words)


def _said(told: Json) -> str:
    try:
        first = told["errors"][0]
        place = (first.get("source") or {}).get("pointer")
        said = str(first.get("detail") or first.get("title") or "")
    except (KeyError, IndexError, TypeError, AttributeError):
        return ""
    return f"{said} ({place})" if place else said
