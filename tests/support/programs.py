"""A program that calls the API, and the shape its errors have."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.support.people import Person
from tests.support.web import PageClient


@dataclass(frozen=True)
class Program:
    """A program with a key. `program.post("/v1/…", {…}, key="k")` sends JSON under an Idempotency-Key."""

    app: Flask
    secret: str = ""
    customer_id: str = ""

    def get(self, path: str, **headers: str) -> TestResponse:
        return self._client().get(path, headers=self._headers(**headers))

    def post(self, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> TestResponse:
        told = self._headers(**headers)
        if key is not None:
            told["Idempotency-Key"] = key
        sent: dict[str, Any] = {} if body is None else {"json": body}
        return self._client().post(path, headers=told, **sent)

    def delete(self, path: str, **headers: str) -> TestResponse:
        return self._client().delete(path, headers=self._headers(**headers))

    def post_raw(self, path: str, body: bytes, content_type: str = "application/json") -> TestResponse:
        return self._client().post(path, headers=self._headers(), data=body, content_type=content_type)

    def in_the_name_of(self, who: Person) -> Program:
        return replace(self, customer_id=who.customer_id)

    def _client(self) -> PageClient:
        client = self.app.test_client()
        assert isinstance(client, PageClient)
        return client

    def _headers(self, **more: str) -> dict[str, str]:
        told = {name.replace("_", "-"): value for name, value in more.items()}
        if self.secret:
            told.setdefault("Authorization", f"Bearer {self.secret}")
        if self.customer_id:
            told.setdefault("Purser-Customer", self.customer_id)
        return told


def error(answer: TestResponse) -> dict[str, Any]:
    """The error object, after its shape was checked."""
    told = answer.get_json()
    assert set(told) == {"error"}, told
    assert set(told["error"]) == {"code", "message", "details"}, told
    assert answer.mimetype == "application/json"
    return dict(told["error"])
