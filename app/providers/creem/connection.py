"""The line to Creem: what is asked of it, and its errors in our words."""

from __future__ import annotations

from collections.abc import Mapping

from app.providers import errors, http_line
from app.providers.http_line import Line, kind_of

Json = http_line.Json
LIVE, TEST = "https://api.creem.io", "https://test-api.creem.io"
_PAGE = 50


def is_test_key(key: str) -> bool:
    return key.startswith("creem_test_")


class Connection(Line):
    """One store's client."""

    title = "Creem"

    def __init__(self, key: str, *, api_base: str) -> None:
        super().__init__(api_base or (TEST if is_test_key(key) else LIVE), {"x-api-key": key})

    def get(self, path: str, **params: str | int) -> Json:
        """Raises ProviderError."""
        return self.call("GET", path, params=params)

    def post(self, path: str, wanted: Json) -> Json:
        """Raises ProviderError."""
        return self.call("POST", path, json=wanted)

    def transactions(self, *, most: int = 200, **params: str) -> list[Json]:
        """Found by customer, order or product; newest first. Raises ProviderError."""
        found: list[Json] = []
        page: int | None = 1
        while page is not None and len(found) < most:
            told = self.get("/v1/transactions/search", page_number=page, page_size=_PAGE, **params)
            found += told["items"]
            page = (told.get("pagination") or {}).get("next_page")
        return found

    def refusal(self, status: int, told: Json, headers: Mapping[str, str]) -> errors.ProviderError:  # noqa: ARG002 - its bodies name the request
        """Its sentences are a list at times."""
        message = told.get("message")
        said = "; ".join(str(each) for each in message) if isinstance(message, list) else str(message or status)
        words = {"code": str(told.get("error") or status), "request_id": told.get("trace_id")}
        kind = kind_of(status)
        if kind is errors.AuthFailed:
            return kind("Creem does not accept the API key for this.", **words)
        return kind(self.silent if kind is errors.Unavailable else said, **words)
