"""What Purser sells, as Polar's products: one for each price of a plan, and one for each kind of one-off purchase.

Polar bills products and nothing else. A product made here says in its metadata what it stands for, and is found again
by that; one that was made by hand is named in the catalogue file (`provider_ids.polar`) and never looked for.
"""

from __future__ import annotations

from typing import Any

from app.money import Money
from app.providers.polar.body import metadata
from app.providers.polar.connection import Connection, Json
from app.providers.values import Interval, PlanRef

_MARK = "purser"
_ONE_OFF = {"topup": "Wallet top-up", "credit_pack": "Credits"}
_SHORTEST_NAME, _LONGEST_NAME = 3, 64


def for_purchase(polar: Connection, kind: str, currency: str) -> str:
    """The product behind an amount of one's choice; each checkout brings its own price."""
    marks = {_MARK: kind, "currency": currency}
    return _ensured(polar, marks, {"name": _ONE_OFF[kind], "prices": [fixed(Money(1000, currency))]})


def for_plan(polar: Connection, *, plan: str, version: int, interval: Interval, price: Money, name: str) -> str:
    """The product that is this price of this plan."""
    marks = {
        _MARK: "plan",
        "plan": plan,
        "version": str(version),
        "interval": interval,
        "price_minor": str(price.minor),
        "currency": price.currency,
    }
    wanted = {"name": _fitting(name), "recurring_interval": interval, "prices": [fixed(price)]}
    return _ensured(polar, marks, wanted)


def fixed(price: Money) -> Json:
    """A price before tax, as our prices are."""
    return {
        "amount_type": "fixed",
        "price_amount": price.minor,
        "price_currency": price.currency,
        "tax_behavior": "exclusive",
    }


def plan_of(product: Json, prices: list[Json]) -> PlanRef | None:
    """What a product is in our words, from what we wrote on it; None for one that somebody else made."""
    marks, interval = metadata(product), product.get("recurring_interval")
    plan, version = marks.get("plan"), marks.get("version", "")
    asked: Any = next((each for each in prices if each.get("amount_type") == "fixed"), None)
    if not plan or not (version.isascii() and version.isdigit()) or interval not in ("month", "year") or asked is None:
        return None
    price = Money(asked["price_amount"], asked["price_currency"].lower())
    return PlanRef(plan, interval, price, product["id"], int(version))


def _ensured(polar: Connection, marks: dict[str, str], wanted: Json) -> str:
    filters: Any = {f"metadata[{name}]": value for name, value in marks.items()}
    for product in polar.pages("/v1/products/", is_archived="false", sorting="created_at", **filters):
        if metadata(product) == marks and not product.get("is_archived"):
            return str(product["id"])
    made = {"visibility": "private", "metadata": marks, **wanted, **polar.owner}
    return str(polar.post("/v1/products/", made)["id"])


def _fitting(name: str) -> str:
    """Polar takes three to sixty-four characters."""
    return name[:_LONGEST_NAME] if len(name.strip()) >= _SHORTEST_NAME else f"{name} plan"
