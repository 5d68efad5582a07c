"""Spend caps: the most a customer lets overage cost in one period, all meters together (SPEC U4)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.subscriptions.standing import Standing


def spend_cap(session: Session, customer_id: str) -> int | None:
    """The cap in micros; None where there is none."""
    raise NotImplementedError


def set_spend_cap(session: Session, customer_id: str, micros: int | None, *, actor: str) -> None:
    """Cap it from now on, or (None) no longer. What is over the cap already stays. Raises Invalid, field "cap"."""
    raise NotImplementedError


def spent(session: Session, standing: Standing) -> int:
    """What overage has cost in this period, in micros, all meters together: what the cap is compared with."""
    raise NotImplementedError
