"""Many report at once: every event counts once, and no cent is spent twice (SPEC U1, U3, R2)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy.orm import Session, sessionmaker

from app import metering
from app.db import transaction
from app.metering import NewEvent, Recorded
from tests.support.usage import User

Put = Callable[[str], None]
CLIENTS = 8


def test_a_thousand_events_sent_three_times_by_eight_clients_at_once_count_once(
    user: User, catalogue: Put, sessions: sessionmaker[Session]
) -> None:
    catalogue("view")
    batch = [NewEvent(f"ev{number}", "views", 1 + number % 3, f"shop-{number % 7}") for number in range(1_000)]
    together = Barrier(CLIENTS)

    def client(_: int) -> list[Recorded]:
        with sessions() as session:
            together.wait(30)
            return [send(session, user, batch) for _ in range(3)]

    with ThreadPoolExecutor(CLIENTS) as crowd:
        told = [one for mine in crowd.map(client, range(CLIENTS)) for one in mine]

    assert sum(one.accepted for one in told) == 1_000
    assert sum(one.duplicates for one in told) == 23_000
    assert user.meter("views").used == sum(event.quantity for event in batch)
    assert user.faults() == []


def test_the_last_of_the_wallet_is_spent_once(user: User, catalogue: Put, sessions: sessionmaker[Session]) -> None:
    catalogue("oper")
    user.has(1_000)
    user.uses("passports", 50_000)
    together = Barrier(CLIENTS)

    def client(number: int) -> Recorded:
        with sessions() as session:
            together.wait(30)
            return send(session, user, [NewEvent(f"c{number}-{one}", "passports", 2) for one in range(3)])

    with ThreadPoolExecutor(CLIENTS) as crowd:
        told = list(crowd.map(client, range(CLIENTS)))

    assert sum(one.accepted for one in told) == 5
    assert sum(len(one.refused) for one in told) == 3 * CLIENTS - 5
    assert user.available == 0
    assert user.faults() == []


def send(session: Session, user: User, events: list[NewEvent]) -> Recorded:
    with transaction(session):
        return metering.record(session, user.customer_id, events)
