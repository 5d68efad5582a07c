"""Watching wallets: who is to be told that theirs is low, a bounded part of all customers at a time."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from app.db import transaction
from app.wallet import low

AT_ONCE = 500  # customers looked at by one query
_AT_MOST = 20  # queries in a row, before others have their turn


class Watch:
    """One worker's walk over all customers, again and again."""

    def __init__(self, session_factory: Callable[[], Session], currency: str) -> None:
        self._session_factory, self._currency, self._after = session_factory, currency, ""

    def __call__(self) -> int:
        """Look at the next customers; how many wallets had crossed their level."""
        crossed = 0
        with self._session_factory() as session:
            for _ in range(_AT_MOST):
                found, self._after = low.to_look_at(session, after=self._after, limit=AT_ONCE, currency=self._currency)
                session.rollback()
                for customer_id in found:
                    with transaction(session):
                        crossed += low.look(session, customer_id, currency=self._currency)
                if not self._after:
                    break
        return crossed
