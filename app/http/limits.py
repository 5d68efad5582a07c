"""Rate limits: how often each thing may be tried, on one page, counted exactly across all processes (ASVS 6.3.1).

The counting is Flask-Limiter's, in our own database or, with REDIS_URL, in Redis. A limit that is used up is a
`TooManyRequests` with the seconds to wait. No limit locks anyone out for good: every window ends by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from flask import Flask, current_app
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import RateLimitItem, parse

from app import clock
from app.config import Settings
from app.errors import TooManyRequests
from app.extensions import db
from app.http.limit_storage import SCHEME, DatabaseStorage

# An account's limit alone would let a stranger lock its owner out for long; the address's limit alone would let many
# addresses try one account. So guesses spend from both, and the account's window is short.
RULES: dict[str, RateLimitItem] = {
    name: parse(rule)
    for name, rule in {
        "sign-in.account": "10 per 15 minutes",
        "sign-in.address": "60 per 15 minutes",
        "sign-up.address": "20 per hour",
        "reset.account": "5 per hour",
        "reset.address": "30 per hour",
        "verify.account": "5 per hour",
        "link.address": "60 per 15 minutes",  # following mailed links: nobody guesses 256 bits, but let them not try
        "password.account": "10 per 15 minutes",  # proving one's current password
        # Codes have six digits, so their limit is lower, and there is one for the day; by then the password is known.
        "code.account": "5 per 15 minutes",
        "code.account.day": "40 per day",
        "invitation.customer": "50 per day",
        "topup.customer": "20 per 10 minutes",
        "plan.customer": "120 per 10 minutes",  # previews ask the provider
        "card.customer": "30 per 10 minutes",  # each asks the provider several times
        "api-key.customer": "20 per hour",
        "api.key": "600 per minute",
    }.items()
}


def register(app: Flask) -> None:
    """Make this application's limiter. One per application, not a global: two must not share their counts."""
    settings: Settings = app.extensions["settings"]
    with app.app_context():
        engine = db.engine
    options: dict[str, Any] = {} if settings.redis_url else {"engine": engine}
    app.extensions["rate_limiter"] = Limiter(
        get_remote_address,
        app=app,
        storage_uri=settings.redis_url or f"{SCHEME}://",
        storage_options=options,
        strategy="fixed-window",
        key_prefix="purser",
    )


@dataclass(frozen=True, slots=True)
class Window:
    """A limit with its count in the window now. `count` may be more than `limit`: refused tries count too."""

    limit: int
    count: int
    ends_at: datetime

    @property
    def is_over(self) -> bool:
        return self.count > self.limit

    @property
    def left(self) -> int:
        return max(0, self.limit - self.count)

    @property
    def wait(self) -> int:
        """Whole seconds until it ends, at least one."""
        return max(1, -((clock.now() - self.ends_at) // timedelta(seconds=1)))


def spend(rule: str, *who: str) -> None:
    """Count one try of `rule` by `who` (a key, a customer, an address). Raises TooManyRequests.

    Details: retry_after in seconds. Call it outside of a transaction: the try counts even when what follows is
    refused and rolled back.
    """
    refuse(count(RULES[rule], rule, *who))


def refuse(window: Window) -> None:
    """Raises TooManyRequests where the window is over its limit."""
    if window.is_over:
        raise TooManyRequests(f"Too many tries. Try again in {_in_words(window.wait)}.", retry_after=window.wait)


def count(limit: RateLimitItem, *who: str) -> Window:
    """Count one try against a limit, refused or not; one statement in our own database."""
    strategy = current_app.extensions["rate_limiter"].limiter
    if isinstance(strategy.storage, DatabaseStorage):
        return Window(limit.amount, *strategy.storage.count(limit.key_for(*who), limit.get_expiry()))
    counted = int(strategy.storage.incr(limit.key_for(*who), limit.get_expiry()))
    return Window(limit.amount, counted, _ends(strategy.storage.get_expiry(limit.key_for(*who))))


def look(limit: RateLimitItem, *who: str) -> Window:
    """The count as it is, without a try. Of a window that has not begun the end is now."""
    storage = current_app.extensions["rate_limiter"].limiter.storage
    key = limit.key_for(*who)
    counted = int(storage.get(key))
    return Window(limit.amount, counted, _ends(storage.get_expiry(key)) if counted else clock.now())


def _ends(seconds: float) -> datetime:  # since 1970, as the library tells it
    return datetime.fromtimestamp(round(seconds), UTC)


def address() -> str:
    """Where the request came from; behind proxies only as far as PURSER_TRUSTED_PROXIES says they are ours.

    Of an IPv6 address the network alone: every subscriber has 2^64 addresses, and would have a limit for each.
    """
    text = str(get_remote_address())
    try:
        known = ip_address(text.partition("%")[0])
    except ValueError:
        return text[:45]  # a proxy may name what it likes
    if known.version == 4:
        return str(known)
    assert isinstance(known, IPv6Address)
    return str(known.ipv4_mapped or ip_network((known, 64), strict=False))


def _in_words(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds" if seconds > 1 else "a second"
    return f"{-(-seconds // 60)} minutes"
