"""The terms a meter is counted by for one customer now: allowance, and what happens beyond it (SPEC U3)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.subscriptions.standing import Standing


@dataclass(frozen=True, slots=True)
class Terms:
    """`allowance` None is no limit; beyond one, `mode` is wallet, invoice or block, at `unit_micros` a unit."""

    allowance: int | None = None
    mode: str | None = None
    unit_micros: int | None = None


def terms_of(session: Session, standing: Standing, meter: str) -> Terms:
    """A plan that does not speak of a meter allows nothing of it where another plan on offer does; else no limit."""
    raise NotImplementedError
