"""Subscriptions: which plan a customer has, and for which seconds they paid.

Ask `standing.of`. What may be bought: `sale.offered`. The verbs are in `lifecycle` (begin, become_past_due, restrict,
recover, end), `snapshots` (take_snapshot), `invoiced` (enter_period, cut), `changes` (note_preview, take, apply, fail,
schedule, unschedule, undo) and `overrides` (set_override, end_override).
"""
