"""How news comes to a worker in tests: late, in any order, twice or never; and how workers crash and look again.

Crashes are real ones: whatever is under way ends at one of its commits or of its calls to the provider, before or after
it, and some workers are killed by the kernel. What was lost is found by looking again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app import ledger
from app.db import make_engine, transaction
from app.errors import Refusal
from app.flows import hear_disputes, reconcile, refund, reread_refunds, settle, sweep
from app.payments import inbox
from app.payments.models import ProviderEvent
from app.payments.refund_table import Refund
from app.providers.errors import ProviderError
from app.providers.values import Verified
from tests.support.crashes import Crash, Doom, Doomed, Killed
from tests.support.six_events import Said, signed
from tests.support.tills import Till

_QUIET = 60  # rounds of looking again, before something that still moves is a fault


class LateNews:
    """One provider's news and the workers here. `figures` counts what happened."""

    def __init__(
        self, till: Till, adapter: Any, adapter_anew: Callable[[], Any], sessions: sessionmaker[Session], seed: int
    ) -> None:
        """`adapter_anew` makes another one, for a process of its own: connections are nobody else's."""
        self.till, self.adapter, self.adapter_anew, self.channel = till, adapter, adapter_anew, adapter.name
        self.sessions, self.clock = sessions, till.who.clock
        self.engine = sessions.kw["bind"]
        self.rng, self.crashes = Random(seed), 0.15
        self.figures: Counter[str] = Counter()
        self.on_the_way: list[tuple[Said, int]] = []  # and how often it still comes

    def passes(self, **step: int) -> None:
        """Time passes, here and there."""
        self.clock.advance(**step)
        self.till.keeps_pace()

    def tries(self, what: str, does: Callable[[Session, dict[str, Any]], Any], *, again: float = 0.7) -> Any:
        """Do it, perhaps crash on the way, and perhaps do the same again as people do; what it answered."""
        self.figures[what] += 1
        doom = Doom(self.rng.randrange(14)) if self.rng.random() < self.crashes else None
        try:
            return self.does(does, doom)
        except Crash:
            self.figures["crashes"] += 1
            self.passes(minutes=3)  # until the leases of the dead are over
            return self.does(does, None) if self.rng.random() < again else None

    def does(self, does: Callable[[Session, dict[str, Any]], Any], doom: Doom | None) -> Any:
        sessions: Any = doom.sessions(self.engine) if doom else self.sessions
        with sessions() as session:
            try:
                return does(session, {self.channel: Doomed(self.adapter, doom) if doom else self.adapter})
            except (Refusal, ProviderError) as no:
                self.figures[f"refused: {type(no).__name__}"] += 1
                return None

    def works(self) -> None:
        """Some of the news arrives, late, in any order, twice or never; a worker takes its turn, or dies of it."""
        self._arrives(some=0.6)
        if self.rng.random() < self.crashes / 10:
            self._killed()
        self.tries("turns of a worker", self._turn, again=0)

    def _arrives(self, *, some: float) -> None:
        for said in self.till.news():
            if self.rng.random() < 0.05 and self.till.loses(said):
                self.figures["news lost"] += 1
                continue
            self.on_the_way.append((said, 2 if self.rng.random() < 0.1 else 1))
        self.rng.shuffle(self.on_the_way)
        left, self.on_the_way = self.on_the_way, []
        with self.sessions() as session:
            for said, times in left:
                if self.rng.random() > some:
                    self.on_the_way.append((said, times))
                    continue
                self._receives(session, said)
                if times > 1:
                    self.on_the_way.append((said, times - 1))

    def _receives(self, session: Session, said: Said) -> None:
        self.figures["news"] += 1
        body = said.body.encode()
        verified: Verified = self.adapter.verify(body, signed(self.channel, body, said.name, self.clock.now))
        with transaction(session):
            inbox.keep(session, provider=self.channel, verified=verified, body=body, headers={})

    def _turn(self, session: Session, there: dict[str, Any]) -> int:
        """What a worker does; its sessions are those of this one."""
        sessions = sessionmaker(self.engine, class_=type(session), expire_on_commit=False)
        done = sum(settle.apply_pending(sessions, there) for _ in range(5))
        done += refund.continue_due(sessions, there) + hear_disputes.hear(sessions, there)
        return done + sweep.sweep(sessions, there)

    def _killed(self) -> None:
        """A worker in a process of its own, killed at one of its commits or calls."""
        point = self.rng.randrange(1, 12)
        pid = os.fork()
        if pid == 0:
            doom = Killed(point)
            self.engine = make_engine(str(self.engine.url))
            with doom.sessions(self.engine)() as session:
                self._turn(session, {self.channel: Doomed(self.adapter_anew(), doom)})
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        self.figures["workers killed"] += os.WIFSIGNALED(status)
        self.passes(minutes=3)

    def looks_again(self) -> None:
        if self.rng.random() < 0.3:
            self.tries("reconciliations", lambda _s, there: reconcile.run(self.sessions, there, self.channel), again=0)

    def comes_to_rest(self) -> None:
        """The news still on its way arrives, and everything is looked at again until nothing moves."""
        self._arrives(some=1)
        while self.on_the_way:
            self._arrives(some=1)
        before, quiet = None, 0
        # A reconciliation reads a hundred of the older payments again: so many runs until all had their turn.
        enough = 1 + len(self.till.payments) // reread_refunds.IN_TURN
        for _ in range(_QUIET + enough):
            self.passes(hours=1, minutes=1)
            while self.does(self._turn, None):
                self.passes(minutes=1)
            reconcile.run(self.sessions, {self.channel: self.adapter}, self.channel)
            now = self._stands()
            quiet = quiet + 1 if now == before else 0
            if quiet == enough:
                return
            before = now
        raise AssertionError("after all these rounds it still moves")

    def _stands(self) -> Any:
        with self.sessions() as session, transaction(session):
            states = session.execute(select(Refund.state, Refund.id)).all()
            waits = session.scalars(select(ProviderEvent.id).where(ProviderEvent.state == "pending")).all()
            rows = [(row.account, row.balance) for row in ledger.trial_balance(session)]
        return sorted(tuple(row) for row in states), sorted(waits), rows
