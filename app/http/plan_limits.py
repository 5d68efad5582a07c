"""How often a customer's own programs may call the API: what their plan says, told with every answer (SPEC U6).

Reads and writes a minute are the customer's, across all their keys and all our processes. A plan that says nothing
leaves each key to the limit of any key. The host product's and the back office's keys have no plan.

What a plan says is remembered for `REMEMBERED` in each process, so that a call costs no query for it; after a change of
plan the old limits may count for as long.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

from flask import Flask, Response, current_app, g, request
from limits import RateLimitItem, RateLimitItemPerMinute

from app import clock
from app.entitlements import api_terms, production
from app.entitlements.api_terms import ApiTerms
from app.entitlements.verdicts import RateNow
from app.extensions import db
from app.http import limits
from app.http.limits import RULES, Window

REMEMBERED = timedelta(seconds=10)
_MOST = 10_000  # customers remembered by one process
_NAMES = ("reads", "writes")
_READS = ("GET", "HEAD")
# Where live keys may write without production access: what settles the plan and its payment, and what only asks.
_OPEN = ("/v1/billing/", "/api/wallet/", "/payment/", "/subscription/", "/v1/entitlements/", "/v1/credits/quote")


class Remembered:
    """The terms of the customers who called last."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[datetime, ApiTerms]] = OrderedDict()

    def of(self, customer_id: str) -> ApiTerms:
        """Their terms, at most `REMEMBERED` old."""
        now, (read_at, terms) = clock.now(), self._known.get(customer_id, (None, None))
        if read_at is None or terms is None or not timedelta() <= now - read_at < REMEMBERED:
            terms = api_terms.of(db.session(), customer_id)
            self._known[customer_id] = (now, terms)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        return terms


def register(app: Flask) -> None:
    """From here on the answers to limited keys say what is left of the limit."""
    app.extensions["plan_terms"] = Remembered()
    app.after_request(_tell)


def terms_of(customer_id: str) -> ApiTerms:
    """What the customer's plan says to their programs, at most ten seconds old."""
    remembered: Remembered = current_app.extensions["plan_terms"]
    return remembered.of(customer_id)


def spend(customer_id: str, key_id: str) -> None:
    """Count this request of a customer's key. Raises TooManyRequests, with the plan that would allow more."""
    name = "reads" if request.method in _READS else "writes"
    said = terms_of(customer_id).calls
    general = RULES["api.key"]
    g.rate_policies = [(one, said[one], 60) for one in _NAMES if said.get(one) is not None]
    if any(one not in said for one in _NAMES):
        g.rate_policies.append(("calls", general.amount, general.get_expiry()))
    if name not in said:
        g.rate_window = "calls", limits.count(general, "api.key", key_id)
        limits.refuse(g.rate_window[1])
        return
    limit = said[name]
    if limit is None:
        return
    window = limits.count(*_of(name, limit, customer_id))
    g.rate_window = name, window
    if window.is_over:
        raise api_terms.too_fast(db.session(), customer_id, name, limit, lambda _name, _limit: _told(window))


def need_production(customer_id: str) -> None:
    """For a live key: raises LimitReached for a write while the customer's plan has no production access (SPEC P4).

    Reading goes on, and so does all that gets the access back: choosing a plan, paying, topping up.
    """
    if request.method in _READS or request.path.startswith(_OPEN) or terms_of(customer_id).has_production:
        return
    production.need(db.session(), customer_id)  # asked anew: an upgrade counts at once


def rate_now(customer_id: str) -> RateNow:
    """Knows how many calls this customer's programs made in this minute, for the entitlement check."""
    return lambda name, limit: _told(limits.look(*_of(name, limit, customer_id)))


def _of(name: str, limit: int, customer_id: str) -> tuple[RateLimitItem, str, str]:
    return RateLimitItemPerMinute(limit), f"plan.{name}", customer_id


def _told(window: Window) -> tuple[int, datetime]:
    return window.count, window.ends_at


def _tell(answer: Response) -> Response:
    """`RateLimit-Policy` and `RateLimit`, as draft-ietf-httpapi-ratelimit-headers has them since its 8th version."""
    policies = g.get("rate_policies")
    if policies:
        answer.headers["RateLimit-Policy"] = ", ".join(f'"{name}";q={most};w={each}' for name, most, each in policies)
    if "rate_window" in g:
        name, window = g.rate_window
        answer.headers["RateLimit"] = f'"{name}";r={window.left};t={window.wait}'
    return answer
