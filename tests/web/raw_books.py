"""What raw rows say of one customer: events by period and meter, ledger legs, holds, and what is left of credits."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import clock as the_clock
from app.catalogue.models import Meter
from app.credits.models import CreditAllocation, CreditGrant
from app.ledger import tables
from app.llm.models import LlmCall
from app.metering.models import UsageEvent
from app.subscriptions import standing
from app.subscriptions.standing import Standing


class Books:
    """What raw rows say of one customer: their events by period and meter, and their ledger."""

    def __init__(self, session: Session, customer_id: str) -> None:
        self.session, self.customer_id = session, customer_id

    @cached_property
    def periods(self) -> dict[datetime, dict[str, list[UsageEvent]]]:
        found: dict[datetime, dict[str, list[UsageEvent]]] = defaultdict(lambda: defaultdict(list))
        mine = select(UsageEvent).where(UsageEvent.customer_id == self.customer_id)
        for event in self.session.scalars(mine):
            found[event.period_start][event.meter].append(event)
        return {start: dict(meters) for start, meters in found.items()}

    def events(self, start: datetime, meter: str) -> list[UsageEvent]:
        return self.periods.get(start, {}).get(meter, [])

    def model_calls(self) -> dict[str, list[tuple[LlmCall, int]]]:
        """The billed calls by month, each with what its entry took from the wallet."""
        leg, found = tables.legs, defaultdict(list)
        mine = select(LlmCall).where(LlmCall.customer_id == self.customer_id, LlmCall.outcome == "billed")
        for call in self.session.scalars(mine):
            taken = select(leg.c.amount).where(
                leg.c.customer_id == self.customer_id, leg.c.entry_id == call.entry_id, leg.c.account == "wallet"
            )
            assert call.ended_at is not None
            found[f"{call.ended_at:%Y-%m}"].append((call, -(self.session.scalar(taken) or 0)))
        return dict(found)

    @cached_property
    def keys(self) -> dict[str, str]:
        """Meter keys by the names pages use."""
        return {meter.name: meter.key for meter in self.session.scalars(select(Meter))}

    @cached_property
    def standing(self) -> Standing:
        return standing.of(self.session, self.customer_id)

    def legs(self, account: str) -> list[Any]:
        """This account's legs, newest first."""
        leg, entry = tables.legs, tables.entries
        mine = select(leg.c.amount, entry.c.id, entry.c.kind, entry.c.reverses, entry.c.occurred_at)
        mine = mine.join(entry, (entry.c.customer_id == leg.c.customer_id) & (entry.c.id == leg.c.entry_id))
        mine = mine.where(leg.c.customer_id == self.customer_id, leg.c.account == account)
        return list(self.session.execute(mine.order_by(leg.c.seq.desc())))

    def balance(self, account: str) -> int:
        return sum(leg.amount for leg in self.legs(account))

    def ending(self) -> list[tuple[datetime, int]]:
        """What is left of grants that end, by what each entry did to them: when, and how many."""
        g, a = CreditGrant, CreditAllocation
        left: dict[str, int] = defaultdict(int)
        for row in self.session.scalars(select(a).where(a.customer_id == self.customer_id)):
            left[row.grant_id] += row.amount
        mine = select(g).where(g.customer_id == self.customer_id, g.expires_at > the_clock.now())
        return [(one.expires_at, left[one.id]) for one in self.session.scalars(mine) if left[one.id]]

    def held(self, prefix: str = "") -> int:
        h = tables.holds
        mine = select(h.c.amount, h.c.key).where(h.c.customer_id == self.customer_id, h.c.state == "held")
        return sum(row.amount for row in self.session.execute(mine) if row.key.startswith(prefix))
