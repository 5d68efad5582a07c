"""What reactions to a provider's news share: what was read for it, and the reasons for which one has to wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.providers.billing import InvoiceDoc, SubscriptionState

Effects = list[dict[str, Any]]  # what a reaction did, for staff


class NotYet(Exception):
    """What the event is about has not been written here yet: it waits, and is dead only after hours."""


class NotOurs(NotYet):
    """The same of what may be somebody else's: after those hours it is put away, and not left for staff to look at."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Whole snapshots read from the provider, outside of any transaction. `at` is the instant before they were."""

    at: datetime
    state: SubscriptionState | None = None
    invoices: tuple[InvoiceDoc, ...] = ()


@dataclass(frozen=True, slots=True)
class News:
    """One event's surroundings: its inbox row, its channel, and what was read for it."""

    inbox_id: str
    channel: str
    seen: Seen
    grace_days: int
    names_refunds: bool = True  # whether the provider keeps our id with each refund, and tells it
