"""Notices: the mail we send. Queued as rows in the transaction of what they tell of; `app.flows.deliver` sends them."""

from __future__ import annotations

from app.notices.outbox import queue

__all__ = ["queue"]
