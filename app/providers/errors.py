"""What can go wrong with a provider: every adapter maps its vendor's errors to exactly these.

Only `Unavailable` means "it may have happened": send the same key again, or find out, before using a new one.
"""

from __future__ import annotations


class ProviderError(Exception):
    """A provider said no, or nothing. `code` and `request_id` are the vendor's own, for the log."""

    def __init__(self, message: str, *, code: str | None = None, request_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.request_id = request_id


class Declined(ProviderError):
    """The customer's card was refused: show it, never retry by ourselves."""


class InvalidRequest(ProviderError):
    """Our mistake, or our picture is out of date: never retried as it is."""


class NotFound(InvalidRequest):
    """The provider has no such thing."""


class NotConfigured(InvalidRequest):
    """What is to be sold has no counterpart at the provider. Its message says what to make and where to name it."""


class Conflict(ProviderError):
    """The same key with other content, or the object is busy."""


class RateLimited(ProviderError):
    """Too fast; nothing happened. Retry later."""


class Unavailable(ProviderError):
    """No answer, or none to rely on. The outcome is unknown: retry with the same key."""


class AuthFailed(ProviderError):
    """The key is wrong, revoked, or may not do this."""


class BadSignature(ProviderError):
    """A webhook that was not signed by the provider, or not lately."""


class BadPayload(ProviderError):
    """Rightly signed, and still not an event."""
