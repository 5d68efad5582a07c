"""What can go wrong, by name. `Refused` and below carry Purser's own code, sentence and details."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class PurserError(Exception):
    """Anything this client raises."""


class Unreachable(PurserError):
    """No answer came, also after the retries. Whether Purser did it is not known: repeat with the same `key`."""


class WebhookInvalid(PurserError):
    """This message is not from your Purser, or is too old. Answer 400 and do nothing."""


class Refused(PurserError):
    """Purser said no. `code` is for your program, the message for a person, `details` as the call documents."""

    def __init__(
        self, status: int, code: str, message: str, details: Mapping[str, Any], request_id: str | None = None
    ) -> None:
        super().__init__(f"{message} ({status} {code})")
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.request_id = request_id  # find it in Purser's log

    @property
    def field(self) -> str | None:
        """The field of the request at fault, if one is."""
        found = self.details.get("field")
        return str(found) if found is not None else None


class Invalid(Refused):
    """400, 413, 415, 422: the request makes no sense; `field` says where."""


class Unauthorized(Refused):
    """401: no key, a wrong or a revoked one."""


class PaymentNeeded(Refused):
    """402: the wallet, the credits or the card cannot pay it, or the customer's own cap is reached."""


class Forbidden(Refused):
    """403: the key may not do this."""


class LimitReached(Forbidden):
    """403: the plan does not allow it, or is not paid. `details` has `remedy`, and in `upgrade` the plan that would."""


class NotFound(Refused):
    """404: there is no such thing, or it is another customer's."""


class Conflict(Refused):
    """409: something else is in the way or happened first; among them an Idempotency-Key used for something else."""


class RateLimited(Refused):
    """429, also after the retries; `retry_after` is in seconds."""

    @property
    def retry_after(self) -> int:
        """How long to wait."""
        return int(self.details.get("retry_after", 1))


class ServerFault(Refused):
    """5xx, also after the retries."""


_BY_STATUS: Mapping[int, type[Refused]] = {
    401: Unauthorized,
    402: PaymentNeeded,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}
_OF_PLAN = ("TIER_LIMIT_EXCEEDED", "SUBSCRIPTION_RESTRICTED")


def refusal(status: int, body: Any, request_id: str | None) -> Refused:
    """The exception for an answer that is no success, whatever its body looks like."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        error = {}
    code = str(error.get("code", "UNREADABLE"))
    message = str(error.get("message", "Purser answered something that is not an answer of its API."))
    details = error.get("details")
    kind = ServerFault if status >= 500 else _BY_STATUS.get(status, Invalid)
    if status == 403 and code in _OF_PLAN:
        kind = LimitReached
    return kind(status, code, message, details if isinstance(details, dict) else {}, request_id)
