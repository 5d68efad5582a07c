"""Everything that can happen to credits, in any order, against a model of the rules; on both databases.

After every step the grants hold what the model's hold, and together what the books say. PURSER_STATE_MACHINE=2000 in
the environment makes it a long run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import credits, ids, ledger
from app.catalogue.models import Action
from app.credits.models import CreditGrant
from app.db import transaction
from app.errors import InsufficientFunds
from app.ledger import AlreadyReversed
from tests.credits.conftest import Purse

DEEP = int(os.environ.get("PURSER_STATE_MACHINE", "0"))
AMOUNTS = st.integers(1, 60)


@dataclass
class ModelGrant:
    """A grant as the rules say it is."""

    id: str
    place: int
    is_paid: bool
    ends: datetime | None
    left: int

    @property
    def order(self) -> tuple[Any, ...]:
        return (self.ends is None, self.ends or the_clock.now(), self.is_paid, self.place)


@dataclass
class ModelTaking:
    """A spend, and which grants it took from."""

    entry_id: str
    shares: dict[str, int]
    returned: bool = field(default=False)


class Credits(RuleBasedStateMachine):
    """One new customer per example."""

    engine: Engine
    time: Any

    takings = Bundle("takings")

    def __init__(self) -> None:
        super().__init__()
        self.session = Session(self.engine, expire_on_commit=False)
        self.purse = Purse(self.session, ids.new("cus"))
        self.grants: dict[str, ModelGrant] = {}

    def teardown(self) -> None:
        self.session.close()

    @rule(amount=AMOUNTS, days=st.sampled_from([None, 1, 2, 5]), is_paid=st.booleans())
    def grants_some(self, amount: int, days: int | None, is_paid: bool) -> None:
        self.time.advance(seconds=1)
        ends = the_clock.now() + timedelta(days=days) if days else None
        made = self.purse.gets(amount, "pack" if is_paid else "promo", is_paid=is_paid, expires_at=ends)
        self.grants[made.id] = ModelGrant(made.id, len(self.grants), is_paid, ends, amount)

    @rule(target=takings, quantity=AMOUNTS)
    def spends(self, quantity: int) -> ModelTaking | None:
        return self.takes(quantity, lambda: self.purse.spends("unit", quantity).entry.id)

    @rule(target=takings, amount=AMOUNTS)
    def staff_take(self, amount: int) -> ModelTaking | None:
        return self.takes(amount, lambda: self.purse.loses(amount).id)

    def takes(self, amount: int, act: Any) -> ModelTaking | None:
        open_now = [one for one in self.grants.values() if one.left and not self.is_over(one)]
        if sum(one.left for one in open_now) < amount:
            with pytest.raises(InsufficientFunds):
                act()
            return None
        entry_id = act()
        self.ends_what_is_over()
        shares = {}
        for one in sorted(open_now, key=lambda each: each.order):
            shares[one.id] = part = min(one.left, amount)
            one.left, amount = one.left - part, amount - part
        return ModelTaking(entry_id, shares)

    @rule(taking=takings)
    def returns(self, taking: ModelTaking | None) -> None:
        if taking is None:
            return
        if taking.returned:
            with pytest.raises(AlreadyReversed):
                self.purse.undoes(taking.entry_id)
            return
        self.purse.undoes(taking.entry_id)
        taking.returned = True
        for grant_id, part in taking.shares.items():
            if part:
                one = self.grants[grant_id]
                one.left = 0 if self.is_over(one) else one.left + part

    @rule(hours=st.sampled_from([6, 24, 60]))
    def time_passes(self, hours: int) -> None:
        self.time.advance(hours=hours)

    @rule()
    def the_worker_comes(self) -> None:
        self.purse.sees_what_is_due_end()
        self.ends_what_is_over()

    def is_over(self, one: ModelGrant) -> bool:
        return one.ends is not None and one.ends <= the_clock.now()

    def ends_what_is_over(self) -> None:
        for one in self.grants.values():
            if self.is_over(one):
                one.left = 0

    @invariant()
    def the_grants_are_the_models_and_the_books_agree(self) -> None:
        self.session.rollback()
        mine = select(CreditGrant.id, CreditGrant.remaining).where(CreditGrant.customer_id == self.purse.customer_id)
        left = {row.id: row.remaining for row in self.session.execute(mine)}
        assert left == {one.id: one.left for one in self.grants.values()}
        assert self.purse.balance == sum(left.values())
        spendable = sum(one.left for one in self.grants.values() if not self.is_over(one))
        assert credits.balance(self.session, self.purse.customer_id).available == spendable


def test_credits_keep_the_rules(engine: Engine, session: Session, clock: Any) -> None:
    with transaction(session):
        session.add(Action(key="unit", name="Unit", credits=1, position=0))
    machine = type("Bound", (Credits,), {"engine": engine, "time": clock})
    how = settings(
        max_examples=DEEP or 5,
        stateful_step_count=100 if DEEP else 15,
        database=None,
        derandomize=not DEEP,
        phases=[Phase.generate, Phase.shrink] if DEEP else [Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )

    run_state_machine_as_test(machine, settings=how)

    assert ledger.audit(session, full=True).clean
