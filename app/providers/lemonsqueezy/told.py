"""What an event says, in our words: one table from its name to a reader. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from app.providers.bodies import shaped
from app.providers.events import Event, Ignored
from app.providers.lemonsqueezy.body import number, verified
from app.providers.lemonsqueezy.connection import Json
from app.providers.lemonsqueezy.shop import Shop
from app.providers.lemonsqueezy.told_billing import (
    INVOICE_HINTS,
    SUBSCRIPTION_HINTS,
    invoice_changed,
    invoice_refunded,
    subscription_changed,
)
from app.providers.lemonsqueezy.told_orders import checkout_expired, order_created, order_refunded

Reader = Callable[[Json, dict[str, Any], Shop], Sequence[Event]]


def events_of(event: Json, shop: Shop) -> Sequence[Event]:
    """Our events in a parsed one. Raises BadPayload when its object lacks what its name promises."""
    told = verified(event).told_by("lemonsqueezy")
    read = READERS.get(event["meta"]["event_name"])
    if read is None:
        return [Ignored(why="This type of event is not used.", **told)]
    with shaped(told["raw_type"]):
        if number(event["data"]["attributes"]["store_id"]) != shop.store_id:
            return [Ignored(why="It is of another store than LEMONSQUEEZY_STORE_ID.", **told)]
        return read(event, told, shop)


# Those that are sent, and the name we give to what we read ourselves of a page nobody paid on.
READERS: dict[str, Reader] = {
    "order_created": order_created,
    "order_refunded": order_refunded,
    **dict.fromkeys(SUBSCRIPTION_HINTS, subscription_changed),
    **dict.fromkeys(INVOICE_HINTS, invoice_changed),
    "subscription_payment_refunded": invoice_refunded,
    "checkout_expired": checkout_expired,
}
EVENTS = tuple(name for name in READERS if name != "checkout_expired")
