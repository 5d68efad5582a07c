"""Two at the same instant, on both databases: one subscription for each customer, one change in flight (SPEC P9)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from app.customers.models import Customer
from app.db import transaction
from app.errors import Conflict
from app.subscriptions import changes, lifecycle, sale
from app.subscriptions.models import Subscription, SubscriptionChange
from app.subscriptions.periods import Anchor, Interval
from tests.support.time import START

Begun = Callable[..., Subscription]


def at_once(sessions: sessionmaker[Session], *doing: Callable[[Session], Any]) -> list[str]:
    """Do all of it at the same instant; what each came to."""
    gate, came_to = Barrier(len(doing)), [""] * len(doing)

    def run(place: int) -> None:
        with sessions() as session:
            gate.wait(timeout=30)
            try:
                doing[place](session)
                came_to[place] = "done"
            except (Conflict, IntegrityError) as second:
                came_to[place] = type(second).__name__

    threads = [Thread(target=run, args=(place,)) for place in range(len(doing))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return came_to


def test_of_two_subscriptions_at_once_one_begins(
    sessions: sessionmaker[Session], session: Session, payer: Customer, terms: Any
) -> None:
    bought, anchor, customer_id = terms("starter"), Anchor(START, ZoneInfo("UTC")), payer.id

    def begin(own: Session) -> None:
        with transaction(own):
            lifecycle.begin(
                own,
                customer_id=customer_id,
                plan_id=bought.id,
                version=bought.version,
                interval=Interval.MONTH,
                price=sale.priced(bought, bought, Interval.MONTH).price,
                paid_by="wallet",
                anchor=anchor,
                period=anchor.period(0, Interval.MONTH),
                actor="usr_1",
            )

    came_to = at_once(sessions, begin, begin, begin)

    assert sorted(came_to) == ["AlreadySubscribed", "AlreadySubscribed", "done"]
    with transaction(session):
        assert session.scalar(select(func.count()).select_from(Subscription)) == 1


def test_of_two_changes_at_once_one_is_in_flight(
    sessions: sessionmaker[Session], session: Session, payer: Customer, begun: Begun
) -> None:
    sub = begun()
    names = [preview(session, payer, sub, plan) for plan in ("growth", "prompt")]
    customer_id, sub_id = sub.customer_id, sub.id

    def confirm(change_id: str) -> Callable[[Session], None]:
        def run(own: Session) -> None:
            with transaction(own):
                # Without the subscription's lock, which would make them wait for each other: the index decides.
                mine = own.get_one(Subscription, (customer_id, sub_id))
                change = changes.one(own, customer_id, change_id, lock=True)
                changes.take(own, mine, change, actor="usr_1")

        return run

    came_to = at_once(sessions, *(confirm(name) for name in names))

    with transaction(session):
        states = sorted(session.scalars(select(SubscriptionChange.state)))
    assert states == ["in_flight", "previewed"]
    assert sorted(came_to)[1:] == ["done"]
    assert min(came_to) in ("Conflict", "IntegrityError")


def preview(session: Session, payer: Customer, sub: Subscription, plan: str) -> str:
    with transaction(session):
        bought = sale.offered(session, payer.id, plan, Interval.MONTH)
        found = session.get_one(Subscription, (sub.customer_id, sub.id))
        return changes.note_preview(
            session,
            found,
            kind="upgrade",
            plan_id=bought.terms.id,
            version=bought.terms.version,
            interval=bought.interval,
            price=bought.price,
            as_of=START,
            effective_at=START,
            actor="usr_1",
        ).id
