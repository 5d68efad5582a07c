"""The line to Creem: one HTTP client; its errors in our words."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import httpx

from app.providers import errors

Json = dict[str, Any]
LIVE, TEST = "https://api.creem.io", "https://test-api.creem.io"
_PAGE = 50


def is_test_key(key: str) -> bool:
    return key.startswith("creem_test_")


class Connection:
    """One store's client. Safe to share between threads; opens nothing until the first call."""

    def __init__(self, key: str, *, api_base: str) -> None:
        self._key = key
        self._base = api_base or (TEST if is_test_key(key) else LIVE)

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(
            base_url=self._base,
            headers={"x-api-key": self._key, "Accept": "application/json"},
            timeout=httpx.Timeout(timeout=20, connect=3.05),
            follow_redirects=False,  # the key must not travel on
        )

    def close(self) -> None:
        """Let go of the line; the next call opens another."""
        open_line = self.__dict__.pop("_http", None)
        if open_line is not None:
            open_line.close()

    def get(self, path: str, **params: str | int) -> Json:
        """Raises ProviderError."""
        return self._call("GET", path, params=params)

    def post(self, path: str, wanted: Json) -> Json:
        """Creem knows no idempotency keys: whoever calls looks first whether it is done. Raises ProviderError."""
        return self._call("POST", path, json=wanted)

    def transactions(self, *, most: int = 200, **params: str) -> list[Json]:
        """Found by customer, order or product; newest first. Raises ProviderError."""
        found: list[Json] = []
        page: int | None = 1
        while page is not None and len(found) < most:
            told = self.get("/v1/transactions/search", page_number=page, page_size=_PAGE, **params)
            found += told["items"]
            page = (told.get("pagination") or {}).get("next_page")
        return found

    def _call(self, method: str, path: str, **more: Any) -> Json:
        try:
            answer = self._http.request(method, path, **more)
            told = answer.json() if answer.content else {}
        except (httpx.HTTPError, ValueError) as error:
            raise errors.Unavailable("Creem did not answer as expected.", code=type(error).__name__) from error
        if answer.is_success and isinstance(told, dict):
            return told
        raise _translated(answer.status_code, told if isinstance(told, dict) else {})


def _translated(status: int, told: Json) -> errors.ProviderError:
    """Creem's error in our words. The default is Unavailable: when in doubt, it may have happened."""
    message = told.get("message")
    said = "; ".join(str(each) for each in message) if isinstance(message, list) else str(message or status)
    words = {"code": str(told.get("error") or status), "request_id": told.get("trace_id")}
    if status in (401, 403):
        return errors.AuthFailed("Creem does not accept the API key for this.", **words)
    kinds: dict[int, type[errors.ProviderError]] = {
        402: errors.Declined,
        404: errors.NotFound,
        409: errors.Conflict,
        429: errors.RateLimited,
        **dict.fromkeys((400, 422), errors.InvalidRequest),
    }
    kind = kinds.get(status, errors.Unavailable)
    return kind("Creem did not answer as expected." if kind is errors.Unavailable else said, **words)
