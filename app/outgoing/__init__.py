"""Outgoing webhooks: what the host product is told, signed, tried again and logged (SPEC §12.4).

`emit` writes rows in the transaction of what it tells of; `app.flows.deliver_hooks` sends them.
"""

from __future__ import annotations

from app.outgoing.emit import emit
from app.outgoing.event_types import EVENT_TYPES

__all__ = ["EVENT_TYPES", "emit"]
