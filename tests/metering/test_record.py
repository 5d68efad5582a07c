"""Recording usage: counted once, priced as it happens, refused whole (SPEC U1-U4)."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Engine, event

from app.errors import InsufficientFunds
from app.metering import NewEvent
from app.metering.refusals import UnknownMeter
from tests.support.usage import User

Put = Callable[[str], None]


def test_fifty_thousand_passports_are_free_and_the_next_is_taken_from_the_wallet(user: User, catalogue: Put) -> None:
    catalogue("oper")
    before = user.available

    user.uses("passports", 50_000)
    assert user.available == before

    assert user.uses("passports").accepted == 1
    assert user.available == before - 100  # $0.0001
    now = user.meter("passports")
    assert (now.used, now.over, now.over_micros, now.held_micros) == (50_001, 1, 100, 100)
    assert user.faults() == []


def test_an_empty_wallet_refuses_to_the_micro(user: User, catalogue: Put) -> None:
    catalogue("oper")
    user.has(250)
    user.uses("passports", 50_000)
    assert user.uses("passports", 2).accepted == 1

    refused = user.uses("passports").refused

    assert [type(one.refusal) for one in refused] == [InsufficientFunds]
    details = refused[0].refusal.details
    assert (details["available_micros"], details["needed_micros"]) == (50, 100)
    assert (details["limit"], details["used"], details["left"]) == (50_000, 50_002, 0)
    assert (details["plan"], details["upgrade"], details["resets_at"]) == ("free", "developer", "2026-04-01T00:00:00Z")
    assert user.available == 50
    assert user.meter("passports").used == 50_002
    assert user.faults() == []


def test_a_batch_is_decided_in_order_and_a_refusal_keeps_none_of_the_others_out(user: User, catalogue: Put) -> None:
    catalogue("oper")
    user.has(2_000)
    user.uses("passports", 50_000)
    user.uses("proxy_calls", 5_000)

    told = user.reports(
        NewEvent("a", "passports", 10),
        NewEvent("b", "proxy_calls", 2),  # at $0.001 each: the thousand left pays for one only
        NewEvent("c", "no_such", 1),
        NewEvent("d", "proxy_calls", 1),
        NewEvent("e", "drop_offs", 1),
    )

    assert told.accepted == 3
    assert [(one.id, type(one.refusal)) for one in told.refused] == [("b", InsufficientFunds), ("c", UnknownMeter)]
    assert user.available == 0
    assert user.faults() == []


def test_the_same_id_counts_once_whatever_comes_with_it(user: User, catalogue: Put) -> None:
    catalogue("view")

    first = user.reports(NewEvent("x", "views", 3), NewEvent("x", "views", 4), NewEvent("y", "views", 1))
    again = user.reports(NewEvent("x", "no_such", 900), NewEvent("y", "views", 1), NewEvent("z", "views", 1))

    assert (first.accepted, first.duplicates, first.refused) == (2, 1, ())
    assert (again.accepted, again.duplicates, again.refused) == (1, 2, ())
    assert user.meter("views").used == 5


def test_hundreds_of_events_take_as_many_statements_as_one(user: User, catalogue: Put, engine: Engine) -> None:
    catalogue("oper")
    user.uses("passports")
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *said: statements.append(said[2]))

    user.uses("passports")
    one, statements[:] = len(statements), []
    user.reports(*(NewEvent(f"many{number}", "passports", 1, f"agent-{number % 7}") for number in range(400)))

    assert len(statements) == one <= 12
