"""The line to Polar: what is asked of it, and its errors in our words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.providers import errors, http_line
from app.providers.http_line import Line, kind_of

Json = http_line.Json
API = "https://api.polar.sh"
VERSION = "2026-10"
_PAGE = 100
_NOT_ALLOWED = ("insufficient_scope", "NotPermitted", "Unauthorized")  # 403, where the token is what is wrong


class Connection(Line):
    """One organization's client."""

    title = "Polar"

    def __init__(self, token: str, *, api_base: str, organization_id: str = "") -> None:
        super().__init__(api_base or API, {"Authorization": f"Bearer {token}", "Polar-Version": VERSION})
        self.owner = {"organization_id": organization_id} if organization_id else {}

    def get(self, path: str, **params: str | int) -> Json:
        """Raises ProviderError."""
        return self.call("GET", path, params=params)

    def post(self, path: str, wanted: Json) -> Json:
        """Raises ProviderError."""
        return self.call("POST", path, json=wanted)

    def patch(self, path: str, wanted: Json) -> Json:
        """Raises ProviderError."""
        return self.call("PATCH", path, json=wanted)

    def delete(self, path: str) -> Json:
        """Raises ProviderError."""
        return self.call("DELETE", path)

    def pages(self, path: str, *, most: int = 1000, **params: str | int) -> list[Json]:
        """Every item of a list, over all its pages, at most `most`. Raises ProviderError."""
        found: list[Json] = []
        page, last = 1, 1
        while page <= last and len(found) < most:
            told = self.get(path, page=page, limit=_PAGE, **params)
            found += told["items"]
            page, last = page + 1, told["pagination"]["max_page"]
        return found

    def refusal(self, status: int, told: Json, headers: Mapping[str, str]) -> errors.ProviderError:
        """A 403 may be about the token, or about what was asked; a 422 may say that the customer is gone."""
        code, detail = told.get("error"), told.get("detail")
        words = {"code": str(code) if code else str(status), "request_id": headers.get("x-request-id")}
        said = _complaints(detail) if isinstance(detail, list) else str(detail or code or status)
        if status == 401 or (status == 403 and code in _NOT_ALLOWED):
            return errors.AuthFailed("Polar does not accept the access token for this.", **words)
        if status == 422 and "customer_id" in said:  # the customer of a checkout that is gone
            return errors.NotFound(said, **words)
        if status == 422 and "products" in said:  # one that the catalogue names, and that is gone or archived
            return errors.NotConfigured(f"Polar cannot sell it: {said}", **words)
        kind = errors.InvalidRequest if status in (403, 412) else kind_of(status)
        return kind(self.silent if kind is errors.Unavailable else said, **words)


def _complaints(detail: list[Any]) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in each.get('loc') or ())}: {each.get('msg')}"
        if isinstance(each, dict)
        else str(each)
        for each in detail
    )
