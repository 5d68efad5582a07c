"""The verbs of a subscription, under one roof for the flows that use many of them."""

from __future__ import annotations

from app.subscriptions.changes import schedule, unschedule
from app.subscriptions.invoiced import cut, enter_period
from app.subscriptions.lifecycle import become_past_due, begin, end, live, recover, restrict, the_live
from app.subscriptions.snapshots import take_snapshot

__all__ = [
    "become_past_due",
    "begin",
    "cut",
    "end",
    "enter_period",
    "live",
    "recover",
    "restrict",
    "schedule",
    "take_snapshot",
    "the_live",
    "unschedule",
]
