"""Stripe's error answers, raised as one exception that knows its status and body."""

from __future__ import annotations

from typing import Any

_DOCS = "https://docs.stripe.com/error-codes/"


class Fault(Exception):
    """An answer that is not 200. `keeps` means that what happened before it stays: a declined charge is a fact."""

    def __init__(self, status: int, kind: str, message: str, *, keeps: bool = False, **details: Any) -> None:
        super().__init__(message)
        self.status, self.keeps = status, keeps
        known = {name: value for name, value in details.items() if value is not None}
        self.error: dict[str, Any] = {"type": kind, "message": message, **known}
        if code := details.get("code"):
            self.error["doc_url"] = _DOCS + str(code).replace("_", "-")

    @property
    def body(self) -> dict[str, Any]:
        """The answer as Stripe writes it."""
        return {"error": self.error}


def refused(message: str, *, code: str | None = None, param: str | None = None) -> Fault:
    """400: the request breaks a rule."""
    return Fault(400, "invalid_request_error", message, code=code, param=param)


def missing(kind: str, identifier: str, param: str = "id") -> Fault:
    """404 for the object asked for, 400 for one that a parameter names, as Stripe tells them apart."""
    noun = kind.replace(".", " ").replace("_", " ") if kind != "payment_method" else "PaymentMethod"
    status = 404 if param in ("id", "intent", "session") else 400
    return Fault(
        status, "invalid_request_error", f"No such {noun}: '{identifier}'", code="resource_missing", param=param
    )


def not_built(what: str) -> Fault:
    """400: Stripe can do this, the sandbox cannot yet. Told plainly, because silence would look like success."""
    return refused(f"{what} is not built yet in this sandbox.", code="sandbox_not_built")
