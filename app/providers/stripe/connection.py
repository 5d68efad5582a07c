"""The line to Stripe: the SDK's client, loaded on first use; its errors in our words, its answers as plain dicts."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any

from app.providers import errors

Json = dict[str, Any]
_PAGE = 100
# Parameters that name what is sold or taken off. Where Stripe has no such thing, staff named it or removed it there.
_OF_WHAT_IS_SOLD = re.compile(r"(^|\[)(price|product|coupon|promotion_code)(\]|$)")


class CardRefused(errors.Declined):
    """A decline with what Stripe told about it: the payment intent exists, and its id is in here."""

    def __init__(self, message: str, *, code: str | None, request_id: str | None, told: Json) -> None:
        super().__init__(message, code=code, request_id=request_id)
        self.told = told


class Connection:
    """One account's client. Safe to share between threads; opens nothing until the first call."""

    def __init__(self, key: str, *, api_base: str) -> None:
        self._key = key
        self._api_base = api_base

    @cached_property
    def sdk(self) -> Any:
        sdk: Any = import_module("stripe")  # 0.3 s and 34 MB: not for a process that never calls out
        sdk.enable_telemetry = False
        return sdk

    @cached_property
    def client(self) -> Any:
        return self.sdk.StripeClient(
            self._key,
            max_network_retries=2,  # without this the client tries once
            http_client=self.sdk.RequestsClient(timeout=(3.05, 20)),
            base_addresses={"api": self._api_base.rstrip("/")} if self._api_base else {},
        )

    def call(self, verb: Callable[[Any], Any]) -> Json:
        """What Stripe answers to one SDK call on `client.v1`, as plain data. Raises ProviderError."""
        try:
            answer: Json = verb(self.client.v1).to_dict(for_json=True)
        except self.sdk.StripeError as error:
            raise _translated(self.sdk, error) from error
        return answer

    def pages(self, verb: Callable[[Any, Json], Any], *, most: int = 1000) -> list[Json]:
        """Every item of a list call, over all its pages, at most `most`. Raises ProviderError."""
        found: list[Json] = []
        more = True
        while more and len(found) < most:
            after = {"starting_after": found[-1]["id"]} if found else {}
            page = self.call(lambda v1, after=after: verb(v1, {"limit": _PAGE, **after}))  # type: ignore[misc]
            found += page["data"]
            more = bool(page["has_more"]) and bool(page["data"])
        return found


def _translated(sdk: Any, error: Any) -> errors.ProviderError:
    """Stripe's error in our words. The default is Unavailable: when in doubt, it may have happened."""
    told = (error.json_body.get("error") or {}) if isinstance(error.json_body, dict) else {}
    code = error.code or told.get("code")  # the SDK fills in `code` for some of its classes only
    words = {"code": code, "request_id": error.request_id}
    said = str(error.user_message or code or type(error).__name__)
    if isinstance(error, sdk.CardError):
        return CardRefused(said, told=told, **words)
    if isinstance(error, sdk.AuthenticationError | sdk.PermissionError):
        return errors.AuthFailed("Stripe does not accept the API key for this.", **words)
    if isinstance(error, sdk.IdempotencyError):
        return errors.Conflict(said, code="idempotency_error", request_id=error.request_id)
    kind = _kind(sdk, error, code)
    if kind is errors.NotFound and error.http_status == 400 and _OF_WHAT_IS_SOLD.search(str(error.param or "")):
        sentence = f"Stripe: {said}. Make it there, or name another in the catalogue."
        return errors.NotConfigured(sentence, **words)
    return kind("Stripe did not answer as expected." if kind is errors.Unavailable else said, **words)


def _kind(sdk: Any, error: Any, code: str | None) -> type[errors.ProviderError]:
    if isinstance(error, sdk.RateLimitError) or error.http_status == 429:
        return errors.RateLimited
    if error.http_status == 409 or code == "lock_timeout":
        return errors.Conflict
    if isinstance(error, sdk.InvalidRequestError):
        missing = error.http_status == 404 or code == "resource_missing"
        return errors.NotFound if missing else errors.InvalidRequest
    return errors.Unavailable
