"""Many report at once, and are counted together: each is told of its own events alone (SPEC U1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from threading import Barrier

import pytest
from sqlalchemy import Engine, text

from app.flows.count_usage import Counter
from app.metering import NewEvent, Recorded
from tests.support.people import Person
from tests.support.usage import BOTH_MODES, User

Put = Callable[[str], None]
CLIENTS = 12


@pytest.fixture
def counter(engine: Engine) -> Iterator[Counter]:
    with closing(Counter(engine)) as made:
        yield made


def at_once(
    counters: list[Counter], reports: list[tuple[User, list[NewEvent]]], times: int = 1
) -> list[Recorded | Exception]:
    """Each report from a thread of its own, all together, through these counters in turn."""
    together = Barrier(len(reports))

    def client(number: int) -> list[Recorded | Exception]:
        together.wait(30)
        return [count(counters[number % len(counters)], *reports[number]) for _ in range(times)]

    with ThreadPoolExecutor(len(reports)) as crowd:
        return [one for mine in crowd.map(client, range(len(reports))) for one in mine]


def count(counter: Counter, user: User, events: list[NewEvent]) -> Recorded | Exception:
    try:
        return counter.record(user.customer_id, events)
    except TypeError as fault:
        return fault


def test_each_is_told_of_its_own_events(user: User, bo: Person, catalogue: Put, counter: Counter) -> None:
    catalogue(BOTH_MODES)
    users = [user, User(bo)]
    reports = [
        (users[n % 2], [NewEvent(f"same-{i}", "views", 1) for i in range(n, n + 4)] + [NewEvent(f"x{n}", "none", 1)])
        for n in range(CLIENTS)
    ]

    told = at_once([counter], reports, times=3)

    assert all(one.accepted + one.duplicates == 4 for one in told)
    assert [[refused.id for refused in one.refused] for one in told] == [[f"x{n // 3}"] for n in range(3 * CLIENTS)]
    for place, one in enumerate(users):
        ids = {event.id for n in range(place, CLIENTS, 2) for event in reports[n][1] if event.meter == "views"}
        assert one.meter("views").used == len(ids)
        assert sum(mine.accepted for n, mine in enumerate(told) if n // 3 % 2 == place) == len(ids)
        assert one.faults() == []


def test_the_last_of_the_wallet_is_spent_once(user: User, catalogue: Put, counter: Counter) -> None:
    catalogue(BOTH_MODES)
    user.has(10_000)

    told = at_once([counter], [(user, [NewEvent(f"c{n}", "calls", 3)]) for n in range(CLIENTS)])

    assert sum(one.accepted for one in told) == 3
    assert {refused.refusal.code for one in told for refused in one.refused} == {"INSUFFICIENT_CREDITS"}
    assert user.available == 1_000
    assert user.faults() == []


def test_a_fault_of_one_is_nobody_elses(user: User, catalogue: Put, counter: Counter) -> None:
    catalogue(BOTH_MODES)
    naive = NewEvent("faulty", "views", 1, occurred_at=datetime(2026, 3, 14))  # noqa: DTZ001 - what the API never lets in

    told = at_once([counter], [(user, [naive if n == 5 else NewEvent(f"v{n}", "views", 1)]) for n in range(CLIENTS)])

    assert [n for n, one in enumerate(told) if isinstance(one, TypeError)] == [5]
    assert user.meter("views").used == CLIENTS - 1
    assert user.faults() == []


@pytest.mark.parametrize("size", [0, 1])
def test_alone_it_is_counted_at_once(user: User, catalogue: Put, counter: Counter, size: int) -> None:
    catalogue(BOTH_MODES)

    told = counter.record(user.customer_id, [NewEvent(f"v{n}", "views", 1) for n in range(size)])

    assert told == Recorded(accepted=size)


def test_the_same_ids_from_two_processes_and_many_customers_count_once(
    user: User, bo: Person, catalogue: Put, counter: Counter, engine: Engine
) -> None:
    catalogue(BOTH_MODES)
    users = [user, User(bo)]
    for one in users:
        one.has(10_000)
    same = [NewEvent("same", "views", 2), NewEvent("paid", "calls", 1)]

    with closing(Counter(engine)) as other:
        told = at_once(
            [counter, other],
            [(users[n // 2 % 2], [*same, NewEvent(f"own{n}", "calls", 1)]) for n in range(CLIENTS)],
            times=2,
        )

    assert sum(one.accepted for one in told) == CLIENTS + 4
    for one in users:
        assert one.meter("views").used == 2
        assert one.meter("calls").used == CLIENTS // 2 + 1
        assert one.available == 10_000 - 1_000 * (CLIENTS // 2 + 1)
        assert one.faults() == []


def test_what_was_answered_stays_when_the_connection_is_lost(
    user: User, catalogue: Put, counter: Counter, engine: Engine
) -> None:
    catalogue(BOTH_MODES)
    counter.record(user.customer_id, [NewEvent("before", "views", 1)])
    cut_off(counter, engine)

    told = [counter.record(user.customer_id, [NewEvent(name, "views", 1)]) for name in ("before", "after")]

    assert [(one.accepted, one.duplicates) for one in told] == [(0, 1), (1, 0)]
    assert user.meter("views").used == 2


def cut_off(counter: Counter, engine: Engine) -> None:
    """End the connection that the counter keeps: on PostgreSQL at the server, which it will learn of when it sends."""
    connection = counter._lines[0].clerk._connection
    if engine.dialect.name == "sqlite":
        connection.connection.dbapi_connection.close()
        return
    with engine.begin() as other:
        process = connection.connection.dbapi_connection.info.backend_pid
        other.execute(text("SELECT pg_terminate_backend(:process, 10000)"), {"process": process})


def test_another_catalogue_counts_from_the_next_event_on(user: User, catalogue: Put, counter: Counter) -> None:
    catalogue(BOTH_MODES)
    counter.record(user.customer_id, [NewEvent("v1", "views", 900)])

    catalogue(BOTH_MODES.replace("views = 1_000", "views = 500").replace('"0.002"', '"0.003"'))
    counter.record(user.customer_id, [NewEvent("v2", "views", 1)])
    now = user.meter("views")

    assert (now.over, now.over_micros, now.allowance) == (1, 3_000, 500)
