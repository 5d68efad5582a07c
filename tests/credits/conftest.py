"""One customer's credits for the tests of credits: moved through the program's own verbs, each in its transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock, credits, ids, ledger
from app.catalogue.models import Action
from app.credits.accounts import credits_of
from app.credits.models import CreditGrant
from app.db import transaction
from tests.support import credits_end

WHY = "Made good for a failed generation"


def in_days(days: int) -> datetime:
    return clock.now() + timedelta(days=days)


@dataclass
class Purse:
    """The credits of one customer, who need not exist otherwise."""

    session: Session
    customer_id: str

    def gets(self, amount: int, source: str = "promo", key: str | None = None, **told: Any) -> credits.Grant:
        told = {"actor": "system", "key": key or ids.new("key"), **told}
        with transaction(self.session):
            return credits.grant(self.session, self.customer_id, amount, source=source, **told)

    def buys(self, amount: int, **told: Any) -> credits.Grant:
        return self.gets(amount, "pack", is_paid=True, **told)

    def loses(self, amount: int, key: str | None = None) -> ledger.Entry:
        """Staff take some: burnt down like a spend of any size."""
        told = {"reason": WHY, "actor": "staff:usr_1", "key": key or ids.new("key")}
        with transaction(self.session):
            return credits.adjust(self.session, self.customer_id, -amount, **told)

    def spends(self, action: str = "draw", quantity: int = 1, key: str | None = None) -> credits.Spent:
        told = {"key": key or ids.new("key"), "actor": "key_1"}
        with transaction(self.session):
            return credits.spend(self.session, self.customer_id, action, quantity, **told)

    def undoes(self, entry_id: str, key: str | None = None) -> ledger.Entry:
        told = {"key": key or ids.new("key"), "reason": WHY}
        with transaction(self.session):
            return credits.reverse(self.session, self.customer_id, entry_id, **told)

    def sees_what_is_due_end(self) -> int:
        with transaction(self.session):
            return credits_end.expire_due(self.session, clock.now())

    @property
    def balance(self) -> int:
        """What the books say, written off or not."""
        self.session.rollback()
        return ledger.balance(self.session, credits_of(self.customer_id)).balance

    @property
    def left(self) -> list[int]:
        """What is left of each grant, the oldest first."""
        self.session.rollback()
        mine = select(CreditGrant.remaining).where(CreditGrant.customer_id == self.customer_id)
        return list(self.session.scalars(mine.order_by(CreditGrant.created_at, CreditGrant.id)))


@pytest.fixture
def purse(session: Session) -> Purse:
    return Purse(session, "cus_1")


@pytest.fixture
def action(session: Session) -> Callable[..., None]:
    """Puts an action on offer: `action("draw", 10)`."""

    def offer(key: str, cost: int) -> None:
        with transaction(session):
            session.add(Action(key=key, name=key.capitalize(), credits=cost, position=0))

    return offer
