"""Notices: what customers are told, on their page, by mail and through the host product's webhooks.

Everything is a row in the transaction of what it tells of; `app.flows.deliver` sends the mail.
"""

from __future__ import annotations

from app.notices.choices import thresholds
from app.notices.outbox import queue
from app.notices.phrases import Fact
from app.notices.tell import tell

__all__ = ["Fact", "queue", "tell", "thresholds"]
