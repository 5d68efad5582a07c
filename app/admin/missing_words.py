"""Why the money of an order has not come, in a sentence for staff, and where to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import url_for

from app.dossier import missing
from app.dossier.missing import Event, Missing
from app.http.filters import moment_text
from app.payments.models import Order

_OVER = {"failed": "The payment failed.", "expired": "Nobody paid in time.", "canceled": "Canceled before it was paid."}


@dataclass(frozen=True)
class Said:
    """A sentence; `href` is the webhook it speaks of, "" without one. Tone "neg" is for staff to act on."""

    text: str
    tone: str = ""
    href: str = ""


def of_orders(orders: Sequence[Order], told: Sequence[Event]) -> dict[str, Said]:
    """By order id, for each that is not paid."""
    found = missing.of_orders(orders, told)
    return {order.id: _said(order, found[order.id]) for order in orders if order.id in found}


def of_events(told: Sequence[Event], shown: Mapping[str, Said]) -> list[Said]:
    """What gave up and no order above speaks of."""
    spoken = {said.href for said in shown.values()}
    dead = [_gave_up(event) for event in told if event.state == "dead"]
    return [said for said in dead if said.href not in spoken]


def _said(order: Order, found: Missing) -> Said:
    event, channel = found.event, order.channel.capitalize()
    if event is not None and found.where == "gave_up":
        return _gave_up(event)
    if event is not None and found.where == "retried":
        times = "once" if event.attempts == 1 else f"{event.attempts} times"
        text = f"{channel} told us of this payment. Applying that failed {times} so far: {_sentence(event.error)}"
        return Said(f"{text} It is tried again at {moment_text(event.next_at)}.", "warn", _href(event))
    if event is not None:
        return Said(f"{channel} has told us of this payment; it is applied in a moment.", "", _href(event))
    return Said(_without_news(order, found, channel))


def _gave_up(event: Event) -> Said:
    channel = event.channel.capitalize()
    text = (
        f"{channel} told us of a payment at {moment_text(event.received_at)}, and applying that was given up: "
        f"{_sentence(event.error)} Nothing was credited. When the cause is gone, replay the webhook."
    )
    return Said(text, "neg", _href(event))


def _without_news(order: Order, found: Missing, channel: str) -> str:
    if found.where == "over":
        return order.failure or _OVER.get(order.state, "")
    if found.where == "not_asked":
        return f"The customer was never led to {channel}: it did not answer, or they went away before."
    if found.where == "on_its_way":
        return f"Filled in at {channel}, and no payment was told yet: a bank takes days."
    asks = f" We ask {channel} at {moment_text(order.next_poll_at)}." if order.next_poll_at else ""
    return f"{channel} has told us nothing: nobody paid there, or their webhook did not reach us.{asks}"


def _sentence(error: str) -> str:
    return error if error.endswith((".", "!", "?")) else f"{error or 'no reason was kept'}."


def _href(event: Event) -> str:
    return url_for("admin_webhooks.show", event_id=event.id, _anchor="event")
