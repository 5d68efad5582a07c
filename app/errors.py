"""Refusals: what the rules turn down, said once for people and for programs (SPEC R8).

A domain raises a subclass of `Refusal`; it knows no HTTP. One table in `app/http/errors.py` gives each its status.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Refusal(Exception):
    """A request the rules turn down. `sentence` is fit to show a person, `details` is fit for a program."""

    code: ClassVar[str] = "REFUSED"

    def __init__(self, sentence: str, **details: Any) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.details = details

    @property
    def field(self) -> str | None:
        """The input field at fault, if one is."""
        return self.details.get("field")


class Invalid(Refusal):
    """The input makes no sense; `field` in the details names where."""

    code = "INVALID_REQUEST"


class Unreadable(Refusal):
    """What came cannot be read at all: not JSON where JSON is asked for, for example."""

    code = "BAD_REQUEST"


class NotFound(Refusal):
    """There is no such thing, or it is not yours: the two answers are the same on purpose."""

    code = "NOT_FOUND"


class Forbidden(Refusal):
    """You are known, and may not do this."""

    code = "FORBIDDEN"


class LimitReached(Forbidden):
    """A limit of the plan refused. Details: limit, used, left, resets_at, plan, remedy, upgrade (SPEC R8).

    `upgrade` is the key of the cheapest plan that would allow it, None where there is none.
    """

    code = "TIER_LIMIT_EXCEEDED"


class SubscriptionRestricted(Forbidden):
    """The plan is not paid and its days of grace are over: what it allows is not there. Details as of a limit."""

    code = "SUBSCRIPTION_RESTRICTED"


class Unauthorized(Refusal):
    """We do not know who you are."""

    code = "UNAUTHORIZED"


class Conflict(Refusal):
    """Something else is in the way, or happened first."""

    code = "CONFLICT"


class InsufficientFunds(Refusal):
    """The wallet (or the credits) cannot pay this. Details: available_micros, needed_micros; or available, needed."""

    code = "INSUFFICIENT_CREDITS"


class WalletFrozen(Forbidden):
    """Nothing is spent or held from a wallet that a dispute or staff have frozen (SPEC W5). Details: remedy."""

    code = "WALLET_FROZEN"


class SpendCapReached(Refusal):
    """The customer's own cap on what overage may cost in a period is reached (SPEC U4). Details: in micros."""

    code = "SPEND_CAP_REACHED"


class IdempotencyKeyReused(Refusal):
    """The same key came with other content (SPEC R5)."""

    code = "IDEMPOTENCY_KEY_REUSED"


class TooManyRequests(Refusal):
    """A rate limit refused. Details: retry_after in seconds."""

    code = "RATE_LIMITED"


class UnsupportedByChannel(Refusal):
    """This provider cannot do that (SPEC V1)."""

    code = "UNSUPPORTED_BY_CHANNEL"


class ProviderDown(Refusal):
    """The payment provider did not answer or answered nonsense; no money moved that we know of. Details: channel."""

    code = "PROVIDER_UNAVAILABLE"


class PaymentRefused(Refusal):
    """The payment did not go through: nothing was charged, nothing changed. The sentence is the provider's reason."""

    code = "PAYMENT_FAILED"


class ActionRequired(Refusal):
    """The customer must confirm the payment with their bank first. Details: url, where they do; it may be None."""

    code = "PAYMENT_ACTION_REQUIRED"
