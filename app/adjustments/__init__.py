"""Adjustments: money and credits given or taken by hand, and the second person that large ones wait for."""

from __future__ import annotations

from app.adjustments.ask import CREDITS, Asked, Wish, ask, needs_second
from app.adjustments.decide import AlreadyDecided, OwnAdjustment, approve, deny, is_theirs, withdraw
from app.adjustments.models import STATES, Adjustment
from app.adjustments.reads import find, page, waiting

__all__ = [
    "CREDITS",
    "STATES",
    "Adjustment",
    "AlreadyDecided",
    "Asked",
    "OwnAdjustment",
    "Wish",
    "approve",
    "ask",
    "deny",
    "find",
    "is_theirs",
    "needs_second",
    "page",
    "waiting",
    "withdraw",
]
