"""Everything that can happen to a wallet, in any order, against the model; audited after every step, on both databases.

PURSER_STATE_MACHINE=2000 in the environment makes it a long run: so many examples, of a hundred steps each.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import clock as the_clock
from app import ids, ledger
from app.db import transaction
from app.errors import IdempotencyKeyReused, InsufficientFunds, Invalid, Refusal, WalletFrozen
from app.ledger import Account, AlreadyReversed, HoldEnded, SettlementTooLarge
from tests.ledger.conftest import CASH, PROMOTIONS, REVENUE, table_rows
from tests.ledger.model import ModelEntry, ModelHold, ModelWallet

DEEP = int(os.environ.get("PURSER_STATE_MACHINE", "0"))
COUNTER = {"topup": CASH, "promo": PROMOTIONS, "debit": REVENUE, "overage": REVENUE, "refund": CASH, "chargeback": CASH}
REFUSALS = {"frozen": WalletFrozen, "short": InsufficientFunds}
SIZES = st.sampled_from(["one", "two", "all", "all and one", "10^15", "random"])
CREDITS = st.sampled_from(["topup", "promo"])
DEBITS = st.sampled_from(["debit", "overage", "refund", "chargeback"])


class Books(RuleBasedStateMachine):
    """One new customer per example. Each step goes through a session or through the committer, at random."""

    engine: Engine
    time: Any
    committer: ledger.Committer

    entries = Bundle("entries")
    holds = Bundle("holds")

    def __init__(self) -> None:
        super().__init__()
        self.account = Account(ids.new("cus"), "wallet", "usd")
        self.model = ModelWallet()
        self.session = Session(self.engine, expire_on_commit=False)
        self.posted: dict[str, tuple[str, int, str]] = {}
        self.grouped = False
        self.day, self.growing = 0, ""
        self.rows = self.read_tables()

    def teardown(self) -> None:
        self.session.close()

    def read_tables(self) -> Any:
        return table_rows(self.engine, self.account.customer_id)

    def size(self, name: str, random: int) -> int:
        everything = max(1, self.model.available)
        sizes = {"one": 1, "two": 2, "all": everything, "all and one": everything + 1, "10^15": 10**15}
        return min(sizes.get(name, random), ledger.MAX_AMOUNT)

    def post(self, kind: str, amount: int, key: str) -> ledger.Entry:
        legs = {self.account: amount, COUNTER[kind]: -amount}
        if self.grouped:
            return self.committer.post(kind, legs, customer_id=self.account.customer_id, key=key)
        with transaction(self.session):
            return ledger.post(self.session, kind, legs, customer_id=self.account.customer_id, key=key)

    def refuses(self, refusal: type[Refusal], call: Any) -> None:
        """The call is refused, and every table is as it was."""
        with pytest.raises(refusal):
            call()
        assert self.read_tables() == self.rows

    @rule(grouped=st.booleans())
    def take_the_other_way_in(self, grouped: bool) -> None:
        self.grouped = grouped

    @rule(target=entries, kind=CREDITS | DEBITS, size=SIZES, random=st.integers(1, 10**7))
    def post_something(self, kind: str, size: str, random: int) -> Any:
        sign = 1 if kind in ("topup", "promo") else -1
        amount, key = sign * self.size(size, random), ids.new("key")
        if self.model.balance + amount < -(10**17) or self.model.balance + amount > 10**17:
            return multiple()
        if why := self.model.why_not(kind, amount):
            self.refuses(REFUSALS[why], lambda: self.post(kind, amount, key))
            return multiple()
        entry = self.post(kind, amount, key)
        assert not entry.replayed
        self.model.move(entry.id, kind, amount)
        self.posted[entry.id] = (kind, amount, key)
        return entry

    @rule(freeze=st.booleans())
    def freeze_or_thaw(self, freeze: bool) -> None:
        with transaction(self.session):
            changed = (ledger.freeze if freeze else ledger.thaw)(self.session, self.account)
        assert changed is (self.model.frozen is not freeze)
        self.model.frozen = freeze

    @rule(entry=entries, other=st.booleans())
    def retry(self, entry: ledger.Entry, other: bool) -> None:
        kind, amount, key = self.posted[entry.id]
        if other:
            self.refuses(
                IdempotencyKeyReused,
                lambda: self.post(kind, 2 * amount if abs(amount) < 10**14 else 1 if amount > 0 else -1, key),
            )
            return
        again = self.post(kind, amount, key)
        assert again == entry
        assert again.replayed
        assert self.read_tables() == self.rows

    @rule(entry=entries)
    def reverse(self, entry: ledger.Entry) -> None:
        line, key = self.model.lines[entry.id], ids.new("key")

        def undo() -> ledger.Entry:
            with transaction(self.session):
                return ledger.reverse(
                    self.session, entry.id, customer_id=self.account.customer_id, key=key, reason="model"
                )

        if line.reversed:
            self.refuses(AlreadyReversed, undo)
        elif not self.model.can_move("reversal", -line.amount):
            self.refuses(InsufficientFunds, undo)
        else:
            self.model.move(undo().id, "reversal", -line.amount, gives_back=-line.promo)
            line.reversed = True

    @rule(target=holds, size=SIZES, random=st.integers(1, 10**7), minutes=st.sampled_from([1, 10]))
    def hold(self, size: str, random: int, minutes: int) -> Any:
        amount, key = self.size(size, random), ids.new("key")
        expiry = the_clock.now() + timedelta(minutes=minutes)

        def make() -> ledger.Hold:
            if self.grouped:
                return self.committer.hold(self.account, amount, key=key, expires_at=expiry)
            with transaction(self.session):
                return ledger.hold(self.session, self.account, amount, key=key, expires_at=expiry)

        if self.model.frozen or self.model.available < amount:
            self.refuses(WalletFrozen if self.model.frozen else InsufficientFunds, make)
            return multiple()
        hold = make()
        assert make().id == hold.id
        self.model.holds[hold.id] = ModelHold(amount, minutes)
        return hold

    @rule(target=holds, size=SIZES, random=st.integers(1, 10**7))
    def raise_the_hold_of_the_day(self, size: str, random: int) -> Any:
        by, known = self.size(size, random), self.model.holds.get(self.growing)
        expiry = the_clock.now() + timedelta(minutes=10)

        def make() -> ledger.Hold:
            with transaction(self.session):
                return ledger.raise_hold(self.session, self.account, by, key=f"day {self.day}", expires_at=expiry)

        if known is not None and known.state != "held":
            self.refuses(HoldEnded, make)
            self.day, self.growing = self.day + 1, ""
            return multiple()
        if known is not None and known.amount + by > ledger.MAX_AMOUNT:
            self.refuses(Invalid, make)
            return multiple()
        if self.model.frozen or self.model.available < by:
            self.refuses(WalletFrozen if self.model.frozen else InsufficientFunds, make)
            return multiple()
        hold = make()
        if known is not None:
            known.amount += by
            assert (hold.id, hold.amount) == (self.growing, known.amount)
            return multiple()
        self.growing = hold.id
        self.model.holds[hold.id] = ModelHold(by, 10)
        return hold

    @rule(hold=holds, share=st.sampled_from([0, 1, 50, 100, 150, 200, 201]))
    def settle(self, hold: ledger.Hold, share: int) -> None:
        known = self.model.holds[hold.id]
        amount = known.amount * share // 100 if share != 201 else 2 * known.amount + 1
        amount = min(amount, 10**15)

        def end() -> tuple[ledger.Hold, ledger.Entry | None]:
            customer = self.account.customer_id
            if self.grouped:
                return self.committer.settle(customer, hold.id, amount, kind="llm", to=REVENUE)
            with transaction(self.session):
                return ledger.settle(self.session, customer, hold.id, amount, kind="llm", to=REVENUE)

        if known.state == "settled" and known.settled == amount:
            end()
            assert self.read_tables() == self.rows
        elif known.state != "held":
            self.refuses(HoldEnded, end)
        elif amount > 2 * known.amount:
            self.refuses(SettlementTooLarge, end)
        else:
            ended, entry = end()
            known.state, known.settled = "settled", amount
            assert ended.state == "settled"
            assert (entry is None) == (amount == 0)
            if entry is not None:
                self.model.move(entry.id, "llm", -amount)

    @rule(hold=holds)
    def release(self, hold: ledger.Hold) -> None:
        known = self.model.holds[hold.id]

        def end() -> ledger.Hold:
            if self.grouped:
                return self.committer.release(self.account.customer_id, hold.id)
            with transaction(self.session):
                return ledger.release(self.session, self.account.customer_id, hold.id)

        if known.state == "settled":
            self.refuses(HoldEnded, end)
            return
        known.state = "expired" if known.state == "expired" else "released"
        assert end().state == known.state

    @precondition(lambda self: any(hold.state == "held" for hold in self.model.holds.values()))
    @rule(minutes=st.sampled_from([0, 1, 10]))
    def time_passes(self, minutes: int) -> None:
        self.time.advance(minutes=minutes)
        with transaction(self.session):
            ledger.expire_holds(self.session, the_clock.now(), 1000)
        for hold in self.model.holds.values():
            hold.minutes -= minutes
            if hold.state == "held" and hold.minutes <= 0:
                hold.state = "expired"

    @invariant()
    def the_books_agree_with_the_model(self) -> None:
        self.rows = self.read_tables()
        with transaction(self.session):
            found = ledger.balance(self.session, self.account)
            lines = ledger.history(self.session, self.account, limit=10_000)
            totals = ledger.totals(self.session, self.account)
            audit = ledger.audit(self.session, full=True)
        model = self.model
        assert (found.balance, found.held, found.promo) == (model.balance, model.held, model.promo)
        assert (found.debt, found.available, found.entries) == (model.debt, model.available, len(model.lines))
        assert found.frozen is model.frozen
        told = {line.entry_id: (line.kind, line.amount, line.balance_after) for line in reversed(lines)}
        assert told == {id_: _shown(line) for id_, line in model.lines.items()}
        assert list(told) == list(model.lines)
        assert totals == model.totals()
        assert audit.faults == []


def _shown(line: ModelEntry) -> tuple[str, int, int]:
    return line.kind, line.amount, line.balance_after


@pytest.mark.slow
@pytest.mark.timeout(0 if DEEP else 300)
def test_a_wallet_does_what_the_model_says(engine: Engine, clock: Any) -> None:
    committer = ledger.Committer(engine)
    machine = type("BooksHere", (Books,), {"engine": engine, "time": clock, "committer": committer})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=DEEP or 10,
            stateful_step_count=100 if DEEP else 25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            # Shrinking repeats thousands of steps; in a short run the first failing story is told as it is.
            phases=tuple(Phase) if DEEP else (Phase.explicit, Phase.generate),
        ),
    )

    committer.close()
