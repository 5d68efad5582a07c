"""The line to a provider that is spoken to in plain HTTP: one pooled client, JSON both ways, its errors as ours."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import httpx

from app.providers import errors

Json = dict[str, Any]

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


def kind_of(status: int) -> type[errors.ProviderError]:
    """The error a status stands for. The default is Unavailable: when in doubt, it may have happened."""
    return _KINDS.get(status, errors.Unavailable)


class Line:
    """One account's client. Safe to share between threads; opens nothing until the first call."""

    title: str  # of the provider, in sentences

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        """`headers` go with every call, the key among them."""
        self._base_url = base_url
        self._headers = {"Accept": "application/json", **headers}

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(
            base_url=self._base_url,
            headers=self._headers,
            timeout=httpx.Timeout(timeout=20, connect=3.05),
            follow_redirects=False,  # the key must not travel on
            trust_env=False,  # nor does the environment choose another way
        )

    def close(self) -> None:
        """Let go of the line; the next call opens another."""
        open_line = self.__dict__.pop("_http", None)
        if open_line is not None:
            open_line.close()

    def call(self, method: str, path: str, **more: Any) -> Json:
        """What it answers, asked once. None of these providers knows idempotency keys: whoever writes looks first
        whether it is done. Raises ProviderError.
        """
        try:
            answer = self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise errors.Unavailable(self.silent, code=type(error).__name__) from error
        told = _document(answer)
        if answer.is_success and told is not None:
            return told
        raise self.refusal(answer.status_code, told or {}, answer.headers)

    @property
    def silent(self) -> str:
        """The sentence for an answer nobody can rely on."""
        return f"{self.title} did not answer as expected."

    def refusal(self, status: int, told: Json, headers: Mapping[str, str]) -> errors.ProviderError:
        """What it said, as one of our errors; a success that was no JSON object is an error too."""
        raise NotImplementedError


def _document(answer: httpx.Response) -> Json | None:
    """The JSON object it answered, nothing being an empty one; None for anything else."""
    try:
        told = answer.json() if answer.content else {}
    except ValueError:
        return None
    return told if isinstance(told, dict) else None
