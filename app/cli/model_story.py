"""Model calls of the demo: three weeks of them through Ada's own key, paid from the wallet, without any upstream."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from sqlalchemy import select

from app import clock
from app.cli.past import Happening, Past
from app.customers.models import ApiKey
from app.db import transaction
from app.llm import calls, prices
from app.llm.calls import Ask, Told
from app.upstreams import routing
from app.upstreams.dialect import Route
from app.upstreams.usage import Usage

# Model, prompt, of it from a cache, completion: at the prices of the day these are whole cents.
CALLS = (
    ("gpt-4o", Usage(8_000, 2_000)),
    ("claude-sonnet-4-0", Usage(10_000, 2_000)),
    ("gemini-2.5-flash", Usage(100_000, 4_000)),
    ("gpt-4o", Usage(24_000, 4_000, cached=8_000)),
)
SINCE = 18  # days ago
_UPSTREAMS = ("openai", "anthropic", "google")


def of_ada(past: Past, customer_id: str) -> list[Happening]:
    """Two or three calls every other day; nothing where the shop has another currency than models are priced in."""
    if past.settings.currency != "usd":
        return []
    return [
        (day, partial(_call, past, customer_id, routing.route(model, _UPSTREAMS), used))
        for day in range(SINCE, 0, -2)
        for model, used in CALLS[day % 3 :][:3]
    ]


def _call(past: Past, customer_id: str, route: Route, used: Usage) -> None:
    session = past.session
    price = prices.price(session, route, clock.now())
    cost = price.cost(used)
    key = session.scalars(select(ApiKey.id).where(ApiKey.customer_id == customer_id).limit(1)).one()
    ask = Ask(route.upstream, route.model, False, key, None, "", used.completion, price.version)
    with transaction(session):
        opened = calls.open_call(session, customer_id, ask, lambda _: cost, lives=timedelta(minutes=5))
        calls.settle(session, customer_id, opened.id, Told(used.prompt, used.completion, used.cached, cost))
