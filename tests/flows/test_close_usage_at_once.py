"""Several workers close usage at once: it comes to the same as one (SPEC U3)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.orm import Session, sessionmaker

from app.flows import close_usage
from app.providers.port import Provider
from tests.flows.test_close_usage import CLOSES
from tests.support.people import Person
from tests.support.time import Clock
from tests.support.usage import BOTH_MODES, User, entries, invoices

Put = Callable[[str], None]


def test_two_workers_come_to_one_entry_and_one_invoice(
    user: User,
    bo: Person,
    catalogue: Put,
    sessions: sessionmaker[Session],
    providers: dict[str, Provider],
    clock: Clock,
) -> None:
    catalogue(BOTH_MODES)
    users = [user, User(bo)]
    for one in users:
        one.uses("views", 1_500)
        one.uses("calls", 10)
    clock.set(CLOSES)

    with ThreadPoolExecutor(4) as crowd:
        list(crowd.map(lambda _: close_usage.close_due(sessions, providers), range(8)))
    close_usage.close_due(sessions, providers)

    for one in users:
        assert [(invoice.status, invoice.total_minor) for invoice in invoices(one)] == [("paid", 100)]
        assert [line.amount for line in entries(one)] == [-10_000]
        assert one.faults() == []
