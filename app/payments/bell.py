"""The bell: rung in this process when an event was kept, so that a worker in the same process need not sleep on."""

from __future__ import annotations

from threading import Event

_bell = Event()


def ring() -> None:
    """Something is waiting in the inbox. Rung after the commit; a worker elsewhere finds out by looking."""
    _bell.set()


def wait(seconds: float) -> bool:
    """Sleep until the bell rings or the time is up; whether it rang."""
    rang = _bell.wait(seconds)
    _bell.clear()
    return rang
