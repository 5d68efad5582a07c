"""The line to Polar: one HTTP client; its errors in our words."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import httpx

from app.providers import errors

Json = dict[str, Any]
API = "https://api.polar.sh"
VERSION = "2026-10"
_PAGE = 100
_NOT_ALLOWED = ("insufficient_scope", "NotPermitted", "Unauthorized")  # 403, where the token is what is wrong


class Connection:
    """One organization's client. Safe to share between threads; opens nothing until the first call."""

    def __init__(self, token: str, *, api_base: str, organization_id: str = "") -> None:
        self._token = token
        self._base = api_base or API
        self.owner = {"organization_id": organization_id} if organization_id else {}

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(
            base_url=self._base,
            headers={"Authorization": f"Bearer {self._token}", "Polar-Version": VERSION, "Accept": "application/json"},
            timeout=httpx.Timeout(timeout=20, connect=3.05),
            follow_redirects=False,  # the token must not travel on
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
        """Polar knows no idempotency keys: whoever calls looks first whether it is done. Raises ProviderError."""
        return self._call("POST", path, json=wanted)

    def patch(self, path: str, wanted: Json) -> Json:
        """Raises ProviderError."""
        return self._call("PATCH", path, json=wanted)

    def delete(self, path: str) -> Json:
        """Raises ProviderError."""
        return self._call("DELETE", path)

    def pages(self, path: str, *, most: int = 1000, **params: str | int) -> list[Json]:
        """Every item of a list, over all its pages, at most `most`. Raises ProviderError."""
        found: list[Json] = []
        page, last = 1, 1
        while page <= last and len(found) < most:
            told = self.get(path, page=page, limit=_PAGE, **params)
            found += told["items"]
            page, last = page + 1, told["pagination"]["max_page"]
        return found

    def _call(self, method: str, path: str, **more: Any) -> Json:
        try:
            answer = self._http.request(method, path, **more)
            told = answer.json() if answer.content else {}
        except (httpx.HTTPError, ValueError) as error:
            raise errors.Unavailable("Polar did not answer as expected.", code=type(error).__name__) from error
        if answer.is_success and isinstance(told, dict):
            return told
        raise _translated(answer.status_code, told if isinstance(told, dict) else {}, answer.headers)


def _translated(status: int, told: Json, headers: httpx.Headers) -> errors.ProviderError:
    """Polar's error in our words. The default is Unavailable: when in doubt, it may have happened."""
    code, detail = told.get("error"), told.get("detail")
    words = {"code": str(code) if code else str(status), "request_id": headers.get("x-request-id")}
    said = "; ".join(_complaint(each) for each in detail) if isinstance(detail, list) else str(detail or code or status)
    if status == 401 or (status == 403 and code in _NOT_ALLOWED):
        return errors.AuthFailed("Polar does not accept the access token for this.", **words)
    if status == 422 and "customer_id" in said:  # the customer of a checkout that is gone
        return errors.NotFound(said, **words)
    kinds: dict[int, type[errors.ProviderError]] = {
        402: errors.Declined,
        404: errors.NotFound,
        409: errors.Conflict,
        429: errors.RateLimited,
        **dict.fromkeys((400, 403, 412, 422), errors.InvalidRequest),
    }
    kind = kinds.get(status, errors.Unavailable)
    return kind("Polar did not answer as expected." if kind is errors.Unavailable else said, **words)


def _complaint(each: Any) -> str:
    if not isinstance(each, dict):
        return str(each)
    return f"{'.'.join(str(part) for part in each.get('loc') or ())}: {each.get('msg')}"
