"""Reading a subscription whole: itself, its invoices, and how many months its price is for."""

from __future__ import annotations

from dataclasses import dataclass

from app import clock
from app.providers.billing import SubscriptionState
from app.providers.errors import InvalidRequest, NotFound
from app.providers.lemonsqueezy.body import instant, number
from app.providers.lemonsqueezy.connection import Connection, Json
from app.providers.lemonsqueezy.periods import Cycle
from app.providers.lemonsqueezy.shop import Shop
from app.providers.lemonsqueezy.snapshots import INVOICES, cycle_of, subscription_of

_MONTHS = {"month": 1, "year": 12}
_LATEST = 20  # invoices of one subscription: the newest say how it stands


@dataclass(frozen=True, slots=True)
class Whole:
    """What was read of one subscription; `invoices` newest first."""

    state: SubscriptionState
    raw: Json
    cycle: Cycle
    invoices: list[Json]


class Reader:
    """Reads from one store. How often a price renews never changes, so it is asked once."""

    def __init__(self, lemon: Connection, shop: Shop) -> None:
        self._lemon, self._shop = lemon, shop
        self._months: dict[str, int] = {}

    def whole(self, subscription_id: str) -> Whole:
        """The subscription as it is now. Raises NotFound."""
        seen_at = clock.now()  # before asking: what changes meanwhile is newer than this
        raw = self.subscription(subscription_id)
        listed = self._lemon.read(f"/{INVOICES}", {"filter[subscription_id]": number(raw["id"]), "page[size]": _LATEST})
        invoices = sorted(listed["data"], key=_made_at, reverse=True)
        cycle = self.cycle(raw)
        latest = next(iter(invoices), None)
        state = subscription_of(raw, version=seen_at, custom={}, cycle=cycle, latest=latest)
        return Whole(state, raw, cycle, invoices)

    def subscription(self, subscription_id: str) -> Json:
        """In their words. Raises NotFound for none of this store."""
        return self.of_store("subscriptions", subscription_id)

    def invoice(self, invoice_id: str) -> Json:
        return self.of_store(INVOICES, invoice_id)

    def of_store(self, kind: str, name: str) -> Json:
        """One object. A key may reach other stores of the same account; they are none of ours. Raises NotFound."""
        try:
            found: Json = self._lemon.read(f"/{kind}/{number(name)}")["data"]
        except ValueError as strange:
            raise NotFound("Lemon Squeezy names things by numbers.") from strange
        if number(found["attributes"]["store_id"]) != self._shop.store_id:
            raise NotFound(f"There is no such thing among the {kind} of this store.")
        return found

    def cycle(self, sub: Json) -> Cycle:
        return cycle_of(sub, self._renewed_after(sub["attributes"]))

    def _renewed_after(self, told: Json) -> int:
        """In months. The variant's own words about it are deprecated: its price says."""
        price_id = (told.get("first_subscription_item") or {}).get("price_id")
        known = f"{number(told['variant_id'])}/{price_id}"
        if known not in self._months:
            self._months[known] = _months_of(self._price(number(told["variant_id"]), price_id))
        return self._months[known]

    def _price(self, variant_id: str, price_id: object) -> Json:
        """The price the subscription has, unless it was changed to another variant since; then the variant's newest."""
        if price_id is not None:
            found: Json = self._lemon.read(f"/prices/{number(price_id)}")["data"]["attributes"]
            if number(found["variant_id"]) == variant_id:
                return found
        listed = self._lemon.read("/prices", {"filter[variant_id]": variant_id})["data"]
        if not listed:
            raise InvalidRequest(f"Variant {variant_id} has no price.", code="no_price")
        newest: Json = max(listed, key=lambda price: int(number(price["id"])))["attributes"]
        return newest


def _months_of(price: Json) -> int:
    unit, quantity = price.get("renewal_interval_unit"), price.get("renewal_interval_quantity") or 1
    if unit not in _MONTHS:
        raise InvalidRequest(f"A plan is paid by the month or the year, not by the {unit}.", code="interval")
    return _MONTHS[unit] * int(quantity)


def _made_at(invoice: Json) -> tuple[object, int]:
    return instant(invoice["attributes"]["created_at"]), int(number(invoice["id"]))
