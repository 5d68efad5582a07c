"""Two workers in one move, on both databases: each subscriber is told once and changed once."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import transaction
from app.flows import move_subscribers
from app.notices.models import Mail
from app.subscriptions.models import SubscriptionChange
from tests.flows.test_move_subscribers import Moving
from tests.support.people import Person
from tests.support.plans import Subscriber


@pytest.mark.both_databases
def test_two_workers_move_each_subscriber_once(
    session: Session, sessions: Any, plans: None, ada: Person, bo: Person, person: Callable[[str, str], Person]
) -> None:
    for who in (ada, bo, person("Eve", "Eve Ltd"), person("Fay", "Fay Ltd")):
        who.gets(2_000)
        Subscriber(who).subscribes()
    moving = Moving(session, sessions)
    moving.publishes(monthly_minor=900)
    move = moving.begins()
    gate, did = Barrier(2), [0, 0]

    def work(place: int) -> None:
        gate.wait(timeout=60)
        while done := move_subscribers.move_due(sessions, {}, limit=1):
            did[place] += done

    threads = [Thread(target=work, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    moving.works()

    assert moving.counts(move) == {"arranged": 4}
    with transaction(session):
        states = select(SubscriptionChange.customer_id, SubscriptionChange.state)
        assert sorted(row.state for row in session.execute(states)) == ["scheduled"] * 4
        told = select(Mail.recipient, func.count()).where(Mail.subject.contains("new terms")).group_by(Mail.recipient)
        assert [row[1] for row in session.execute(told)] == [1, 1, 1, 1]
